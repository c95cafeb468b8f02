#ifndef SPFROM_DAEMON_IN_FLIGHT_H
#define SPFROM_DAEMON_IN_FLIGHT_H

#include <glib.h>
#include <stdbool.h>

/*
 * The messages under way, from MAIL until the MTA has their answer, so that a stop can wait for
 * them. libmilter writes an answer after the callback that gave it has returned, and does not tell
 * when: the connection's next step does, or a second without one.
 *
 * One lock in here guards the counts and how far a stop has come; any thread may call.
 */

/* How far the message of one connection is. It begins as IN_FLIGHT_NONE. */
typedef enum { IN_FLIGHT_NONE, IN_FLIGHT_UNDER_WAY, IN_FLIGHT_ANSWERED } InFlight;

/* A message begins. Returns whether it may: not if a stop has begun before. */
bool in_flight_begin(InFlight *message);

/*
 * The message has its answer, which is about to be counted, logged and given to libmilter. Returns
 * false if the stop does not wait for it any more, or never did: the answer will not reach the MTA.
 */
bool in_flight_answer(InFlight *message);

/* The connection's next step: the answer is out, or the message was given up. */
void in_flight_end(InFlight *message);

/* Has a stop begun? */
bool in_flight_is_draining(void);

/*
 * The stop begins: waits until each message from before has its answer, or until deadline
 * (monotonic, microseconds), and then until the answers are out. Returns how many messages are left
 * without one.
 */
guint in_flight_drain(gint64 deadline);
#endif
