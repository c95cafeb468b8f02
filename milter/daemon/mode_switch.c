#include "config.h"

#include "daemon/mode_switch.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/notify.h"

#define FILE_NAME "mode.json"
#define FILE_LENGTH_MAX 4096 /* octets; what is written has about 100 */
#define FILE_MODE 0644
#define TEND_MAX (60 * CLOCK_SECOND) /* the wall clock may be set in between */

G_DEFINE_QUARK(spfrom_mode_switch_error, mode_switch_error)

static bool set_system_error(const char *file, int number, GError **error)
{
    g_set_error(error, MODE_SWITCH_ERROR,
                number == ENOENT ? MODE_SWITCH_ERROR_ABSENT : MODE_SWITCH_ERROR_SYSTEM, "%s: %s",
                file, g_strerror(number));
    return false;
}

/* Returns how many octets of file are in text, at most FILE_LENGTH_MAX; -1 with errno set. */
static ssize_t read_octets(const char *file, char text[FILE_LENGTH_MAX])
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t length = fd < 0 ? -1 : read(fd, text, FILE_LENGTH_MAX);
    int number = errno;

    if (fd >= 0)
        close(fd);
    errno = number;
    return length;
}

/* Reads a time, which may be null if is_optional: 0. */
static bool read_time(const json_t *value, bool is_optional, gint64 *wall)
{
    *wall = clock_rfc3339_parse(json_string_value(value));
    return *wall > 0 || (is_optional && json_is_null(value));
}

/* Reads a mode, which may be null or left out: *is_there then is false. */
static bool read_before(const json_t *value, bool *is_there, Mode *mode)
{
    *is_there = value != NULL && !json_is_null(value);
    return !*is_there || (json_is_string(value) && mode_parse(json_string_value(value), mode));
}

/* Reads a name, which files of older versions don't have. */
static void read_name(const json_t *value, char name[MODE_SWITCH_WHO_MAX])
{
    const char *text = json_string_value(value);

    g_strlcpy(name, text != NULL ? text : "", MODE_SWITCH_WHO_MAX);
}

static bool read_object(const json_t *json, ModeSwitchKept *kept)
{
    const char *mode = json_string_value(json_object_get(json, "mode"));

    read_name(json_object_get(json, "who"), kept->who);
    read_name(json_object_get(json, "before_who"), kept->before_who);
    return mode != NULL && mode_parse(mode, &kept->mode) &&
           read_before(json_object_get(json, "before"), &kept->has_before, &kept->before) &&
           read_time(json_object_get(json, "since"), false, &kept->since) &&
           read_time(json_object_get(json, "until"), true, &kept->until);
}

bool mode_switch_parse(const char *text, gsize length, ModeSwitchKept *kept)
{
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    bool is_read = read_object(json, kept);

    json_decref(json);
    return is_read;
}

static bool read_kept(const char *file, ModeSwitchKept *kept, GError **error)
{
    char text[FILE_LENGTH_MAX];
    ssize_t length = read_octets(file, text);

    if (length < 0)
        return set_system_error(file, errno, error);
    if (mode_switch_parse(text, (gsize)length, kept))
        return true;
    g_set_error(error, MODE_SWITCH_ERROR, MODE_SWITCH_ERROR_CONTENT,
                "%s: this is not what spfrom-milter wrote", file);
    return false;
}

static void append_name(GString *text, const char *member, const char *name)
{
    json_t *json = *name != '\0' ? json_string(name) : NULL;
    char *quoted = json != NULL ? json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

    if (quoted != NULL)
        g_string_append_printf(text, ",\"%s\":%s", member, quoted);
    free(quoted); /* jansson's */
    json_decref(json);
}

char *mode_switch_text(const ModeSwitchKept *kept)
{
    g_autofree char *since = clock_rfc3339(kept->since);
    g_autofree char *until = kept->until != 0 ? clock_rfc3339(kept->until) : NULL;

    g_autoptr(GString) text = g_string_new("{");

    g_string_append_printf(text, "\"mode\":\"%s\",\"since\":\"%s\"", mode_text(kept->mode), since);
    if (until != NULL)
        g_string_append_printf(text, ",\"until\":\"%s\"", until);
    else
        g_string_append(text, ",\"until\":null");
    if (kept->has_before)
        g_string_append_printf(text, ",\"before\":\"%s\"", mode_text(kept->before));
    append_name(text, "who", kept->who);
    append_name(text, "before_who", kept->before_who);
    g_string_append(text, "}\n");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool write_kept(const char *file, const ModeSwitchKept *kept, GError **error)
{
    g_autofree char *text = mode_switch_text(kept);
    g_autoptr(GError) cause = NULL;

    if (g_file_set_contents_full(file, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                 FILE_MODE, &cause))
        return true;
    g_set_error_literal(error, MODE_SWITCH_ERROR, MODE_SWITCH_ERROR_SYSTEM, cause->message);
    return false;
}

/* A removal is on the disk when its folder is. */
static void sync_folder(const char *file)
{
    g_autofree char *folder = g_path_get_dirname(file);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

static bool remove_kept(const char *file, GError **error)
{
    if (g_unlink(file) != 0)
        return errno == ENOENT || set_system_error(file, errno, error);
    sync_folder(file);
    return true;
}

/* Set by mode_switch_start(), before there are threads. */
static const Clock *clock_used = &clock_system;
static char *file; /* NULL: nothing is kept */

typedef struct {
    ModeStatus status;
    gint64 deadline; /* monotonic; counts if status.until isn't 0, and whichever comes first */
    bool has_before;
    Mode before; /* with an end: the switch without one that it interrupts */
    char before_who[MODE_SWITCH_WHO_MAX];
} Switch;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static Switch now_set;                                   /* status.is_switch: there is a switch */
static Mode configured_now; /* the configuration's mode, and since when it would count */
static gint64 configured_since;
static bool is_unsaved;

/* One write at a time, so that the last one is of the last change. Taken before the other. */
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;

static gint64 whole_second(gint64 wall)
{
    return wall / CLOCK_SECOND * CLOCK_SECOND;
}

static bool is_over(const Switch *set)
{
    return set->status.until != 0 && (clock_wall(clock_used) >= set->status.until ||
                                      clock_monotonic(clock_used) >= set->deadline);
}

/* When a switch that is over ended. */
static gint64 end_of(const Switch *set)
{
    return MIN(set->status.until, whole_second(clock_wall(clock_used)));
}

/* What is in force. The lock is held. */
static ModeStatus current(void)
{
    Mode next = now_set.has_before ? now_set.before : configured_now;
    ModeStatus status;

    if (!now_set.status.is_switch)
        return (ModeStatus){.mode = configured_now, .since = configured_since};
    if (!is_over(&now_set)) {
        status = now_set.status;
        status.next = next;
        return status;
    }
    status = (ModeStatus){.mode = next, .is_switch = now_set.has_before, .since = end_of(&now_set)};
    if (now_set.has_before)
        g_strlcpy(status.who, now_set.before_who, sizeof status.who);
    return status;
}

/* Ends the switch, and what it has interrupted. The lock is held. */
static void end_switch(gint64 since)
{
    now_set = (Switch){.deadline = 0};
    configured_since = since;
    is_unsaved = true; /* so that the file goes */
}

/* Ends a switch whose time is over. The lock is held. */
static void end_overdue_switch(void)
{
    ModeStatus status = current();

    if (!status.is_switch) {
        end_switch(status.since);
        return;
    }
    now_set = (Switch){.status = status};
    is_unsaved = true;
}

static void log_change(const ModeStatus *status, const char *who)
{
    g_autoptr(GString) line = g_string_new("mode changed:");

    log_pair(line, "mode", mode_text(status->mode));
    log_pair(line, "by", status->is_switch ? "switch" : "configuration");
    if (status->until != 0) {
        g_autofree char *until = clock_rfc3339(status->until);

        log_pair(line, "until", until);
    }
    log_pair(line, "who", who);
    log_write(LOG_NOTICE, "%s", line->str);
    notify_status(mode_text(status->mode));
}

/* Until is rounded up: the deadline ends the switch to the microsecond, unless there was a restart.
 */
static Switch make(Mode mode, gint64 seconds)
{
    gint64 wall = clock_wall(clock_used);
    Switch set = {.status = {.mode = mode, .is_switch = true, .since = whole_second(wall)}};

    if (seconds > 0) {
        set.status.until = whole_second(wall + CLOCK_SECOND - 1) + seconds * CLOCK_SECOND;
        set.deadline = clock_monotonic(clock_used) + seconds * CLOCK_SECOND;
    }
    return set;
}

/* Takes over what was kept, or what it interrupted. */
static void take_over(const ModeSwitchKept *kept)
{
    ModeStatus status;

    now_set =
        (Switch){.status = {.mode = kept->mode,
                            .is_switch = true,
                            .since = kept->since,
                            .until = kept->until},
                 .deadline = clock_monotonic(clock_used) + kept->until - clock_wall(clock_used),
                 .has_before = kept->has_before,
                 .before = kept->before};
    g_strlcpy(now_set.status.who, kept->who, sizeof now_set.status.who);
    g_strlcpy(now_set.before_who, kept->before_who, sizeof now_set.before_who);
    if (is_over(&now_set)) {
        log_write(LOG_NOTICE, "mode switch to %s ended while the daemon did not run",
                  mode_text(kept->mode));
        end_overdue_switch();
        configured_since = whole_second(clock_wall(clock_used)); /* it counts since the start */
    }
    status = current();
    if (status.is_switch)
        log_change(&status, "the last run");
}

static void read_file(void)
{
    g_autoptr(GError) error = NULL;
    ModeSwitchKept kept;

    if (!read_kept(file, &kept, &error)) {
        if (!g_error_matches(error, MODE_SWITCH_ERROR, MODE_SWITCH_ERROR_ABSENT))
            log_write(LOG_WARNING, "mode switch not known any more, the configuration counts: %s",
                      error->message);
        return;
    }
    take_over(&kept);
}

void mode_switch_start(const char *state_dir, Mode configured, const Clock *clock)
{
    clock_used = clock;
    g_free(file);
    file = state_dir != NULL ? g_build_filename(state_dir, FILE_NAME, NULL) : NULL;
    now_set = (Switch){.deadline = 0};
    configured_now = configured;
    configured_since = whole_second(clock_wall(clock));
    is_unsaved = false;
    if (file != NULL)
        read_file();
}

void mode_switch_configure(Mode configured)
{
    ModeStatus status;
    bool has_changed;

    pthread_mutex_lock(&lock);
    has_changed = configured != configured_now;
    if (has_changed)
        configured_since = whole_second(clock_wall(clock_used));
    configured_now = configured;
    status = current();
    pthread_mutex_unlock(&lock);
    if (has_changed && !status.is_switch)
        log_change(&status, "a reload");
}

void mode_switch_get(ModeStatus *status)
{
    pthread_mutex_lock(&lock);
    *status = current();
    pthread_mutex_unlock(&lock);
}

ModeInForce mode_switch_in_force(Mode configured)
{
    ModeStatus status;

    mode_switch_get(&status);
    return (ModeInForce){.mode = status.is_switch ? status.mode : configured,
                         .is_switch = status.is_switch};
}

/* What counts once next, which has an end, is over. The lock is held. */
static void remember_before(Switch *next)
{
    ModeStatus status = current();

    if (status.until != 0) { /* one with an end gives way to another */
        next->has_before = now_set.has_before;
        next->before = now_set.before;
        g_strlcpy(next->before_who, now_set.before_who, sizeof next->before_who);
        return;
    }
    next->has_before = status.is_switch;
    next->before = status.mode;
    g_strlcpy(next->before_who, status.who, sizeof next->before_who);
}

void mode_switch_set(Mode mode, gint64 seconds, const char *who, ModeStatus *status)
{
    Switch next = make(mode, seconds);

    g_strlcpy(next.status.who, who, sizeof next.status.who);
    pthread_mutex_lock(&lock);
    if (seconds > 0)
        remember_before(&next);
    now_set = next;
    is_unsaved = true;
    *status = current();
    pthread_mutex_unlock(&lock);
    log_change(status, who);
}

void mode_switch_clear(const char *who, ModeStatus *status)
{
    bool was_switched;

    pthread_mutex_lock(&lock);
    was_switched = now_set.status.is_switch;
    if (was_switched)
        end_switch(whole_second(clock_wall(clock_used)));
    *status = current();
    pthread_mutex_unlock(&lock);
    if (was_switched)
        log_change(status, who);
}

/* Returns whether there is something to be saved, and takes that over: the caller saves it. */
static bool take_unsaved(bool *is_switch, ModeSwitchKept *kept)
{
    ModeStatus status;
    bool is_wanted;

    pthread_mutex_lock(&lock);
    is_wanted = is_unsaved;
    is_unsaved = false;
    status = current();
    *is_switch = status.is_switch;
    *kept = (ModeSwitchKept){.mode = status.mode,
                             .since = status.since,
                             .until = status.until,
                             .has_before = status.until != 0 && now_set.has_before,
                             .before = now_set.before};
    g_strlcpy(kept->who, status.who, sizeof kept->who);
    if (kept->has_before)
        g_strlcpy(kept->before_who, now_set.before_who, sizeof kept->before_who);
    pthread_mutex_unlock(&lock);
    return is_wanted;
}

static void give_back_unsaved(void)
{
    pthread_mutex_lock(&lock);
    is_unsaved = true;
    pthread_mutex_unlock(&lock);
}

static bool save_locked(GError **error)
{
    bool is_switch;
    ModeSwitchKept kept;

    if (!take_unsaved(&is_switch, &kept) ||
        (is_switch ? write_kept(file, &kept, error) : remove_kept(file, error)))
        return true;
    give_back_unsaved();
    return false;
}

bool mode_switch_save(GError **error)
{
    bool is_saved;

    if (file == NULL) {
        g_set_error(error, MODE_SWITCH_ERROR, MODE_SWITCH_ERROR_SYSTEM, "state_dir is empty");
        return false;
    }
    pthread_mutex_lock(&file_lock);
    is_saved = save_locked(error);
    pthread_mutex_unlock(&file_lock);
    return is_saved;
}

/* Forgets a switch whose time is over. Returns how long the one in force lasts, at most TEND_MAX.
 */
static gint64 end_overdue(bool *has_ended, ModeStatus *status)
{
    gint64 left = TEND_MAX;

    pthread_mutex_lock(&lock);
    *has_ended = now_set.status.is_switch && is_over(&now_set);
    if (*has_ended)
        end_overdue_switch();
    *status = current();
    if (status->until != 0)
        left = MIN(left, MIN(now_set.deadline - clock_monotonic(clock_used),
                             status->until - clock_wall(clock_used)));
    pthread_mutex_unlock(&lock);
    return MAX(left, 0);
}

gint64 mode_switch_tend(void)
{
    ModeStatus status;
    bool has_ended;
    gint64 left = end_overdue(&has_ended, &status);

    if (has_ended)
        log_change(&status, "the switch is over");
    if (file != NULL)
        mode_switch_save(NULL);
    return left;
}
