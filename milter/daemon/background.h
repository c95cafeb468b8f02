#ifndef SPFROM_DAEMON_BACKGROUND_H
#define SPFROM_DAEMON_BACKGROUND_H

/*
 * Leaves the terminal: forks, and the parent waits until the child is ready or has failed, so that
 * who started the daemon learns its exit code. Call before any thread is started. Returns in the
 * child only; false where fork failed.
 */
#include <stdbool.h>

bool background_enter(void);

/* The child listens: the parent exits 0. Does nothing where background_enter() was not called. */
void background_ready(void);
#endif
