#include "config.h"

#include "verdict/upkeep.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/deadline.h"

G_DEFINE_QUARK(spfrom_upkeep_error, upkeep_error)

/* Keeps deadlines far from what a timespec can hold. */
#define WAIT_MAX (24 * 3600 * CLOCK_SECOND)

struct Upkeep {
    UpkeepWork work;
    pthread_t threads[1 + UPKEEP_RENEWERS];
    guint started; /* of threads */

    pthread_mutex_t lock;    /* guards what follows */
    pthread_cond_t wake;     /* is_due or is_stopping */
    pthread_cond_t has_work; /* queue or is_stopping */
    GQueue queue;            /* of VerdictKey */
    bool is_due;
    bool is_stopping;
};

static VerdictKey *key_copy(const VerdictKey *key)
{
    VerdictKey *copy = g_new(VerdictKey, 1);

    copy->domain = g_strdup(key->domain);
    copy->local_part = g_strdup(key->local_part);
    return copy;
}

static void key_free(gpointer data)
{
    VerdictKey *key = data;

    g_free((char *)key->domain);
    g_free((char *)key->local_part);
    g_free(key);
}

/* Waits until it is time for a refresh. Returns false where it is time to stop. */
static bool wait_until_due(Upkeep *upkeep, Deadline due)
{
    bool is_early = true;

    pthread_mutex_lock(&upkeep->lock);
    while (!upkeep->is_due && !upkeep->is_stopping && is_early)
        is_early = deadline_wait(due, &upkeep->wake, &upkeep->lock);
    upkeep->is_due = false;
    bool goes_on = !upkeep->is_stopping;
    pthread_mutex_unlock(&upkeep->lock);
    return goes_on;
}

static void *run_refresher(void *data)
{
    Upkeep *upkeep = data;
    gint64 span;

    pthread_setname_np(pthread_self(), "spf-relays");
    do {
        span = upkeep->work.refresh(upkeep->work.hook);
    } while (wait_until_due(upkeep, clock_monotonic(&clock_system) + CLAMP(span, 0, WAIT_MAX)));
    return NULL;
}

/* Returns the next renewal, or NULL where it is time to stop. */
static VerdictKey *take(Upkeep *upkeep)
{
    pthread_mutex_lock(&upkeep->lock);
    while (g_queue_is_empty(&upkeep->queue) && !upkeep->is_stopping)
        pthread_cond_wait(&upkeep->has_work, &upkeep->lock);
    VerdictKey *key = upkeep->is_stopping ? NULL : g_queue_pop_head(&upkeep->queue);
    pthread_mutex_unlock(&upkeep->lock);
    return key;
}

static void *run_renewer(void *data)
{
    Upkeep *upkeep = data;
    VerdictKey *key;

    pthread_setname_np(pthread_self(), "spf-renew");
    while ((key = take(upkeep)) != NULL) {
        upkeep->work.renew(upkeep->work.hook, key);
        key_free(key);
    }
    return NULL;
}

static bool start_threads(Upkeep *upkeep, GError **error)
{
    for (; upkeep->started < G_N_ELEMENTS(upkeep->threads); upkeep->started++) {
        int status = pthread_create(&upkeep->threads[upkeep->started], NULL,
                                    upkeep->started == 0 ? run_refresher : run_renewer, upkeep);

        if (status == 0)
            continue;
        g_set_error(error, UPKEEP_ERROR, UPKEEP_ERROR_THREAD, "can't start a thread: %s",
                    g_strerror(status));
        return false;
    }
    return true;
}

/* Threads inherit the mask of signals. */
static bool start_threads_without_signals(Upkeep *upkeep, GError **error)
{
    sigset_t all;
    sigset_t before;
    bool is_started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    is_started = start_threads(upkeep, error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

Upkeep *upkeep_new(const UpkeepWork *work, GError **error)
{
    Upkeep *upkeep = g_new0(Upkeep, 1);

    upkeep->work = *work;
    pthread_mutex_init(&upkeep->lock, NULL);
    deadline_init_condition(&upkeep->wake);
    pthread_cond_init(&upkeep->has_work, NULL);
    g_queue_init(&upkeep->queue);
    if (!start_threads_without_signals(upkeep, error))
        g_clear_pointer(&upkeep, upkeep_free);
    return upkeep;
}

void upkeep_stop(Upkeep *upkeep)
{
    pthread_mutex_lock(&upkeep->lock);
    upkeep->is_stopping = true;
    pthread_cond_broadcast(&upkeep->wake);
    pthread_cond_broadcast(&upkeep->has_work);
    pthread_mutex_unlock(&upkeep->lock);
}

void upkeep_free(Upkeep *upkeep)
{
    upkeep_stop(upkeep);
    for (guint i = 0; i < upkeep->started; i++)
        pthread_join(upkeep->threads[i], NULL);
    g_queue_clear_full(&upkeep->queue, key_free);
    pthread_cond_destroy(&upkeep->wake);
    pthread_cond_destroy(&upkeep->has_work);
    pthread_mutex_destroy(&upkeep->lock);
    g_free(upkeep);
}

void upkeep_wake(Upkeep *upkeep)
{
    pthread_mutex_lock(&upkeep->lock);
    upkeep->is_due = true;
    pthread_cond_signal(&upkeep->wake);
    pthread_mutex_unlock(&upkeep->lock);
}

bool upkeep_renew(Upkeep *upkeep, const VerdictKey *key)
{
    pthread_mutex_lock(&upkeep->lock);
    bool has_room = upkeep->queue.length < UPKEEP_QUEUE_MAX && !upkeep->is_stopping;
    if (has_room) {
        g_queue_push_tail(&upkeep->queue, key_copy(key));
        pthread_cond_signal(&upkeep->has_work);
    }
    pthread_mutex_unlock(&upkeep->lock);
    return has_room;
}
