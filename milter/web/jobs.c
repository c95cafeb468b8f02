#include "config.h"

#include "web/jobs.h"

#include <pthread.h>

typedef struct {
    gpointer job;
    gint64 since;
} Waiting;

struct Jobs {
    JobFunction run;
    JobFunction give_up;
    gint64 patience;
    GPtrArray *threads;

    /* Guards the members below. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Of Waiting, the oldest first. */
    GQueue waiting;
    bool is_stopping;
};

static gpointer take(Jobs *jobs)
{
    gpointer job = NULL;

    pthread_mutex_lock(&jobs->lock);
    while (!jobs->is_stopping && g_queue_is_empty(&jobs->waiting))
        pthread_cond_wait(&jobs->changed, &jobs->lock);
    if (!jobs->is_stopping) {
        g_autofree Waiting *waiting = g_queue_pop_head(&jobs->waiting);

        job = waiting->job;
    }
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

static gpointer work(gpointer data)
{
    Jobs *jobs = data;
    gpointer job;

    while ((job = take(jobs)) != NULL)
        jobs->run(job);
    return NULL;
}

static Jobs *alloc(gint64 patience, JobFunction run, JobFunction give_up)
{
    Jobs *jobs = g_new0(Jobs, 1);

    jobs->run = run;
    jobs->give_up = give_up;
    jobs->patience = patience;
    jobs->threads = g_ptr_array_new();
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->changed, NULL);
    g_queue_init(&jobs->waiting);
    return jobs;
}

Jobs *jobs_new(const char *name, guint threads, gint64 patience, JobFunction run,
               JobFunction give_up, GError **error)
{
    g_autoptr(Jobs) jobs = alloc(patience, run, give_up);

    for (guint i = 0; i < threads; i++) {
        GThread *thread = g_thread_try_new(name, work, jobs, error);

        if (thread == NULL)
            return NULL;
        g_ptr_array_add(jobs->threads, thread);
    }
    return g_steal_pointer(&jobs);
}

void jobs_add(Jobs *jobs, gpointer job, gint64 now)
{
    Waiting *waiting = g_new(Waiting, 1);
    bool is_stopping;

    *waiting = (Waiting){.job = job, .since = now};
    pthread_mutex_lock(&jobs->lock);
    is_stopping = jobs->is_stopping;
    if (!is_stopping)
        g_queue_push_tail(&jobs->waiting, waiting);
    pthread_cond_signal(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    if (is_stopping) {
        g_free(waiting);
        jobs->give_up(job);
    }
}

/* Returns the oldest job if it has waited since before that time, else NULL. */
static gpointer take_older(Jobs *jobs, gint64 before)
{
    const Waiting *oldest;
    gpointer job = NULL;

    pthread_mutex_lock(&jobs->lock);
    oldest = g_queue_peek_head(&jobs->waiting);
    if (oldest != NULL && oldest->since < before) {
        job = oldest->job;
        g_free(g_queue_pop_head(&jobs->waiting));
    }
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

void jobs_expire(Jobs *jobs, gint64 now)
{
    gpointer job;

    while ((job = take_older(jobs, now - jobs->patience)) != NULL)
        jobs->give_up(job);
}

void jobs_stop(Jobs *jobs)
{
    gpointer job;

    pthread_mutex_lock(&jobs->lock);
    jobs->is_stopping = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    while ((job = take_older(jobs, G_MAXINT64)) != NULL)
        jobs->give_up(job);
    for (guint i = 0; i < jobs->threads->len; i++)
        g_thread_join(g_ptr_array_index(jobs->threads, i));
    g_ptr_array_set_size(jobs->threads, 0);
}

void jobs_free(Jobs *jobs)
{
    jobs_stop(jobs);
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->lock);
    g_ptr_array_unref(jobs->threads);
    g_free(jobs);
}
