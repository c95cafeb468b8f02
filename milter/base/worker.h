#ifndef SPFROM_BASE_WORKER_H
#define SPFROM_BASE_WORKER_H

#include <glib.h>
#include <stdbool.h>

/*
 * A thread that does one thing after the other, for work that may wait: for DNS, for a disk. It
 * lives as long as the program.
 *
 * Lock protocol: one lock inside guards the queue and the wake-up; it is not held while work is
 * done.
 */
typedef struct Worker Worker;

/*
 * Starts it. If tend isn't NULL, it is called at the start, after each job and worker_wake(),
 * and after as many microseconds as it returned. Returns NULL if there can be no thread.
 */
Worker *worker_start(const char *name, gint64 (*tend)(void));

/* Calls job with data, after those before it. */
void worker_post(Worker *worker, void (*job)(void *data), void *data);

/* Calls tend soon. */
void worker_wake(Worker *worker);
#endif
