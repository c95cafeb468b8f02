#include "config.h"

#include "base/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

typedef struct {
    void (*work)(void *hook, guint position);
    void *hook;
    gint count;
    gint next; /* g_atomic_int_*() only */
} Run;

static gint helpers; /* of the process; g_atomic_int_*() only */

static void do_share(Run *run)
{
    gint position;

    while ((position = g_atomic_int_add(&run->next, 1)) < run->count)
        run->work(run->hook, (guint)position);
}

static void *help(void *data)
{
    pthread_setname_np(pthread_self(), "spf-parallel");
    do_share(data);
    return NULL;
}

static bool start_helper(pthread_t *helper, Run *run)
{
    if (g_atomic_int_add(&helpers, 1) < PARALLEL_HELPERS_MAX &&
        pthread_create(helper, NULL, help, run) == 0)
        return true;
    g_atomic_int_add(&helpers, -1);
    return false;
}

/* Returns the number of helpers that were started. Threads inherit the mask of signals. */
static guint start_helpers(pthread_t started[PARALLEL_CALL_MAX], guint wanted, Run *run)
{
    sigset_t all;
    sigset_t before;
    guint count = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (count < wanted && start_helper(&started[count], run))
        count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return count;
}

void parallel_run(guint count, void (*work)(void *hook, guint position), void *hook)
{
    Run run = {.work = work, .hook = hook, .count = (gint)count};
    pthread_t started[PARALLEL_CALL_MAX];
    guint running = count > 1 ? start_helpers(started, MIN(count - 1, PARALLEL_CALL_MAX), &run) : 0;

    do_share(&run);
    for (guint i = 0; i < running; i++)
        pthread_join(started[i], NULL);
    if (running > 0)
        g_atomic_int_add(&helpers, -(gint)running);
}
