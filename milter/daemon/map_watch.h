#ifndef SPFROM_DAEMON_MAP_WATCH_H
#define SPFROM_DAEMON_MAP_WATCH_H

#include <stdbool.h>

/*
 * Watches domain_map, by looking at it once a second: that sees a file that is replaced, a link
 * that is turned, and a network's file system alike. One that changed is read when it has stayed
 * the same for a second, so that one that is being written is not read half.
 */

/* Starts the thread, which ends when nothing is in force any more. Returns false where there can be
 * no thread. */
bool map_watch_start(void);
#endif
