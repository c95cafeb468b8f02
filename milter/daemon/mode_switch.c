#include "config.h"

#include "daemon/mode_switch.h"

#include <pthread.h>

#include "base/log.h"
#include "daemon/mode_file.h"
#include "daemon/notify.h"

#define FILE_NAME "mode.json"
#define TEND_MAX (60 * CLOCK_SECOND) /* the wall clock may be set in between */

/* Set by mode_switch_start(), before there are threads. */
static const Clock *clock_used = &clock_system;
static char *file; /* NULL: nothing is kept */

typedef struct {
    ModeStatus status;
    gint64 deadline; /* monotonic; counts where status.until isn't 0, and whichever comes first */
    bool has_before;
    Mode before; /* with an end: the switch without one that it interrupts */
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
    if (!now_set.status.is_switch)
        return (ModeStatus){.mode = configured_now, .since = configured_since};
    if (!is_over(&now_set))
        return now_set.status;
    return (ModeStatus){.mode = now_set.has_before ? now_set.before : configured_now,
                        .is_switch = now_set.has_before,
                        .since = end_of(&now_set)};
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
static void take_over(const KeptMode *kept)
{
    ModeStatus status;

    now_set =
        (Switch){.status = {kept->mode, true, kept->since, kept->until},
                 .deadline = clock_monotonic(clock_used) + kept->until - clock_wall(clock_used),
                 .has_before = kept->has_before,
                 .before = kept->before};
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
    KeptMode kept;

    if (!mode_file_read(file, &kept, &error)) {
        if (!g_error_matches(error, MODE_FILE_ERROR, MODE_FILE_ERROR_ABSENT))
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
        return;
    }
    next->has_before = status.is_switch;
    next->before = status.mode;
}

void mode_switch_set(Mode mode, gint64 seconds, const char *who, ModeStatus *status)
{
    Switch next = make(mode, seconds);

    pthread_mutex_lock(&lock);
    if (seconds > 0)
        remember_before(&next);
    now_set = next;
    is_unsaved = true;
    pthread_mutex_unlock(&lock);
    *status = next.status;
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

/* Returns whether there is something to be saved, and takes that over: who asks saves it. */
static bool take_unsaved(bool *is_switch, KeptMode *kept)
{
    ModeStatus status;
    bool is_wanted;

    pthread_mutex_lock(&lock);
    is_wanted = is_unsaved;
    is_unsaved = false;
    status = current();
    *is_switch = status.is_switch;
    *kept = (KeptMode){.mode = status.mode,
                       .since = status.since,
                       .until = status.until,
                       .has_before = status.until != 0 && now_set.has_before,
                       .before = now_set.before};
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
    KeptMode kept;

    if (!take_unsaved(&is_switch, &kept) ||
        (is_switch ? mode_file_write(file, &kept, error) : mode_file_remove(file, error)))
        return true;
    give_back_unsaved();
    return false;
}

bool mode_switch_save(GError **error)
{
    bool is_saved;

    if (file == NULL) {
        g_set_error(error, MODE_FILE_ERROR, MODE_FILE_ERROR_SYSTEM, "state_dir is empty");
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
