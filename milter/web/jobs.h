#ifndef SPFROM_WEB_JOBS_H
#define SPFROM_WEB_JOBS_H

#include <glib.h>
#include <stdbool.h>

/*
 * Work that waits for something (DNS, the daemon, a file). A bounded number of threads does it, so
 * that the thread that speaks HTTP never waits. A job that can't begin in time is given up: a crowd
 * gets clear answers, and there are no more DNS questions at once than threads.
 *
 * One mutex guards the queue. It is not held while a job runs or is given up.
 */
typedef struct Jobs Jobs;

/*
 * patience  microseconds that a job waits for a thread
 * run       called with a job by one of the threads
 * give_up   called instead by jobs_expire() and jobs_stop()
 * Returns NULL with error set if a thread can't be started.
 */
typedef void (*JobFunction)(gpointer job);
Jobs *jobs_new(const char *name, guint threads, gint64 patience, JobFunction run,
               JobFunction give_up, GError **error);

void jobs_add(Jobs *jobs, gpointer job, gint64 now);

/* Gives up the jobs that have waited for too long. */
void jobs_expire(Jobs *jobs, gint64 now);

/* Gives up the jobs that wait, and waits for those that run. */
void jobs_stop(Jobs *jobs);
void jobs_free(Jobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Jobs, jobs_free)
#endif
