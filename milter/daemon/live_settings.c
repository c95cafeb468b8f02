#include "config.h"

#include "daemon/live_settings.h"

#include <pthread.h>

#include "base/log.h"
#include "spf/setup.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards current */
static LiveSettings current;

bool live_settings_take(LiveSettings *live)
{
    pthread_mutex_lock(&lock); /* the counts are atomic; reading the pointers and counting is not */
    *live = current;
    if (live->settings != NULL) {
        settings_ref(live->settings);
        verdicts_ref(live->verdicts);
    }
    pthread_mutex_unlock(&lock);
    return live->settings != NULL;
}

void live_settings_release(LiveSettings *live)
{
    g_clear_pointer(&live->settings, settings_unref);
    g_clear_pointer(&live->verdicts, verdicts_unref);
}

/* Puts next in force and lets go of what was, outside of the lock: the last reference waits for
 * threads. */
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
    exchange((LiveSettings){
        .settings = settings, .verdicts = verdicts, .mode = {.mode = settings->mode}});
}

void live_settings_clear(void)
{
    exchange((LiveSettings){0});
}

static void warn_of_restart(const char *key, const char *last, const char *next)
{
    if (g_strcmp0(last, next) != 0)
        log_write(LOG_WARNING, "%s has changed; that takes effect when the daemon is restarted",
                  key);
}

static void warn_of_restarts(Settings *last, Settings *next)
{
    warn_of_restart("socket", last->socket, next->socket);
    warn_of_restart("user", last->user, next->user);
    warn_of_restart("group", last->group, next->group);
    warn_of_restart("state_dir", last->state_dir, next->state_dir);
    warn_of_restart("control_socket", last->control_socket, next->control_socket);
}

static pthread_mutex_t reload_lock = PTHREAD_MUTEX_INITIALIZER; /* one reload at a time */

static bool reload_locked(const LiveSettings *last, GError **error)
{
    g_autoptr(Settings) next = setup_read(last->settings->file, error);
    Verdicts *verdicts = next != NULL ? setup_verdicts_after(last->verdicts, next, error) : NULL;

    if (verdicts == NULL)
        return false;
    warn_of_restarts(last->settings, next);
    log_set_level(next->log_level);
    live_settings_put(g_steal_pointer(&next), verdicts);
    return true;
}

bool live_settings_reload(GError **error)
{
    LiveSettings last = {0};
    bool is_reloaded;

    pthread_mutex_lock(&reload_lock);
    is_reloaded = live_settings_take(&last) && reload_locked(&last, error);
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
