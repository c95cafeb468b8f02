#include "config.h"

#include "daemon/live_settings.h"

#include <pthread.h>

#include "base/log.h"
#include "daemon/listener.h"
#include "daemon/mode_switch.h"
#include "daemon/privileges.h"
#include "policy/settings_parse.h"
#include "verdict/setup.h"

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

/* Frees verdicts on a thread of its own: that waits for a DNS question under way, which no message
 * must. */
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

/* Lets next keep what only a restart changes, as long as the daemon runs. */
static void keep_running(GPtrArray *warnings, Settings *next, Settings *running)
{
    g_autoptr(GPtrArray) changed = g_ptr_array_new();

    settings_keep(next, running, changed);
    for (guint i = 0; i < changed->len; i++)
        g_ptr_array_add(warnings,
                        g_strdup_printf("%s has changed; that takes effect when the daemon is "
                                        "restarted",
                                        (const char *)g_ptr_array_index(changed, i)));
}

/* Could the daemon start with settings? A reload changes neither accounts nor the socket. */
static bool can_start_with(Settings *settings, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (privileges_check(settings, &cause) && listener_check(settings, &cause))
        return true;
    settings_locate(settings, &cause);
    g_set_error_literal(error, SETUP_ERROR, SETUP_ERROR_CONFIGURATION, cause->message);
    return false;
}

static pthread_mutex_t reload_lock = PTHREAD_MUTEX_INITIALIZER; /* one reload at a time */

static bool reload_locked(const LiveSettings *last, GPtrArray *warnings, GError **error)
{
    g_autoptr(Settings) next = setup_read(last->settings->file, error);
    Verdicts *verdicts;

    if (next == NULL || !can_start_with(next, error))
        return false;
    verdicts = setup_verdicts_after(last->verdicts, next, deadline_in(next->check_timeout), error);
    if (verdicts == NULL)
        return false;
    keep_running(warnings, next, last->settings);
    log_set_level(next->log_level);
    live_settings_put(g_steal_pointer(&next), verdicts);
    return true;
}

bool live_settings_reload(GPtrArray *warnings, GError **error)
{
    LiveSettings last = {0};
    bool is_reloaded;

    pthread_mutex_lock(&reload_lock);
    is_reloaded = live_settings_take(&last) && reload_locked(&last, warnings, error);
    pthread_mutex_unlock(&reload_lock);
    live_settings_release(&last);
    return is_reloaded;
}

static LiveSettingsChange reload_map_locked(const LiveSettings *last, GError **error)
{
    Settings *next = setup_read_map(last->settings, error);

    if (next == NULL)
        return LIVE_SETTINGS_FAILED;
    if (next == last->settings) {
        settings_unref(next);
        return LIVE_SETTINGS_SAME;
    }
    live_settings_put(next, verdicts_ref(last->verdicts));
    return LIVE_SETTINGS_NEW;
}

LiveSettingsChange live_settings_reload_map(GError **error)
{
    LiveSettings last = {0};
    LiveSettingsChange change = LIVE_SETTINGS_SAME;

    pthread_mutex_lock(&reload_lock);
    if (live_settings_take(&last))
        change = reload_map_locked(&last, error);
    pthread_mutex_unlock(&reload_lock);
    live_settings_release(&last);
    return change;
}
