#ifndef SPFROM_DAEMON_SESSION_H
#define SPFROM_DAEMON_SESSION_H

#include <stdbool.h>

/*
 * libmilter's callbacks: they collect what a message says of itself, and at its end ask for the
 * decision and carry it out. All state of a connection and its message hangs on libmilter's private
 * pointer: two callbacks of one connection may run on two threads, one after the other.
 */

/* Makes the callbacks known to libmilter; once, before smfi_main(). Returns false if libmilter
 * refuses. */
bool session_register(void);
#endif
