#ifndef SPFROM_WEB_JOBS_H
#define SPFROM_WEB_JOBS_H

#include <glib.h>
#include <stdbool.h>

/*
 * Work that waits for something (DNS, the daemon, a file), done by a bounded number of threads, so
 * that the thread that speaks HTTP never waits. What can't begin in time is given up: a crowd gets
 * clear answers, and no more DNS questions at once than there are threads.
 *
 * Lock protocol: one mutex guards the queue and the count of jobs under way. It is not held while a
 * job runs or is given up.
 */
typedef struct Jobs Jobs;

/*
 * run      called with a job by one of the threads
 * give_up  called with a job in its place by jobs_expire() and jobs_stop()
 * patience microseconds that a job waits for a thread
 * Returns NULL with error set where a thread can't be started.
 */
typedef void (*JobFunction)(gpointer job);
Jobs *jobs_new(const char *name, guint threads, gint64 patience, JobFunction run,
               JobFunction give_up, GError **error);

void jobs_add(Jobs *jobs, gpointer job, gint64 now);

/* Gives up what has waited for too long. */
void jobs_expire(Jobs *jobs, gint64 now);

/* Gives up what waits, and waits for what runs. */
void jobs_stop(Jobs *jobs);
void jobs_free(Jobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Jobs, jobs_free)
#endif
