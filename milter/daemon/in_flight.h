#ifndef SPFROM_DAEMON_IN_FLIGHT_H
#define SPFROM_DAEMON_IN_FLIGHT_H

#include <glib.h>
#include <stdbool.h>

/*
 * The messages under way, from MAIL to their answer, so that a stop can wait for them. One lock in
 * here guards the count and whether a stop has begun; any thread may call.
 */

/* A message begins. Returns whether a stop waits for it: not if the stop has begun before. */
bool in_flight_begin(void);

/* A message for which in_flight_begin() returned true has its answer, or was given up. */
void in_flight_end(void);

/*
 * The stop begins: waits until no message from before is under way, or until deadline (monotonic,
 * microseconds). Returns how many are left.
 */
guint in_flight_drain(gint64 deadline);
#endif
