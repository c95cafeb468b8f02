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
#define HERE_FILE_NAME "mode-here.json" /* the same for this host alone */
#define FILE_LENGTH_MAX 8192            /* octets; what is written has a few hundred */
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

/* Reads the last switch of the fleet; what is none is as if it were not there. */
static void read_last(const json_t *value, char text[MODE_SWITCH_LAST_MAX])
{
    char *dumped = json_is_object(value) ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    FleetSwitch last;

    text[0] = '\0';
    if (dumped != NULL && strlen(dumped) < MODE_SWITCH_LAST_MAX &&
        fleet_switch_parse(dumped, strlen(dumped), &last)) {
        fleet_switch_clear(&last);
        g_strlcpy(text, dumped, MODE_SWITCH_LAST_MAX);
    }
    free(dumped); /* jansson's */
}

static bool read_object(const json_t *json, ModeSwitchKept *kept)
{
    const char *mode = json_string_value(json_object_get(json, "mode"));

    read_last(json_object_get(json, "last"), kept->last);
    kept->is_cleared = json_object_get(json, "mode") == NULL && kept->last[0] != '\0';
    if (kept->is_cleared)
        return true;
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

    if (kept->is_cleared)
        return g_strdup_printf("{\"last\":%s}\n", kept->last);
    g_string_append_printf(text, "\"mode\":\"%s\",\"since\":\"%s\"", mode_text(kept->mode), since);
    if (until != NULL)
        g_string_append_printf(text, ",\"until\":\"%s\"", until);
    else
        g_string_append(text, ",\"until\":null");
    if (kept->has_before)
        g_string_append_printf(text, ",\"before\":\"%s\"", mode_text(kept->before));
    append_name(text, "who", kept->who);
    append_name(text, "before_who", kept->before_who);
    if (kept->last[0] != '\0')
        g_string_append_printf(text, ",\"last\":%s", kept->last);
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
static char *here_file;

typedef struct {
    ModeStatus status;
    gint64 deadline; /* monotonic; counts if status.until isn't 0, and whichever comes first */
    bool has_before;
    Mode before; /* with an end: the switch without one that it interrupts */
    char before_who[MODE_SWITCH_WHO_MAX];
} Switch;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static Switch now_set;      /* of the fleet, if there is one; status.is_switch: there is a switch */
static Switch here;         /* of this host alone: it goes before the other */
static Mode configured_now; /* the configuration's mode, and since when it would count */
static gint64 configured_since;
static char *host;       /* by which the fleet knows this host; NULL: it is alone */
static FleetSwitch last; /* the last one that is known of the fleet; host is NULL: none */
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

/* What comes after set, which is over and has interrupted another. */
static ModeStatus status_before(const Switch *set)
{
    ModeStatus status = {.mode = set->before,
                         .is_switch = true,
                         .is_here = set->status.is_here,
                         .since = end_of(set)};

    g_strlcpy(status.who, set->before_who, sizeof status.who);
    return status;
}

/* What is in force by set on top of what counts without it. The lock is held. */
static ModeStatus status_on(const Switch *set, const ModeStatus *below)
{
    ModeStatus status = *below;

    if (!set->status.is_switch)
        return status;
    if (!is_over(set)) {
        status = set->status;
        status.next = set->has_before ? set->before : below->mode;
        return status;
    }
    if (set->has_before)
        return status_before(set);
    if (!below->is_switch)
        status.since = end_of(set);
    return status;
}

/* What would be in force if nothing were switched for this host alone. The lock is held. */
static ModeStatus shared_now(void)
{
    const ModeStatus configured = {.mode = configured_now, .since = configured_since};

    return status_on(&now_set, &configured);
}

/* What is in force. The lock is held. */
static ModeStatus current(void)
{
    const ModeStatus shared = shared_now();
    ModeStatus status = status_on(&here, &shared);

    if (host != NULL && status.host[0] == '\0')
        g_strlcpy(status.host, host, sizeof status.host);
    return status;
}

/* Ends a switch, and what it has interrupted. The lock is held. */
static void end_switch(Switch *set, gint64 since)
{
    *set = (Switch){.deadline = 0};
    if (!now_set.status.is_switch)
        configured_since = since;
    is_unsaved = true; /* so that the file goes */
}

/* Ends a switch whose time is over. Returns whether it was. The lock is held. */
static bool end_overdue_switch(Switch *set)
{
    if (!set->status.is_switch || !is_over(set))
        return false;
    if (set->has_before)
        *set = (Switch){.status = status_before(set)};
    else
        end_switch(set, end_of(set));
    is_unsaved = true;
    return true;
}

/* from is the host where it was switched; NULL: this one. */
static void log_change(const ModeStatus *status, const char *who, const char *from)
{
    g_autoptr(GString) line = g_string_new("mode changed:");

    log_pair(line, "mode", mode_text(status->mode));
    log_pair(line, "by", status->is_switch ? "switch" : "configuration");
    if (status->is_here)
        log_pair(line, "here", "yes");
    if (status->until != 0) {
        g_autofree char *until = clock_rfc3339(status->until);

        log_pair(line, "until", until);
    }
    log_pair(line, "who", who);
    if (from != NULL)
        log_pair(line, "host", from);
    log_write(LOG_NOTICE, "%s", line->str);
    notify_status(mode_text(status->mode));
}

/* Until is rounded up: the deadline ends the switch to the microsecond, unless there was a restart.
 */
static Switch make(Mode mode, gint64 seconds, const char *who)
{
    gint64 wall = clock_wall(clock_used);
    Switch set = {.status = {.mode = mode, .is_switch = true, .since = whole_second(wall)}};

    if (seconds > 0) {
        set.status.until = whole_second(wall + CLOCK_SECOND - 1) + seconds * CLOCK_SECOND;
        set.deadline = clock_monotonic(clock_used) + seconds * CLOCK_SECOND;
    }
    g_strlcpy(set.status.who, who, sizeof set.status.who);
    return set;
}

/* --- the fleet --- */

/* Makes last of now_set, as made by this host at that time. The lock is held. */
static void note_last(gint64 at)
{
    bool is_switch = now_set.status.is_switch;
    const char *who = now_set.status.who;

    fleet_switch_clear(&last);
    last = (FleetSwitch){.at = at / CLOCK_MILLISECOND * CLOCK_MILLISECOND,
                         .host = g_strdup(host),
                         .is_cleared = !is_switch,
                         .mode = now_set.status.mode,
                         .until = now_set.status.until,
                         .has_before = now_set.status.until != 0 && now_set.has_before,
                         .before = now_set.before,
                         .who = is_switch && *who != '\0' ? g_strdup(who) : NULL};
}

/* now_set was switched or cleared here, just now. No clock locks anybody out: it is later than what
 * is known. The lock is held. */
static void note_made(void)
{
    gint64 now = clock_wall(clock_used);

    if (last.host != NULL)
        now = MAX(now, last.at + CLOCK_MILLISECOND);
    if (host != NULL)
        note_last(now);
    else
        fleet_switch_clear(&last);
}

void mode_switch_join(const char *name)
{
    pthread_mutex_lock(&lock);
    g_free(host);
    host = g_strdup(name);
    if (host != NULL && last.host == NULL && now_set.status.is_switch) {
        note_last(now_set.status.since);
        is_unsaved = true;
    }
    pthread_mutex_unlock(&lock);
}

bool mode_switch_last(FleetSwitch *made)
{
    bool is_known;

    pthread_mutex_lock(&lock);
    is_known = last.host != NULL;
    *made = last;
    made->host = g_strdup(last.host);
    made->who = g_strdup(last.who);
    pthread_mutex_unlock(&lock);
    return is_known;
}

/* Takes over a switch of the fleet. The lock is held. */
static void take_switch(const FleetSwitch *made)
{
    gint64 wall = clock_wall(clock_used);
    gint64 since = whole_second(MIN(made->at, wall));

    fleet_switch_clear(&last);
    last = *made;
    last.host = g_strdup(made->host);
    last.who = g_strdup(made->who);
    end_switch(&now_set, since);
    if (made->is_cleared)
        return;
    now_set = (Switch){
        .status = {.mode = made->mode, .is_switch = true, .since = since, .until = made->until},
        .deadline = clock_monotonic(clock_used) + made->until - wall,
        .has_before = made->has_before,
        .before = made->before};
    g_strlcpy(now_set.status.who, made->who != NULL ? made->who : "", sizeof now_set.status.who);
    g_strlcpy(now_set.status.host, made->host, sizeof now_set.status.host);
    end_overdue_switch(&now_set);
}

bool mode_switch_learn(const FleetSwitch *made)
{
    ModeStatus before;
    ModeStatus after;
    bool is_later;

    pthread_mutex_lock(&lock);
    is_later = host != NULL && (last.host == NULL || fleet_switch_compare(made, &last) > 0);
    before = current();
    if (is_later)
        take_switch(made);
    after = current();
    pthread_mutex_unlock(&lock);
    if (before.mode != after.mode || before.is_switch != after.is_switch ||
        before.until != after.until)
        log_change(&after, made->who != NULL ? made->who : "-", made->host);
    return is_later;
}

/* --- the start --- */

/* Takes over what was kept, or what it interrupted. */
static void take_over(Switch *set, const ModeSwitchKept *kept)
{
    bool is_here = set == &here;

    if (!is_here && kept->last[0] != '\0')
        fleet_switch_parse(kept->last, strlen(kept->last), &last);
    if (kept->is_cleared)
        return;
    *set = (Switch){.status = {.mode = kept->mode,
                               .is_switch = true,
                               .is_here = is_here,
                               .since = kept->since,
                               .until = kept->until},
                    .deadline = clock_monotonic(clock_used) + kept->until - clock_wall(clock_used),
                    .has_before = kept->has_before,
                    .before = kept->before};
    g_strlcpy(set->status.who, kept->who, sizeof set->status.who);
    g_strlcpy(set->before_who, kept->before_who, sizeof set->before_who);
    if (!is_here && last.host != NULL)
        g_strlcpy(set->status.host, last.host, sizeof set->status.host);
    if (end_overdue_switch(set)) {
        log_write(LOG_NOTICE, "mode switch to %s ended while the daemon did not run",
                  mode_text(kept->mode));
        configured_since = whole_second(clock_wall(clock_used)); /* it counts since the start */
    }
}

static void read_file(const char *name, Switch *set)
{
    g_autoptr(GError) error = NULL;
    ModeSwitchKept kept;

    if (read_kept(name, &kept, &error))
        take_over(set, &kept);
    else if (!g_error_matches(error, MODE_SWITCH_ERROR, MODE_SWITCH_ERROR_ABSENT))
        log_write(LOG_WARNING, "mode switch not known any more, the configuration counts: %s",
                  error->message);
}

static void read_files(void)
{
    ModeStatus status;

    read_file(file, &now_set);
    read_file(here_file, &here);
    status = current();
    if (status.is_switch)
        log_change(&status, "the last run", NULL);
}

void mode_switch_start(const char *state_dir, Mode configured, const Clock *clock)
{
    clock_used = clock;
    g_free(file);
    g_free(here_file);
    file = state_dir != NULL ? g_build_filename(state_dir, FILE_NAME, NULL) : NULL;
    here_file = state_dir != NULL ? g_build_filename(state_dir, HERE_FILE_NAME, NULL) : NULL;
    now_set = (Switch){.deadline = 0};
    here = (Switch){.deadline = 0};
    g_clear_pointer(&host, g_free);
    fleet_switch_clear(&last);
    configured_now = configured;
    configured_since = whole_second(clock_wall(clock));
    is_unsaved = false;
    if (file != NULL)
        read_files();
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
        log_change(&status, "a reload", NULL);
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

/* --- switching --- */

/* What counts once next, which has an end, is over: set is what it takes the place of. The lock is
 * held. */
static void remember_before(const Switch *set, Switch *next)
{
    const ModeStatus none = {.mode = configured_now};
    ModeStatus status = status_on(set, &none);

    if (status.until != 0) { /* one with an end gives way to another */
        next->has_before = set->has_before;
        next->before = set->before;
        g_strlcpy(next->before_who, set->before_who, sizeof next->before_who);
        return;
    }
    next->has_before = status.is_switch;
    next->before = status.mode;
    g_strlcpy(next->before_who, status.who, sizeof next->before_who);
}

/* The lock is held. */
static void put_switch(Switch *set, Mode mode, gint64 seconds, const char *who)
{
    Switch next = make(mode, seconds, who);

    if (seconds > 0)
        remember_before(set, &next);
    next.status.is_here = set == &here;
    *set = next;
    is_unsaved = true;
}

void mode_switch_set(Mode mode, gint64 seconds, const char *who, ModeStatus *status)
{
    pthread_mutex_lock(&lock);
    put_switch(&now_set, mode, seconds, who);
    note_made();
    *status = current();
    pthread_mutex_unlock(&lock);
    log_change(status, who, NULL);
}

void mode_switch_set_here(Mode mode, gint64 seconds, const char *who, ModeStatus *status)
{
    pthread_mutex_lock(&lock);
    put_switch(&here, mode, seconds, who);
    *status = current();
    pthread_mutex_unlock(&lock);
    log_change(status, who, NULL);
}

static void clear(Switch *set, const char *who, ModeStatus *status)
{
    bool was_switched;

    pthread_mutex_lock(&lock);
    was_switched = set->status.is_switch;
    if (was_switched)
        end_switch(set, whole_second(clock_wall(clock_used)));
    if (set == &now_set && (was_switched || host != NULL)) {
        note_made();
        is_unsaved = true;
    }
    *status = current();
    pthread_mutex_unlock(&lock);
    if (was_switched)
        log_change(status, who, NULL);
}

void mode_switch_clear(const char *who, ModeStatus *status)
{
    clear(&now_set, who, status);
}

void mode_switch_clear_here(const char *who, ModeStatus *status)
{
    clear(&here, who, status);
}

/* --- the files --- */

/* What is to be kept of set, or that nothing is. The lock is held. */
static bool keep(const Switch *set, ModeSwitchKept *kept)
{
    const ModeStatus none = {.mode = configured_now};
    ModeStatus status = status_on(set, &none);

    *kept = (ModeSwitchKept){.mode = status.mode,
                             .since = status.since,
                             .until = status.until,
                             .has_before = status.until != 0 && set->has_before,
                             .before = set->before};
    g_strlcpy(kept->who, status.who, sizeof kept->who);
    if (kept->has_before)
        g_strlcpy(kept->before_who, set->before_who, sizeof kept->before_who);
    if (set == &now_set && last.host != NULL) {
        g_autofree char *text = fleet_switch_text(&last);

        if (g_strlcpy(kept->last, text, sizeof kept->last) >= sizeof kept->last)
            kept->last[0] = '\0';
        kept->is_cleared = !status.is_switch && kept->last[0] != '\0';
    }
    return status.is_switch || kept->is_cleared;
}

typedef struct {
    bool is_kept;
    ModeSwitchKept kept;
} Content;

/* Returns whether there is something to be saved, and takes that over: the caller saves it. */
static bool take_unsaved(Content *shared, Content *alone)
{
    bool is_wanted;

    pthread_mutex_lock(&lock);
    is_wanted = is_unsaved;
    is_unsaved = false;
    shared->is_kept = keep(&now_set, &shared->kept);
    alone->is_kept = keep(&here, &alone->kept);
    pthread_mutex_unlock(&lock);
    return is_wanted;
}

static void give_back_unsaved(void)
{
    pthread_mutex_lock(&lock);
    is_unsaved = true;
    pthread_mutex_unlock(&lock);
}

static bool save(const char *name, const Content *content, GError **error)
{
    return content->is_kept ? write_kept(name, &content->kept, error) : remove_kept(name, error);
}

static bool save_locked(GError **error)
{
    Content shared;
    Content alone;

    if (!take_unsaved(&shared, &alone) ||
        (save(file, &shared, error) && save(here_file, &alone, error)))
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

/* How long set lasts from now on, at most TEND_MAX. The lock is held. */
static gint64 left_of(const Switch *set)
{
    if (set->status.until == 0)
        return TEND_MAX;
    return MIN(TEND_MAX, MIN(set->deadline - clock_monotonic(clock_used),
                             set->status.until - clock_wall(clock_used)));
}

/* Forgets a switch whose time is over. Returns how long those in force last. */
static gint64 end_overdue(bool *has_ended, ModeStatus *status)
{
    bool has_here_ended;
    gint64 left;

    pthread_mutex_lock(&lock);
    has_here_ended = end_overdue_switch(&here);
    *has_ended = end_overdue_switch(&now_set) || has_here_ended;
    *status = current();
    left = MIN(left_of(&now_set), left_of(&here));
    pthread_mutex_unlock(&lock);
    return MAX(left, 0);
}

gint64 mode_switch_tend(void)
{
    ModeStatus status;
    bool has_ended;
    gint64 left = end_overdue(&has_ended, &status);

    if (has_ended)
        log_change(&status, "the switch is over", NULL);
    if (file != NULL)
        mode_switch_save(NULL);
    return left;
}
