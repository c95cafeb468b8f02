#include "config.h"

#include "base/worker.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/deadline.h"

/* Keeps deadlines far from what a timespec can hold. */
#define WAIT_MAX (24 * 3600 * CLOCK_SECOND)

typedef struct {
    void (*run)(void *data);
    void *data;
} Job;

struct Worker {
    gint64 (*tend)(void);
    char *name;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    GQueue jobs; /* of Job */
    bool is_woken;
};

/* Waits for a job, a wake-up or the deadline. Returns the job, or NULL. */
static Job *wait_for_job(Worker *worker, Deadline deadline)
{
    bool has_time = true;

    pthread_mutex_lock(&worker->lock);
    while (g_queue_is_empty(&worker->jobs) && !worker->is_woken && has_time)
        has_time = deadline_wait(deadline, &worker->changed, &worker->lock);
    worker->is_woken = false;
    Job *job = g_queue_pop_head(&worker->jobs);
    pthread_mutex_unlock(&worker->lock);
    return job;
}

static void *run(void *data)
{
    Worker *worker = data;

    pthread_setname_np(pthread_self(), worker->name);
    for (;;) {
        gint64 span = worker->tend != NULL ? worker->tend() : WAIT_MAX;
        Job *job = wait_for_job(worker, clock_monotonic(&clock_system) + CLAMP(span, 0, WAIT_MAX));

        if (job != NULL)
            job->run(job->data);
        g_free(job);
    }
    return NULL;
}

static void worker_free(Worker *worker)
{
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    g_free(worker->name);
    g_free(worker);
}

Worker *worker_start(const char *name, gint64 (*tend)(void))
{
    Worker *worker = g_new0(Worker, 1);
    pthread_t thread;

    worker->tend = tend;
    worker->name = g_strdup(name);
    pthread_mutex_init(&worker->lock, NULL);
    deadline_init_condition(&worker->changed);
    g_queue_init(&worker->jobs);
    if (pthread_create(&thread, NULL, run, worker) != 0) {
        worker_free(worker);
        return NULL;
    }
    pthread_detach(thread);
    return worker;
}

void worker_post(Worker *worker, void (*job)(void *data), void *data)
{
    Job *posted = g_new(Job, 1);

    *posted = (Job){job, data};
    pthread_mutex_lock(&worker->lock);
    g_queue_push_tail(&worker->jobs, posted);
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

void worker_wake(Worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->is_woken = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}
