#include "config.h"

#include "daemon/reload.h"

#include <pthread.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "daemon/fallback_watch.h"
#include "daemon/fleet_agent.h"
#include "daemon/listener.h"
#include "daemon/live_settings.h"
#include "daemon/metrics.h"
#include "daemon/returns.h"
#include "daemon/privileges.h"
#include "policy/settings_parse.h"
#include "verdict/setup.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static gint64 loaded;
static char *last_error;

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER; /* held while settings are read */

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
    gint64 now = clock_wall(&clock_system);

    metrics_set_start(now);
    note(now, NULL);
}

/* Keeps in next what only a restart changes, and warns of it. */
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

/* True if the daemon could start with settings. A reload changes neither accounts nor the socket. */
static bool can_start_with(Settings *settings, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (privileges_check(settings, &cause) && listener_check(settings, &cause))
        return true;
    settings_locate(settings, &cause);
    g_set_error_literal(error, SETUP_ERROR, SETUP_ERROR_CONFIGURATION, cause->message);
    return false;
}

static bool load(const LiveSettings *last, GPtrArray *warnings, GError **error)
{
    g_autoptr(Settings) next = setup_read(last->settings->file, error);
    Verdicts *verdicts;

    if (next == NULL || !can_start_with(next, error))
        return false;
    keep_running(warnings, next, last->settings);
    if (!fleet_agent_check(next, error) || !setup_return_key(next, SETUP_KEY_MAKE, error))
        return false;
    verdicts = setup_verdicts_after(last->verdicts, next, deadline_in(next->check_timeout), error);
    if (verdicts == NULL)
        return false;
    log_set_level(next->log_level);
    if (!returns_start(next))
        log_write(LOG_ERR, "return_socket: there can be no thread now");
    if (!fleet_agent_configure(next))
        log_write(LOG_ERR, "fleet: there can be no thread now");
    fleet_agent_share(verdicts);
    live_settings_put(g_steal_pointer(&next), verdicts);
    return true;
}

static void tell_success(const GPtrArray *warnings)
{
    metrics_set_reload_failed(false);
    metrics_set_map_failed(false);
    note(clock_wall(&clock_system), NULL);
    for (guint i = 0; i < warnings->len; i++)
        log_write(LOG_WARNING, "%s", (const char *)g_ptr_array_index(warnings, i));
    log_write(LOG_NOTICE, "configuration reloaded");
    fallback_watch_wake();
}

static void tell_failure(const GError *error)
{
    metrics_set_reload_failed(true);
    note(0, error->message);
    log_write(LOG_ERR, "configuration not reloaded, the old one stays: %s", error->message);
}

bool reload_run(GPtrArray *warnings, GError **error)
{
    LiveSettings last = {0};
    g_autoptr(GError) cause = NULL;
    bool is_loaded;

    pthread_mutex_lock(&one_at_a_time);
    is_loaded = live_settings_take(&last) && load(&last, warnings, &cause);
    pthread_mutex_unlock(&one_at_a_time);
    live_settings_release(&last);
    if (is_loaded)
        tell_success(warnings);
    else if (cause != NULL) /* else the daemon ends */
        tell_failure(cause);
    if (cause != NULL)
        g_propagate_error(error, g_steal_pointer(&cause));
    return is_loaded;
}

gint64 reload_last(char **error)
{
    pthread_mutex_lock(&lock);
    gint64 wall = loaded;
    *error = g_strdup(last_error);
    pthread_mutex_unlock(&lock);
    return wall;
}

/* Puts domain_map as it is now in force. Returns those settings, last's own if nothing changed; NULL
 * with error. */
static Settings *read_map(const LiveSettings *last, GError **error)
{
    Settings *next = setup_read_map(last->settings, error);

    if (next != NULL && next != last->settings && !setup_return_key(next, SETUP_KEY_MAKE, error))
        g_clear_pointer(&next, settings_unref);
    if (next != NULL && next != last->settings) {
        if (!returns_start(next))
            log_write(LOG_ERR, "return_socket: there can be no thread now");
        fleet_agent_configure(next);
        live_settings_put(settings_ref(next), verdicts_ref(last->verdicts));
    }
    return next;
}

static void read_map_anew(const char *file)
{
    LiveSettings last = {0};
    g_autoptr(Settings) next = NULL;
    g_autoptr(GError) error = NULL;

    pthread_mutex_lock(&one_at_a_time);
    if (live_settings_take(&last))
        next = read_map(&last, &error);
    pthread_mutex_unlock(&one_at_a_time);
    metrics_set_map_failed(error != NULL);
    if (error != NULL)
        log_write(LOG_ERR, "domain_map not read anew, the old one stays: %s", error->message);
    else if (next != last.settings)
        log_write(LOG_NOTICE, "domain_map read anew: %s", file);
    if (error == NULL)
        fallback_watch_wake();
    live_settings_release(&last);
}

/* Tells one state of a file from another, as far as can be seen without reading it. All zero: there
 * is no file. */
typedef struct {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed; /* the inode's time: changes even if the content's time is set back */
} Stamp;

typedef struct {
    char *file; /* that is watched; NULL: none */
    Stamp seen; /* a second ago */
    Stamp read; /* when it was read */
} Watch;

static Stamp stamp_of(const char *file)
{
    struct stat status;

    if (stat(file, &status) != 0)
        return (Stamp){0};
    return (Stamp){.device = status.st_dev,
                   .inode = status.st_ino,
                   .size = status.st_size,
                   .changed = status.st_ctim};
}

static bool is_same(const Stamp *a, const Stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* A file that has just come in force counts as changed: it may have changed since it was read. */
static void look(Watch *watch, const char *file)
{
    Stamp now = {0};

    if (file != NULL)
        now = stamp_of(file);
    if (g_strcmp0(file, watch->file) != 0) {
        g_free(watch->file);
        *watch = (Watch){.file = g_strdup(file), .seen = now};
        return;
    }
    if (file != NULL && is_same(&now, &watch->seen) && !is_same(&now, &watch->read)) {
        watch->read = now;
        read_map_anew(file);
    }
    watch->seen = now;
}

static void *watch_map(void *unused G_GNUC_UNUSED)
{
    Watch watch = {0};
    LiveSettings live = {0};

    while (live_settings_take(&live)) {
        look(&watch, live.settings->domain_map);
        live_settings_release(&live);
        g_usleep(G_USEC_PER_SEC);
    }
    g_free(watch.file);
    return NULL;
}

bool reload_watch_map(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, watch_map, NULL) != 0)
        return false;
    pthread_setname_np(thread, "spfrom-map");
    pthread_detach(thread);
    return true;
}
