#include "config.h"

#include "daemon/map_watch.h"

#include <glib.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/log.h"
#include "daemon/live_settings.h"

/* What tells one state of a file from another, as far as can be seen without reading it. All zero:
 * it is not there. */
typedef struct {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed; /* the inode: also where the time of the content is set back */
} Stamp;

typedef struct {
    char *file; /* whose stamps these are; NULL: nothing is watched */
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

static void read_anew(const char *file)
{
    g_autoptr(GError) error = NULL;

    switch (live_settings_reload_map(&error)) {
    case LIVE_SETTINGS_SAME:
        return;
    case LIVE_SETTINGS_NEW:
        log_write(LOG_NOTICE, "domain_map read anew: %s", file);
        return;
    case LIVE_SETTINGS_FAILED:
        log_write(LOG_ERR, "domain_map not read anew, the old one stays: %s", error->message);
        return;
    }
}

/* One look. A file that has just come in force counts as changed: it may have been since it was
 * read. */
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
        read_anew(file);
    }
    watch->seen = now;
}

static void *run(void *unused G_GNUC_UNUSED)
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

bool map_watch_start(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, NULL) != 0)
        return false;
    pthread_setname_np(thread, "spfrom-map");
    pthread_detach(thread);
    return true;
}
