#ifndef SPFROM_BASE_DEADLINE_H
#define SPFROM_BASE_DEADLINE_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

/*
 * The moment by which a piece of work has to be done, in clock_system's monotonic time.
 *
 * Whoever begins the work (a message, a subcommand, a page, a renewal in the background) makes the
 * deadline and hands it down. Nothing below makes another one; a step may only shorten it.
 */
typedef gint64 Deadline;

Deadline deadline_in(guint seconds);

/* The same for work that began at this moment (monotonic time): the clock is not read again. */
Deadline deadline_after(gint64 begin, guint seconds);

/* At most seconds from now, and never later than deadline: for one step of the work. */
Deadline deadline_shortened(Deadline deadline, guint seconds);

bool deadline_is_over(Deadline deadline);

/* Prepares changed for deadline_wait(). */
void deadline_init_condition(pthread_cond_t *changed);

/*
 * Waits until changed is signalled, or until deadline. lock is held by the caller, as for
 * pthread_cond_wait(), and there may be wake-ups without a signal.
 * Returns false once the deadline is over.
 */
bool deadline_wait(Deadline deadline, pthread_cond_t *changed, pthread_mutex_t *lock);
#endif
