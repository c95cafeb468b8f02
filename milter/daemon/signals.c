#include "config.h"

#include "daemon/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"

#define CRASHED "crashed: signal "
#define CRASH_HINT                                                                                 \
    "; who can connect to socket can cause that, see SECURITY CONSIDERATIONS in spfrom-milter(8)"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the three flags */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_stop;
static bool is_end;
static bool is_reload;

static void (*reload)(void); /* set before the threads start */

static void signals_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

void signals_block(void)
{
    sigset_t set;

    signals_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/*
 * libmilter has a thread that waits for the same signals by sigwait(), and stops the daemon when it
 * gets one: any SIGHUP, and a SIGTERM before ours waits, which then looks like a failure. This one
 * takes the place of the C library's, since names of the program go before those of libraries, and
 * never returns: the signals are ours alone. We call sigwaitinfo().
 */
int sigwait(const sigset_t *set G_GNUC_UNUSED, int *number G_GNUC_UNUSED)
{
    for (;;)
        pause();
}

static const struct {
    int number;
    const char *text;
} crashes[] = {
    {SIGSEGV, CRASHED "SIGSEGV" CRASH_HINT}, {SIGBUS, CRASHED "SIGBUS" CRASH_HINT},
    {SIGILL, CRASHED "SIGILL" CRASH_HINT},   {SIGFPE, CRASHED "SIGFPE" CRASH_HINT},
    {SIGABRT, CRASHED "SIGABRT" CRASH_HINT},
};

/* Only what signal-safety(7) allows. The handler is gone by now: raising the signal again ends the
 * daemon. */
static void on_crash(int number)
{
    log_queue_settle();
    for (size_t i = 0; i < G_N_ELEMENTS(crashes); i++)
        if (crashes[i].number == number)
            log_write_crash(crashes[i].text);
    raise(number);
}

void signals_report_crashes(void)
{
    const struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;

    for (size_t i = 0; i < G_N_ELEMENTS(crashes); i++) {
        /* A sanitizer has its own. */
        if (sigaction(crashes[i].number, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(crashes[i].number, &action, NULL);
    }
}

static void raise_flag(bool *flag)
{
    pthread_mutex_lock(&lock);
    *flag = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void *wait_for_signals(void *unused G_GNUC_UNUSED)
{
    sigset_t set;
    int number;

    signals_set(&set);
    for (;;) {
        number = sigwaitinfo(&set, NULL);
        if (number > 0)
            raise_flag(number == SIGHUP ? &is_reload : &is_stop);
    }
    return NULL;
}

static void *wait_for_reloads(void *unused G_GNUC_UNUSED)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        while (!is_reload)
            pthread_cond_wait(&changed, &lock);
        is_reload = false;
        pthread_mutex_unlock(&lock);
        reload();
    }
    return NULL;
}

static bool start_thread(const char *name, void *(*body)(void *))
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, NULL) != 0)
        return false;
    pthread_setname_np(thread, name);
    pthread_detach(thread);
    return true;
}

bool signals_start(void (*on_reload)(void))
{
    reload = on_reload;
    return start_thread("spfrom-signals", wait_for_signals) &&
           start_thread("spfrom-reload", wait_for_reloads);
}

SignalsEvent signals_wait(void)
{
    bool is_stopped;

    pthread_mutex_lock(&lock);
    while (!is_stop && !is_end)
        pthread_cond_wait(&changed, &lock);
    is_stopped = is_stop;
    pthread_mutex_unlock(&lock);
    return is_stopped ? SIGNALS_STOP : SIGNALS_ENDED;
}

void signals_note_end(void)
{
    raise_flag(&is_end);
}
