#include "config.h"

#include "daemon/ledger_writer.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "ledger/ledger.h"
#include "base/clock.h"
#include "base/log.h"
#include "ledger/ledger_share.h"
#include "ledger/ledger_tally.h"
#include "daemon/metrics.h"

#define FOLDER_MODE 0755
#define CLOCK_JUMP 7 /* days: a clock that moved as far on its own is not believed at once */

/* What messages and the thread share. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all of shared */
static pthread_cond_t woken;                             /* there is something to do */
static pthread_cond_t ended;                             /* is_running has become false */
static struct {
    bool is_running;
    bool is_stopping;
    LedgerTally *tally;        /* NULL unless is_running */
    gint64 first_added;        /* monotonic; of the tally, if it is not empty */
    guint32 day;               /* the one of the last message … */
    gint64 day_begin, day_end; /* … and its wall time */
    LedgerWriterStatus status; /* waiting is of the thread's tally alone */
    LedgerShare *share;        /* NULL: there was no fleet yet */
} shared;

static Fleet *(*take_fleet)(void); /* set before there is a thread; NULL: there is no fleet */

/* The thread's own. */
typedef struct {
    Settings *(*take_settings)(void);
    char *state_dir;      /* at the start: another one needs a restart */
    char *file;           /* NULL: no ledger */
    guint days;           /* that are kept */
    Ledger *ledger;       /* NULL: not open */
    LedgerTally *backlog; /* not written yet */
    gint64 retry_at;      /* monotonic; 0: nothing is wrong */
    guint32 expired_day;  /* the day on which old days were deleted last; 0: none */
    guint32 known_day;    /* of the last write; 0: none yet */
    gint64 known_at;      /* monotonic; when that was */
    guint32 doubtful_day; /* on which nothing is deleted; 0: none */
    bool is_overflow_told;
} Writer;

/* What is told apart of a decision: nothing is known of a domain that was not looked up. */
static guint result_of(const Decision *decision)
{
    const Plan *plan = decision != NULL ? decision->plan : NULL;

    if (plan == NULL)
        return LEDGER_UNCHECKED;
    if (plan->dkim != NULL)
        return LEDGER_DKIM;
    if (plan->verdict != NULL)
        return plan->verdict->result;
    return plan->domain == NULL && plan->result == SPF_NONE ? SPF_NONE : LEDGER_UNCHECKED;
}

/* Whose key kept the author counts, also where a stranger's envelope decided what became of it. */
static const char *domain_of(const Decision *decision)
{
    const Plan *plan = decision != NULL ? decision->plan : NULL;

    if (plan != NULL && plan->dkim != NULL)
        return plan->dkim_domain;
    return plan != NULL && plan->domain != NULL ? plan->domain : LEDGER_NO_DOMAIN;
}

static guint32 day_of_locked(gint64 now)
{
    if (now < shared.day_begin || now >= shared.day_end) {
        shared.day = ledger_day_of(now);
        shared.day_begin = ledger_day_begin(shared.day);
        shared.day_end = ledger_day_begin(shared.day + 1);
    }
    return shared.day;
}

static void add_locked(LedgerRow *row)
{
    guint64 messages;

    row->day = day_of_locked(row->first);
    ledger_tally_add(shared.tally, row);
    messages = ledger_tally_messages(shared.tally);
    if (messages == 1)
        shared.first_added = g_get_monotonic_time();
    if (messages == 1 || messages == LEDGER_WRITER_BATCH)
        pthread_cond_signal(&woken);
}

/* settings are NULL if they are not known. */
static void add(Settings *settings, LedgerRow *row)
{
    if (settings != NULL && settings->ledger == NULL)
        return;
    pthread_mutex_lock(&lock);
    if (shared.is_running)
        add_locked(row);
    pthread_mutex_unlock(&lock);
}

void ledger_writer_add(Settings *settings, MessageAction action, const Decision *decision)
{
    gint64 now = g_get_real_time();
    LedgerRow row = {.domain = domain_of(decision),
                     .result = result_of(decision),
                     .action = action,
                     .messages = 1,
                     .first = now,
                     .last = now};

    add(settings, &row);
}

void ledger_writer_add_returned(Settings *settings, const char *domain, ReturnKind kind)
{
    gint64 now = g_get_real_time();
    LedgerRow row = {.domain = domain,
                     .result = LEDGER_UNCHECKED,
                     .action = MESSAGE_ACTION_INBOUND,
                     .messages = 1,
                     .first = now,
                     .last = now,
                     .returned = kind + 1};

    add(settings, &row);
}

void ledger_writer_status(LedgerWriterStatus *status)
{
    pthread_mutex_lock(&lock);
    *status = shared.status;
    status->file = g_strdup(status->file);
    if (shared.share != NULL)
        status->is_unsent = ledger_share_is_unsent(shared.share);
    status->trouble = g_strdup(status->trouble);
    if (shared.is_running)
        status->waiting += ledger_tally_messages(shared.tally);
    pthread_mutex_unlock(&lock);
}

void ledger_writer_status_clear(LedgerWriterStatus *status)
{
    g_clear_pointer(&status->file, g_free);
    g_clear_pointer(&status->trouble, g_free);
}

/* When is there something to do; 0: now, G_MAXINT64: not before something is added. */
static gint64 next_locked(const Writer *writer)
{
    guint64 messages = ledger_tally_messages(shared.tally);

    if (shared.is_stopping)
        return 0;
    if (writer->retry_at != 0)
        return writer->retry_at;
    if (messages >= LEDGER_WRITER_BATCH)
        return 0;
    return messages > 0 ? shared.first_added + LEDGER_WRITER_SPAN : G_MAXINT64;
}

static void wait_locked(pthread_cond_t *condition, gint64 until)
{
    const struct timespec deadline = {.tv_sec = until / CLOCK_SECOND,
                                      .tv_nsec = until % CLOCK_SECOND * 1000};

    if (until == G_MAXINT64)
        pthread_cond_wait(condition, &lock);
    else
        pthread_cond_timedwait(condition, &lock, &deadline);
}

static void add_to_backlog(Writer *writer, LedgerTally *taken)
{
    if (ledger_tally_messages(writer->backlog) > 0) {
        ledger_tally_add_all(writer->backlog, taken);
        ledger_tally_free(taken);
        return;
    }
    ledger_tally_free(writer->backlog);
    writer->backlog = taken;
}

/* Waits for something to do, and moves what was added into the backlog. Returns false if it is
 * the last time. */
static bool wait_for_batch(Writer *writer)
{
    LedgerTally *empty = ledger_tally_new();
    LedgerTally *taken;
    bool is_last;
    gint64 until;

    pthread_mutex_lock(&lock);
    while ((until = next_locked(writer)) > g_get_monotonic_time())
        wait_locked(&woken, until);
    taken = shared.tally;
    shared.tally = empty;
    shared.status.waiting += ledger_tally_messages(taken);
    is_last = shared.is_stopping;
    pthread_mutex_unlock(&lock);
    add_to_backlog(writer, taken);
    return !is_last;
}

static void put_status(const Writer *writer, const char *trouble, guint64 written)
{
    pthread_mutex_lock(&lock);
    if (g_strcmp0(shared.status.file, writer->file) != 0) {
        g_free(shared.status.file);
        shared.status.file = g_strdup(writer->file);
    }
    g_free(shared.status.trouble);
    shared.status.trouble = g_strdup(trouble);
    shared.status.waiting = ledger_tally_messages(writer->backlog);
    shared.status.written += written;
    if (written > 0)
        shared.status.written_at = g_get_real_time();
    pthread_mutex_unlock(&lock);
}

static void empty_backlog(Writer *writer)
{
    ledger_tally_free(writer->backlog);
    writer->backlog = ledger_tally_new();
    writer->is_overflow_told = false;
}

/* An outage is logged when it begins; once more if domains can't be told apart any more. */
static void note_trouble(Writer *writer, const GError *error)
{
    guint64 others = ledger_tally_others(writer->backlog);

    metrics_count_ledger_error();
    if (writer->retry_at == 0)
        log_write(LOG_ERR, "ledger: %s; mail goes on, and counts wait in memory", error->message);
    if (others > 0 && !writer->is_overflow_told) {
        writer->is_overflow_told = true;
        log_write(LOG_WARNING,
                  "ledger: more than %u counts wait in memory; those of more domains are added up "
                  "as \"%s\"",
                  LEDGER_TALLY_ROWS_MAX, LEDGER_OTHER_DOMAINS);
    }
    writer->retry_at = g_get_monotonic_time() + LEDGER_WRITER_RETRY_SECONDS * CLOCK_SECOND;
    put_status(writer, error->message, 0);
}

/* From the first fleet on. */
static void share_file(const Writer *writer)
{
    g_autoptr(Fleet) fleet = take_fleet != NULL ? take_fleet() : NULL;
    LedgerShare *share = shared.share; /* only this thread sets it */

    if (fleet != NULL && share == NULL) {
        share = ledger_share_start(take_fleet);
        pthread_mutex_lock(&lock);
        shared.share = share;
        pthread_mutex_unlock(&lock);
    }
    if (share != NULL)
        ledger_share_set_file(share, writer->file, writer->days);
}

static void share_rows(const Writer *writer)
{
    g_autoptr(GPtrArray) rows = ledger_tally_rows(writer->backlog);

    if (shared.share != NULL)
        ledger_share_note(shared.share, rows);
}

/* What is left is told. */
static void end_sharing(void)
{
    LedgerShare *share = shared.share;
    bool is_unsent;

    if (share == NULL)
        return;
    pthread_mutex_lock(&lock);
    shared.share = NULL;
    shared.status.is_unsent = true;
    pthread_mutex_unlock(&lock);
    is_unsent = ledger_share_stop(share);
    pthread_mutex_lock(&lock);
    shared.status.is_unsent = is_unsent;
    pthread_mutex_unlock(&lock);
}

static void note_success(Writer *writer)
{
    guint64 written = ledger_tally_messages(writer->backlog);

    if (writer->retry_at != 0)
        log_write(LOG_NOTICE,
                  "ledger: %s: can be written again; %" G_GUINT64_FORMAT
                  " messages that waited are in it",
                  writer->file, written);
    writer->retry_at = 0;
    share_rows(writer);
    empty_backlog(writer);
    put_status(writer, NULL, written);
}

/* Opens the file if it is not open. Its folder is made, if that can be done. */
static bool open_file(Writer *writer, GError **error)
{
    g_autofree char *folder = NULL;

    if (writer->ledger != NULL && ledger_is_moved(writer->ledger)) {
        log_write(LOG_WARNING, "ledger: %s: was moved or deleted; a new one is begun",
                  writer->file);
        g_clear_pointer(&writer->ledger, ledger_close);
    }
    if (writer->ledger != NULL)
        return true;
    folder = g_path_get_dirname(writer->file);
    mkdir(folder, FOLDER_MODE);
    writer->ledger = ledger_open(writer->file, error);
    return writer->ledger != NULL;
}

static bool write_backlog(Writer *writer, GError **error)
{
    g_autoptr(GPtrArray) rows = ledger_tally_rows(writer->backlog);

    if (!open_file(writer, error))
        return false;
    if (rows->len == 0 || ledger_write(writer->ledger, rows, error))
        return true;
    /* Opened anew the next time: the trouble may be with the file that is open. */
    g_clear_pointer(&writer->ledger, ledger_close);
    return false;
}

/* Returns false with error if there can't be a new file. */
static bool begin_anew(Writer *writer, const GError *why, GError **error)
{
    g_autofree char *aside = database_move_aside(writer->file, g_get_real_time(), error);

    if (aside == NULL)
        return false;
    metrics_count_ledger_error();
    log_write(LOG_ERR, "ledger: %s; the file is kept as %s, and a new one is begun", why->message,
              aside);
    return write_backlog(writer, error);
}

static bool write_or_begin_anew(Writer *writer, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (write_backlog(writer, &cause))
        return true;
    if (g_error_matches(cause, DATABASE_FAILURE, DATABASE_FAILURE_CORRUPT))
        return begin_anew(writer, cause, error);
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

static void flush(Writer *writer)
{
    g_autoptr(GError) error = NULL;

    if (writer->file == NULL) {
        empty_backlog(writer); /* a ledger was wanted when these messages began */
        return put_status(writer, NULL, 0);
    }
    if (write_or_begin_anew(writer, &error))
        note_success(writer);
    else
        note_trouble(writer, error);
}

/* Is more waiting than should wait for the deletion of old days? */
static bool is_pressed(void)
{
    bool result;

    pthread_mutex_lock(&lock);
    result = shared.is_stopping || ledger_tally_messages(shared.tally) >= LEDGER_WRITER_BATCH;
    pthread_mutex_unlock(&lock);
    return result;
}

/* How many days the clock went ahead since the last write, besides those that passed. Before the
 * first write of this process, the file tells which day the last one was. */
static bool measure_jump(Writer *writer, guint32 today, guint32 *from, guint32 *jump,
                         GError **error)
{
    gint64 passed = 0;

    *from = writer->known_day;
    *jump = 0;
    if (writer->known_day != 0)
        passed = (g_get_monotonic_time() - writer->known_at) / (86400 * CLOCK_SECOND);
    else if (!ledger_last_day(writer->ledger, today, from, error))
        return false;
    if (*from != 0 && *from + passed < today)
        *jump = (guint32)(today - *from - passed);
    return true;
}

/* A clock that is years ahead would delete all there is: on the first day after a jump nothing is
 * deleted. Sets doubtful_day. */
static bool look_at_clock(Writer *writer, guint32 today, GError **error)
{
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    guint32 from, jump;

    if (!measure_jump(writer, today, &from, &jump, error))
        return false;
    writer->known_day = today;
    writer->known_at = g_get_monotonic_time();
    if (jump < CLOCK_JUMP)
        return true;
    writer->doubtful_day = today;
    before = ledger_day_text(from);
    after = ledger_day_text(today);
    log_write(LOG_WARNING,
              "ledger: the clock says %s, and the last mail was on %s; if the clock is wrong, set "
              "it: old days are kept until tomorrow",
              after, before);
    return true;
}

static bool expire_days(Writer *writer, guint32 today, GError **error)
{
    guint32 oldest = today - MIN(today, writer->days - 1);
    bool is_more = today != writer->doubtful_day;

    while (is_more && !is_pressed())
        if (!ledger_expire(writer->ledger, oldest, &is_more, error))
            return false;
    if (!is_more)
        writer->expired_day = today;
    return true;
}

/* Deletes what is older than ledger_days, once a day, as far as there is time for it. */
static void expire(Writer *writer)
{
    gint64 now = g_get_real_time();
    guint32 today = ledger_day_of(now);
    g_autoptr(GError) error = NULL;

    if (writer->ledger == NULL || writer->expired_day == today)
        return;
    if ((today != writer->known_day && (!look_at_clock(writer, today, &error) ||
                                        !ledger_forget_future(writer->ledger, now, &error))) ||
        !expire_days(writer, today, &error)) {
        g_clear_pointer(&writer->ledger, ledger_close);
        note_trouble(writer, error);
    }
}

static char *file_of(const Writer *writer, Settings *settings)
{
    if (!settings->is_ledger_in_state_dir || writer->state_dir == NULL)
        return g_strdup(settings->ledger);
    return g_build_filename(writer->state_dir, SETTINGS_LEDGER_NAME, NULL);
}

/* What waits goes to the new file; if none is wanted any more, it still goes to the old one. */
static void change_file(Writer *writer, char *file)
{
    if (file == NULL)
        flush(writer);
    g_clear_pointer(&writer->ledger, ledger_close);
    g_free(writer->file);
    writer->file = file;
    writer->retry_at = 0;
    writer->expired_day = 0;
}

static void take_settings(Writer *writer)
{
    Settings *settings = writer->take_settings();
    g_autofree char *file = NULL;

    if (settings == NULL)
        return;
    file = file_of(writer, settings);
    if (g_strcmp0(file, writer->file) != 0)
        change_file(writer, g_steal_pointer(&file));
    if (settings->ledger_days != writer->days)
        writer->expired_day = 0;
    writer->days = settings->ledger_days;
    settings_unref(settings);
    share_file(writer);
}

static void writer_free(Writer *writer)
{
    guint64 lost = ledger_tally_messages(writer->backlog);

    if (lost > 0)
        log_write(LOG_ERR, "ledger: the counts of %" G_GUINT64_FORMAT " messages are lost", lost);
    g_clear_pointer(&writer->ledger, ledger_close);
    ledger_tally_free(writer->backlog);
    g_free(writer->state_dir);
    g_free(writer->file);
    g_free(writer);
}

/* Nothing is counted any more. */
static void end(void)
{
    pthread_mutex_lock(&lock);
    g_clear_pointer(&shared.tally, ledger_tally_free);
    ledger_writer_status_clear(&shared.status);
    shared.status = (LedgerWriterStatus){.is_unsent = shared.status.is_unsent};
    shared.is_running = false;
    pthread_cond_broadcast(&ended);
    pthread_mutex_unlock(&lock);
}

static void *run(void *data)
{
    Writer *writer = data;
    bool is_last = false;

    while (!is_last) {
        take_settings(writer);
        flush(writer);
        expire(writer);
        is_last = !wait_for_batch(writer);
    }
    flush(writer);
    end_sharing();
    writer_free(writer);
    end();
    return NULL;
}

static void init_conditions(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&woken, &attributes);
    pthread_cond_init(&ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

void ledger_writer_share(Fleet *(*take)(void))
{
    take_fleet = take;
}

bool ledger_writer_start(Settings *(*take)(void))
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    Writer *writer = g_new0(Writer, 1);
    Settings *settings = take();
    pthread_t thread;

    pthread_once(&once, init_conditions);
    writer->take_settings = take;
    writer->state_dir = g_strdup(settings->state_dir);
    writer->backlog = ledger_tally_new();
    settings_unref(settings);
    pthread_mutex_lock(&lock);
    shared.tally = ledger_tally_new();
    shared.is_stopping = false;
    shared.is_running = true;
    pthread_mutex_unlock(&lock);
    if (pthread_create(&thread, NULL, run, writer) == 0) {
        pthread_setname_np(thread, "spfrom-ledger");
        pthread_detach(thread);
        return true;
    }
    writer_free(writer);
    end();
    return false;
}

void ledger_writer_stop(void)
{
    gint64 deadline = g_get_monotonic_time() + LEDGER_WRITER_STOP_SECONDS * CLOCK_SECOND;
    bool is_late;

    pthread_mutex_lock(&lock);
    shared.is_stopping = true;
    pthread_cond_signal(&woken);
    while (shared.is_running && g_get_monotonic_time() < deadline)
        wait_locked(&ended, deadline);
    is_late = shared.is_running;
    pthread_mutex_unlock(&lock);
    if (is_late)
        log_write(LOG_ERR,
                  "ledger: the file could not be written in time; the last counts may be lost");
}
