#include "config.h"

#include "verdict/upkeep.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "unit/table.h"
#include "base/clock.h"

/* What the threads did, and a gate that holds renewals up. */
typedef struct {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t change;
    guint refreshes;
    guint renewals;
    bool is_held;
    bool had_signals; /* a thread could have been interrupted */
    char *last;       /* renewal */
    gint64 span;      /* until the next refresh */
} Log;

static void note_signals(Log *log)
{
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    log->had_signals |= !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGHUP);
}

static gint64 note_refresh(void *hook)
{
    Log *log = hook;

    pthread_mutex_lock(&log->lock);
    note_signals(log);
    log->refreshes++;
    gint64 span = log->span;
    log->span = G_MAXINT64;
    pthread_cond_broadcast(&log->change);
    pthread_mutex_unlock(&log->lock);
    return span;
}

static void note_renewal(void *hook, const VerdictKey *key)
{
    Log *log = hook;

    pthread_mutex_lock(&log->lock);
    note_signals(log);
    log->renewals++;
    g_free(log->last);
    log->last = g_strdup_printf("%s@%s", key->local_part, key->domain);
    pthread_cond_broadcast(&log->change);
    while (log->is_held)
        pthread_cond_wait(&log->change, &log->lock);
    pthread_mutex_unlock(&log->lock);
}

static void await(Log *log, const guint *count, guint want)
{
    pthread_mutex_lock(&log->lock);
    while (*count < want)
        pthread_cond_wait(&log->change, &log->lock);
    pthread_mutex_unlock(&log->lock);
}

static void release(Log *log)
{
    pthread_mutex_lock(&log->lock);
    log->is_held = false;
    pthread_cond_broadcast(&log->change);
    pthread_mutex_unlock(&log->lock);
}

static Upkeep *upkeep_for(Log *log)
{
    const UpkeepWork work = {note_refresh, note_renewal, log};

    return upkeep_new(&work, NULL);
}

#define LOG_NEW                                                                                    \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER, .span = G_MAXINT64  \
    }

static void test_refresh(void **state G_GNUC_UNUSED)
{
    Log log = LOG_NEW;

    log.span = 0; /* at once, after the first */
    g_autoptr(Upkeep) upkeep = upkeep_for(&log);
    await(&log, &log.refreshes, 2);
    upkeep_wake(upkeep);
    await(&log, &log.refreshes, 3);
    assert_false(log.had_signals);
}

static void test_renew(void **state G_GNUC_UNUSED)
{
    Log log = LOG_NEW;
    VerdictKey key = {"a.example", "u"};
    g_autoptr(Upkeep) upkeep = upkeep_for(&log);

    assert_true(upkeep_renew(upkeep, &key));
    await(&log, &log.renewals, 1);
    g_clear_pointer(&upkeep, upkeep_free);
    assert_string_equal(log.last, "u@a.example");
    assert_false(log.had_signals);
    g_free(log.last);
}

/* What is too much is dropped; what waits when it stops is not begun. */
static void test_bound(void **state G_GNUC_UNUSED)
{
    Log log = LOG_NEW;
    VerdictKey key = {"a.example", "u"};

    log.is_held = true;
    g_autoptr(Upkeep) upkeep = upkeep_for(&log);
    for (guint i = 0; i < UPKEEP_RENEWERS; i++)
        assert_true(upkeep_renew(upkeep, &key));
    await(&log, &log.renewals, UPKEEP_RENEWERS);
    for (guint i = 0; i < UPKEEP_QUEUE_MAX; i++)
        assert_true(upkeep_renew(upkeep, &key));
    assert_false(upkeep_renew(upkeep, &key));
    upkeep_stop(upkeep);
    release(&log);
    g_clear_pointer(&upkeep, upkeep_free);
    assert_int_equal(log.renewals, UPKEEP_RENEWERS);
    g_free(log.last);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "refresh: in time, and when woken", test_refresh, NULL);
    table_add(tests, "renewal", test_renew, NULL);
    table_add(tests, "the queue is bounded, and stops", test_bound, NULL);
    return table_run(tests, "upkeep_test");
}
