#ifndef SPFROM_BASE_LOG_QUEUE_H
#define SPFROM_BASE_LOG_QUEUE_H

#include <glib.h>
#include <stdbool.h>

/*
 * Log lines on their way to the target. After log_queue_start() nobody who logs ever waits: a
 * thread writes the lines, and a line that does not fit into the queue is dropped and counted. Once
 * the target takes lines again, one line says how many were dropped.
 *
 * Without the thread a line is written at once, and dropped if the target does not take it within
 * a second.
 *
 * One lock inside guards the queue. The thread does not hold it while it writes.
 */

/* Octets of the lines that wait. */
#define LOG_QUEUE_MAX (4U << 20)

void log_queue_put(int level, const char *text);

/* Call it after log_open(), and not before fork(). Returns false if there can be no thread. */
bool log_queue_start(void);

/* Ends the thread after it has written what waits, or after a second. */
void log_queue_stop(void);

/* The number of lines dropped so far. */
guint64 log_queue_lost(void);

/* For a signal handler: gives the thread a moment to write what waits. */
void log_queue_settle(void);
#endif
