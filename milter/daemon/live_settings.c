#include "config.h"

#include "daemon/live_settings.h"

#include <pthread.h>

#include "daemon/mode_switch.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;  /* guards what follows */
static pthread_cond_t retired = PTHREAD_COND_INITIALIZER; /* retiring has come down */
static LiveSettings current;
static guint retiring; /* threads that free Verdicts */

bool live_settings_take(LiveSettings *live)
{
    pthread_mutex_lock(&lock); /* the counts are atomic; reading the pointers and counting is not */
    *live = current;
    if (live->settings != NULL) {
        settings_ref(live->settings);
        verdicts_ref(live->verdicts);
    }
    pthread_mutex_unlock(&lock);
    if (live->settings == NULL)
        return false;
    live->mode = mode_switch_in_force(live->settings->mode);
    return true;
}

static void count_retiring(gint change)
{
    pthread_mutex_lock(&lock);
    retiring += (guint)change;
    pthread_cond_broadcast(&retired);
    pthread_mutex_unlock(&lock);
}

static void *run_retirement(void *verdicts)
{
    verdicts_free(verdicts);
    count_retiring(-1);
    return NULL;
}

/* Frees verdicts on a thread of its own: that waits for a DNS question under way, and no message may
 * wait for it. */
static void retire(Verdicts *verdicts)
{
    pthread_t thread;

    count_retiring(1);
    if (pthread_create(&thread, NULL, run_retirement, verdicts) == 0)
        pthread_detach(thread);
    else
        run_retirement(verdicts);
}

void live_settings_release(LiveSettings *live)
{
    Verdicts *verdicts = g_steal_pointer(&live->verdicts);

    g_clear_pointer(&live->settings, settings_unref);
    if (verdicts != NULL && verdicts_drop(verdicts))
        retire(verdicts);
}

/* Puts next in force and lets go of what was. */
static void exchange(LiveSettings next)
{
    LiveSettings last;

    pthread_mutex_lock(&lock);
    last = current;
    current = next;
    pthread_mutex_unlock(&lock);
    live_settings_release(&last);
}

void live_settings_put(Settings *settings, Verdicts *verdicts)
{
    mode_switch_configure(settings->mode);
    exchange((LiveSettings){.settings = settings, .verdicts = verdicts});
}

void live_settings_clear(void)
{
    exchange((LiveSettings){0});
    pthread_mutex_lock(&lock);
    while (retiring > 0)
        pthread_cond_wait(&retired, &lock);
    pthread_mutex_unlock(&lock);
}
