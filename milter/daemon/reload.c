#include "config.h"

#include "daemon/reload.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/fallback_watch.h"
#include "daemon/live_settings.h"

static gint64 started; /* wall time; set before there are threads */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static gint64 loaded;
static char *last_error;

static void note(gint64 wall, const char *error)
{
    pthread_mutex_lock(&lock);
    if (error == NULL)
        loaded = wall;
    g_free(last_error);
    last_error = g_strdup(error);
    pthread_mutex_unlock(&lock);
}

void reload_note_start(void)
{
    started = clock_wall(&clock_system);
    note(started, NULL);
}

gint64 reload_started(void)
{
    return started;
}

static void tell_success(const GPtrArray *warnings)
{
    note(clock_wall(&clock_system), NULL);
    for (guint i = 0; i < warnings->len; i++)
        log_write(LOG_WARNING, "%s", (const char *)g_ptr_array_index(warnings, i));
    log_write(LOG_NOTICE, "configuration reloaded");
    fallback_watch_wake();
}

bool reload_run(GPtrArray *warnings, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (live_settings_reload(warnings, &cause)) {
        tell_success(warnings);
        return true;
    }
    if (cause == NULL)
        return false;
    note(0, cause->message);
    log_write(LOG_ERR, "configuration not reloaded, the old one stays: %s", cause->message);
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

gint64 reload_last(char **error)
{
    pthread_mutex_lock(&lock);
    gint64 wall = loaded;
    *error = g_strdup(last_error);
    pthread_mutex_unlock(&lock);
    return wall;
}
