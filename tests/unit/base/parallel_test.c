#include "config.h"

#include "base/parallel.h"

#include <pthread.h>
#include <signal.h>

#include "base/deadline.h"
#include "unit/table.h"

#define PATIENCE 60 /* seconds */

typedef struct {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    guint begun;
    guint running;
    guint peak;    /* the most that were running */
    guint awaited; /* work returns once so many have begun */
    guint done[128];
    pthread_t caller;
    guint signalled; /* helpers in which SIGTERM is not blocked */
} Work;

static void work_init(Work *work)
{
    *work = (Work){.lock = PTHREAD_MUTEX_INITIALIZER, .caller = pthread_self()};
    deadline_init_condition(&work->changed);
}

static void do_work(void *hook, guint position)
{
    Work *work = hook;
    Deadline deadline = deadline_in(PATIENCE);
    bool has_time = true;
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    pthread_mutex_lock(&work->lock);
    work->begun++;
    work->running++;
    work->peak = MAX(work->peak, work->running);
    pthread_cond_broadcast(&work->changed);
    while (work->begun < work->awaited && has_time)
        has_time = deadline_wait(deadline, &work->changed, &work->lock);
    work->running--;
    work->done[position]++;
    work->signalled +=
        !pthread_equal(work->caller, pthread_self()) && sigismember(&blocked, SIGTERM) == 0;
    pthread_mutex_unlock(&work->lock);
}

static const struct row {
    const char *name;
    guint count;
    guint at_once;
} rows[] = {
    {"nothing", 0, 0},
    {"one", 1, 1},
    {"two at once", 2, 2},
    {"as many at once as there can be", PARALLEL_CALL_MAX + 1, PARALLEL_CALL_MAX + 1},
    {"more", 128, PARALLEL_CALL_MAX + 1},
};

static void test_run(void **state)
{
    const struct row *row = *state;
    Work work;

    work_init(&work);
    work.awaited = row->at_once;
    parallel_run(row->count, do_work, &work);
    assert_int_equal(work.begun, row->count);
    assert_int_equal(work.peak, row->at_once);
    for (guint i = 0; i < G_N_ELEMENTS(work.done); i++)
        assert_int_equal(work.done[i], i < row->count ? 1 : 0);
    assert_int_equal(work.signalled, 0);
    pthread_cond_destroy(&work.changed);
}

static void run_inner(void *hook, guint position G_GNUC_UNUSED)
{
    parallel_run(64, do_work, hook);
}

/* More helpers than the process may have: what has none is done all the same. */
static void test_bound(void **state G_GNUC_UNUSED)
{
    Work work;

    work_init(&work);
    work.awaited = PARALLEL_HELPERS_MAX + 1;
    parallel_run(64, run_inner, &work);
    assert_int_equal(work.begun, 64 * 64);
    assert_int_equal(work.peak, PARALLEL_HELPERS_MAX + 1);
    for (guint i = 0; i < 64; i++)
        assert_int_equal(work.done[i], 64);
    pthread_cond_destroy(&work.changed);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_run);
    table_add(tests, "more than the process may have", test_bound, NULL);
    return table_run(tests, "parallel");
}
