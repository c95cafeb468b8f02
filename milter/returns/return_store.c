#include "config.h"

#include "returns/return_store.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "ledger/ledger_tally.h"
#include "returns/return_rows.h"
#include "returns/return_share.h"

#define HALF (RETURN_STORE_KNOWN / 2)
#define QUEUE_MAX 10000                /* rows that wait to be written */
#define RETRY CLOCK_SECOND             /* between two tries while the file can't be written */
#define USES_WAIT (5 * CLOCK_SECOND)   /* a day of last use waits so long for company */
#define LOOK (2 * CLOCK_SECOND)        /* between two looks at whether the file is still there */
#define PAUSE (50 * CLOCK_MILLISECOND) /* at least, between two pieces of rows that end */
#define PAUSES 12                      /* as long as the last piece took, if that is more */
#define SUSPICION (60 * CLOCK_SECOND)  /* between two looks through the whole file */
#define REPAIR_SECONDS 5               /* that a repair waits for a look-up */
#define CLOCK_JUMP 7                   /* days without any use after which the clock is doubted */

struct ReturnStore {
    char *file;
    const Clock *clock;
    pthread_t thread;

    pthread_mutex_t lock;   /* guards what follows */
    pthread_cond_t woken;   /* the thread has something to do */
    pthread_cond_t written; /* finished has grown, or the thread has ended */
    pthread_cond_t read;    /* is_reading has become false */
    GHashTable *recent;     /* token → day of last use, of rows that are on the disk; */
    GHashTable *older;      /* what was in recent when that was full */
    GHashTable *queue;      /* token → ReturnRow, to be written next */
    gint64 queued_at;       /* monotonic; of the first row in queue */
    bool is_urgent;         /* somebody waits for queue */
    guint64 batch;          /* the number that queue will have as a batch */
    guint64 finished;       /* the number of the last batch that was tried */
    guint days;
    guint32 oldest;            /* a row that was last used before is over */
    guint32 today;             /* the day of … */
    gint64 day_begin, day_end; /* … these wall times */
    guint64 generation;        /* grows when another file has taken the place of the old one */
    bool is_suspect;           /* a reader found damage, */
    gint64 suspect_at;         /* at this time (monotonic) */
    bool is_reading;
    bool is_stopping;
    bool has_ended;
    ReturnStoreStatus status;
    ReturnShare *share; /* NULL: no fleet; set once */

    /* The thread's alone: */
    ReturnRows *rows;    /* NULL: not open */
    gint64 retry_at;     /* monotonic; 0: nothing is wrong */
    gint64 look_at;      /* monotonic */
    ino_t inode;         /* of the file that was opened last; 0: none yet */
    gint64 expire_at;    /* monotonic; when the next piece is due. 0: all is done … */
    guint32 expired_day; /* … for this day … */
    guint expired_days;  /* … and these return_days */
    bool is_oldest_set;  /* for them */

    /* Of the one that set is_reading: */
    ReturnRows *reader;
    guint64 reader_generation;
};

static gint64 now_of(const ReturnStore *store)
{
    return clock_monotonic(store->clock);
}

static guint32 today_locked(ReturnStore *store)
{
    gint64 now = clock_wall(store->clock);

    if (now < store->day_begin || now >= store->day_end) {
        store->today = ledger_day_of(now);
        store->day_begin = ledger_day_begin(store->today);
        store->day_end = ledger_day_begin(store->today + 1);
    }
    return store->today;
}

static ReturnRow *row_new(const char *token, const char *address, guint32 day)
{
    ReturnRow *row = g_new(ReturnRow, 1);

    *row = (ReturnRow){.token = g_strdup(token), .address = g_strdup(address), .day = day};
    return row;
}

static void row_free(gpointer data)
{
    ReturnRow *row = data;

    g_free((char *)row->token);
    g_free((char *)row->address);
    g_free(row);
}

static GHashTable *queue_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, row_free); /* the row has the key */
}

static GHashTable *half_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* The memory is two halves: once the recent one is full, the older one goes. */
static void remember_locked(ReturnStore *store, const char *token, guint32 day)
{
    if (g_hash_table_size(store->recent) >= HALF && !g_hash_table_contains(store->recent, token)) {
        g_hash_table_unref(store->older);
        store->older = store->recent;
        store->recent = half_new();
    }
    g_hash_table_insert(store->recent, g_strdup(token), GUINT_TO_POINTER(day));
}

/* The day of last use of a token that is remembered and not over; 0 if it isn't. */
static guint32 known_locked(ReturnStore *store, const char *token)
{
    guint32 day = GPOINTER_TO_UINT(g_hash_table_lookup(store->recent, token));

    if (day == 0) {
        day = GPOINTER_TO_UINT(g_hash_table_lookup(store->older, token));
        if (day != 0)
            remember_locked(store, token, day);
    }
    return day >= store->oldest ? day : 0;
}

/* What is remembered is wrong: the next message writes the row anew. */
static void forget(ReturnStore *store, const char *token)
{
    pthread_mutex_lock(&store->lock);
    g_hash_table_remove(store->recent, token);
    g_hash_table_remove(store->older, token);
    pthread_mutex_unlock(&store->lock);
}

static void forget_all(ReturnStore *store)
{
    pthread_mutex_lock(&store->lock);
    g_hash_table_remove_all(store->recent);
    g_hash_table_remove_all(store->older);
    store->generation++;
    pthread_mutex_unlock(&store->lock);
}

/* Returns false if no more may wait. */
static bool queue_locked(ReturnStore *store, const char *token, const char *address, guint32 day)
{
    ReturnRow *waiting = g_hash_table_lookup(store->queue, token);

    if (waiting != NULL && (waiting->address != NULL || address == NULL)) {
        waiting->day = MAX(waiting->day, day);
        return true;
    }
    if (waiting == NULL && g_hash_table_size(store->queue) >= QUEUE_MAX)
        return false;
    if (g_hash_table_size(store->queue) == 0) {
        store->queued_at = now_of(store);
        pthread_cond_signal(&store->woken);
    }
    waiting = row_new(token, address, day);
    g_hash_table_replace(store->queue, (char *)waiting->token, waiting);
    return true;
}

static bool wait_locked(ReturnStore *store, const char *token, const char *address,
                        Deadline deadline)
{
    guint64 batch = store->batch;

    if (!queue_locked(store, token, address, today_locked(store)) || store->status.trouble != NULL)
        return false;
    store->is_urgent = true;
    pthread_cond_signal(&store->woken);
    while (store->finished < batch && !store->has_ended &&
           deadline_wait(deadline, &store->written, &store->lock))
        continue;
    return known_locked(store, token) != 0;
}

static void use_locked(ReturnStore *store, const char *token, const char *address, guint32 known)
{
    guint32 today = today_locked(store);

    if (known < today && queue_locked(store, token, address, today) && known != 0)
        remember_locked(store, token, today);
}

bool return_store_put(ReturnStore *store, const char *token, const char *address, Deadline deadline)
{
    bool is_kept = true;
    guint32 known;

    pthread_mutex_lock(&store->lock);
    known = known_locked(store, token);
    if (known != 0)
        use_locked(store, token, address, known);
    else
        is_kept = wait_locked(store, token, address,
                              MIN(deadline, clock_monotonic(&clock_system) + RETURN_STORE_WAIT));
    pthread_mutex_unlock(&store->lock);
    return is_kept;
}

void return_store_use(ReturnStore *store, const char *token)
{
    pthread_mutex_lock(&store->lock);
    use_locked(store, token, NULL, known_locked(store, token));
    pthread_mutex_unlock(&store->lock);
}

/* Reads with the reader's own connection, opened anew if there is another file. */
static ReturnStoreOutcome look_up(ReturnStore *store, const char *token, ReturnStoreRow *row,
                                  GError **error)
{
    if (store->reader == NULL)
        store->reader = return_rows_open_read_only(store->file, error);
    if (store->reader == NULL)
        return RETURN_STORE_TROUBLE;
    if (!return_rows_find(store->reader, token, &row->address, &row->last_used, error)) {
        g_clear_pointer(&store->reader, return_rows_close);
        return RETURN_STORE_TROUBLE;
    }
    return row->address != NULL ? RETURN_STORE_FOUND : RETURN_STORE_UNKNOWN;
}

static bool begin_reading_locked(ReturnStore *store, Deadline deadline)
{
    while (store->is_reading)
        if (!deadline_wait(deadline, &store->read, &store->lock))
            return false;
    store->is_reading = true;
    if (store->reader_generation != store->generation)
        g_clear_pointer(&store->reader, return_rows_close);
    store->reader_generation = store->generation;
    return true;
}

static void end_reading(ReturnStore *store, const GError *error)
{
    pthread_mutex_lock(&store->lock);
    store->is_reading = false;
    if (g_error_matches(error, DATABASE_FAILURE, DATABASE_FAILURE_CORRUPT) &&
        (store->suspect_at == 0 || now_of(store) - store->suspect_at > SUSPICION)) {
        store->is_suspect = true;
        store->suspect_at = now_of(store);
        pthread_cond_signal(&store->woken);
    }
    pthread_cond_signal(&store->read);
    pthread_mutex_unlock(&store->lock);
}

static ReturnStoreOutcome find_here(ReturnStore *store, const char *token, Deadline deadline,
                                    ReturnStoreRow *row)
{
    g_autoptr(GError) error = NULL;
    ReturnStoreOutcome outcome;
    guint32 oldest;
    bool is_begun;

    *row = (ReturnStoreRow){0};
    pthread_mutex_lock(&store->lock);
    is_begun = begin_reading_locked(store, deadline);
    oldest = store->oldest;
    pthread_mutex_unlock(&store->lock);
    if (!is_begun)
        return RETURN_STORE_TROUBLE;
    outcome = look_up(store, token, row, &error);
    end_reading(store, error);
    if (outcome == RETURN_STORE_FOUND && row->last_used < oldest) {
        return_store_row_clear(row);
        outcome = RETURN_STORE_UNKNOWN;
    }
    if (outcome == RETURN_STORE_UNKNOWN)
        forget(store, token);
    return outcome;
}

static ReturnShare *share_of(ReturnStore *store)
{
    ReturnShare *share;

    pthread_mutex_lock(&store->lock);
    share = store->share;
    pthread_mutex_unlock(&store->lock);
    return share;
}

ReturnStoreOutcome return_store_find(ReturnStore *store, const char *token, Deadline deadline,
                                     ReturnStoreRow *row)
{
    static const ReturnStoreOutcome outcomes[] = {
        [RETURN_SHARE_FOUND] = RETURN_STORE_FOUND,
        [RETURN_SHARE_UNKNOWN] = RETURN_STORE_UNKNOWN,
        [RETURN_SHARE_TROUBLE] = RETURN_STORE_TROUBLE,
    };
    ReturnStoreOutcome outcome = find_here(store, token, deadline, row);
    ReturnShare *share = share_of(store);

    if (outcome == RETURN_STORE_FOUND || share == NULL)
        return outcome;
    if (outcome == RETURN_STORE_UNKNOWN)
        return outcomes[return_share_find(share, token, deadline, &row->address, &row->last_used)];
    /* The fleet may know it though the file can't be read. */
    if (return_share_find(share, token, deadline, &row->address, &row->last_used) ==
        RETURN_SHARE_FOUND)
        return RETURN_STORE_FOUND;
    return outcome;
}

void return_store_row_clear(ReturnStoreRow *row)
{
    g_clear_pointer(&row->address, g_free);
}

void return_store_status(ReturnStore *store, ReturnStoreStatus *status)
{
    pthread_mutex_lock(&store->lock);
    *status = store->status;
    status->trouble = g_strdup(status->trouble);
    status->is_unsent = store->share != NULL && return_share_is_unsent(store->share);
    pthread_mutex_unlock(&store->lock);
}

void return_store_status_clear(ReturnStoreStatus *status)
{
    g_clear_pointer(&status->trouble, g_free);
}

void return_store_share(ReturnStore *store, Fleet *(*take_fleet)(void), const char *host,
                        const guint8 key[RETURN_KEY_LENGTH])
{
    const ReturnShareOptions options = {.take_fleet = take_fleet,
                                        .host = host,
                                        .file = store->file,
                                        .days = store->days,
                                        .key = key,
                                        .clock = store->clock};
    ReturnShare *share;

    if (share_of(store) != NULL)
        return;
    share = return_share_start(&options);
    pthread_mutex_lock(&store->lock);
    store->share = share;
    pthread_mutex_unlock(&store->lock);
}

bool return_store_has_host(ReturnStore *store, const char *name)
{
    ReturnShare *share = share_of(store);

    return share != NULL && return_share_has_host(share, name);
}

void return_store_set_days(ReturnStore *store, guint days)
{
    ReturnShare *share = share_of(store);

    if (share != NULL)
        return_share_set_days(share, days);
    pthread_mutex_lock(&store->lock);
    store->days = days;
    pthread_cond_signal(&store->woken);
    pthread_mutex_unlock(&store->lock);
}

/* When there is something to do (monotonic). */
static gint64 next_locked(const ReturnStore *store)
{
    gint64 next = store->look_at;

    if (store->is_stopping || store->is_suspect)
        return 0;
    if (store->retry_at != 0)
        return store->retry_at;
    if (g_hash_table_size(store->queue) > 0)
        next = MIN(next, store->is_urgent ? 0 : store->queued_at + USES_WAIT);
    if (store->expire_at != 0)
        next = MIN(next, store->expire_at);
    return store->days != store->expired_days ? 0 : next;
}

/* Returns what is to be written, and as which batch. */
static GHashTable *take_batch(ReturnStore *store, guint64 *batch)
{
    GHashTable *empty = queue_new();
    GHashTable *taken;
    gint64 next;

    pthread_mutex_lock(&store->lock);
    while ((next = next_locked(store)) > now_of(store))
        deadline_wait(next, &store->woken, &store->lock);
    taken = store->queue;
    store->queue = empty;
    store->is_urgent = false;
    *batch = store->batch++;
    pthread_mutex_unlock(&store->lock);
    return taken;
}

static bool take_suspicion(ReturnStore *store)
{
    bool is_suspect;

    pthread_mutex_lock(&store->lock);
    is_suspect = store->is_suspect;
    store->is_suspect = false;
    pthread_mutex_unlock(&store->lock);
    return is_suspect;
}

/* What is remembered of another file says nothing of this one. */
static void note_file(ReturnStore *store, guint64 count)
{
    struct stat status = {0};

    if (stat(store->file, &status) != 0 || status.st_ino != store->inode || count == 0)
        forget_all(store);
    store->inode = status.st_ino;
    pthread_mutex_lock(&store->lock);
    store->status.addresses = count;
    pthread_mutex_unlock(&store->lock);
}

static bool open_rows(ReturnStore *store, GError **error)
{
    bool is_suspect = take_suspicion(store);
    guint64 count = 0;

    if (store->rows != NULL && return_rows_is_moved(store->rows)) {
        log_write(LOG_WARNING, "return addresses: %s: was moved or deleted; a new one is begun",
                  store->file);
        g_clear_pointer(&store->rows, return_rows_close);
        store->inode = 0;
    }
    if (is_suspect)
        g_clear_pointer(&store->rows, return_rows_close);
    if (store->rows != NULL)
        return true;
    store->rows = return_rows_open(store->file, is_suspect, error);
    if (store->rows == NULL || !return_rows_count(store->rows, &count, error))
        return false;
    note_file(store, count);
    return true;
}

static void count_rows(ReturnStore *store, guint added, guint ended)
{
    pthread_mutex_lock(&store->lock);
    store->status.addresses += added;
    store->status.addresses -= MIN(ended, store->status.addresses);
    pthread_mutex_unlock(&store->lock);
}

static bool write_batch(ReturnStore *store, GHashTable *batch, GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    GHashTableIter iter;
    gpointer row;
    guint added = 0;

    if (!open_rows(store, error))
        return false;
    g_hash_table_iter_init(&iter, batch);
    while (g_hash_table_iter_next(&iter, NULL, &row))
        g_ptr_array_add(rows, row);
    if (rows->len > 0 && !return_rows_write(store->rows, rows, &added, error))
        return false;
    count_rows(store, added, 0);
    return true;
}

/* A damaged file is kept, and what can be read of it goes into a new one. */
static bool make_anew(ReturnStore *store, const GError *why, GError **error)
{
    g_autofree char *aside = NULL;
    guint rescued;

    g_clear_pointer(&store->rows, return_rows_close);
    store->inode = 0;
    aside = database_move_aside(store->file, clock_wall(store->clock), error);
    if (aside == NULL || !open_rows(store, error))
        return false;
    rescued = return_rows_rescue(store->rows, aside);
    count_rows(store, rescued, 0);
    log_write(LOG_ERR,
              "return addresses: %s; the file is kept as %s, and a new one is begun with %u "
              "addresses from it",
              why->message, aside, rescued);
    return true;
}

/*
 * The same, while nobody else looks up: SQLite shares what it knows of a file in a process, so that
 * a reader of the old name would keep the renamed file from being read, and who asks meanwhile must
 * not be told that a token is unknown.
 */
static bool begin_anew(ReturnStore *store, const GError *why, GError **error)
{
    Deadline deadline = deadline_in(REPAIR_SECONDS);
    bool is_alone, is_made;

    pthread_mutex_lock(&store->lock);
    is_alone = begin_reading_locked(store, deadline);
    pthread_mutex_unlock(&store->lock);
    if (!is_alone) {
        g_propagate_error(error, g_error_copy(why));
        return false;
    }
    g_clear_pointer(&store->reader, return_rows_close);
    is_made = make_anew(store, why, error);
    end_reading(store, NULL);
    return is_made;
}

static bool write_or_begin_anew(ReturnStore *store, GHashTable *batch, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (write_batch(store, batch, &cause))
        return true;
    if (g_error_matches(cause, DATABASE_FAILURE, DATABASE_FAILURE_CORRUPT))
        return begin_anew(store, cause, error) && write_batch(store, batch, error);
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

static void note_success_locked(ReturnStore *store, GHashTable *batch)
{
    GHashTableIter iter;
    gpointer data;

    g_hash_table_iter_init(&iter, batch);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        const ReturnRow *row = data;

        if (row->address != NULL)
            remember_locked(store, row->token, row->day);
        if (store->share != NULL)
            return_share_note(store->share, row->token);
    }
    g_clear_pointer(&store->status.trouble, g_free);
}

/* The rows wait for the next try, beside those that came meanwhile. */
static void note_trouble_locked(ReturnStore *store, GHashTable *batch, const GError *error)
{
    GHashTableIter iter;
    gpointer data;

    g_hash_table_iter_init(&iter, batch);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        const ReturnRow *row = data;

        queue_locked(store, row->token, row->address, row->day);
    }
    store->status.failures++;
    g_free(store->status.trouble);
    store->status.trouble = g_strdup(error->message);
}

/* Those that wait for the batch learn how it went. */
static void finish_batch(ReturnStore *store, guint64 number, GHashTable *batch, const GError *error)
{
    pthread_mutex_lock(&store->lock);
    if (error == NULL)
        note_success_locked(store, batch);
    else
        note_trouble_locked(store, batch, error);
    store->finished = number;
    pthread_cond_broadcast(&store->written);
    pthread_mutex_unlock(&store->lock);
}

static void log_change(ReturnStore *store, const GError *error)
{
    if (error != NULL && store->retry_at == 0)
        log_write(LOG_ERR,
                  "return addresses: %s; messages of new authors carry the fallback address",
                  error->message);
    if (error == NULL && store->retry_at != 0)
        log_write(LOG_NOTICE, "return addresses: %s: can be written again", store->file);
}

static void note_outcome(ReturnStore *store, const GError *error)
{
    log_change(store, error);
    if (error != NULL) /* opened anew: the trouble may be with the file that is open */
        g_clear_pointer(&store->rows, return_rows_close);
    store->retry_at = error != NULL ? now_of(store) + RETRY : 0;
    store->look_at = now_of(store) + LOOK;
}

static bool flush(ReturnStore *store)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) batch = NULL;
    guint64 number;

    batch = take_batch(store, &number);
    write_or_begin_anew(store, batch, &error);
    note_outcome(store, error);
    finish_batch(store, number, batch, error);
    return error == NULL;
}

/*
 * Sets from which day on a row is over. A clock that is years ahead would end all rows: if nothing
 * was used for days before today, the clock is doubted, and rows end only tomorrow.
 */
static bool set_oldest(ReturnStore *store, GError **error)
{
    guint32 today = store->expired_day;
    guint32 last = 0;

    if (store->is_oldest_set)
        return true;
    if (!return_rows_last_day(store->rows, today, &last, error))
        return false;
    store->is_oldest_set = true;
    if (last != 0 && today - last >= CLOCK_JUMP)
        return true;
    pthread_mutex_lock(&store->lock);
    store->oldest = today - MIN(today, store->expired_days);
    pthread_mutex_unlock(&store->lock);
    return true;
}

static bool expire_piece(ReturnStore *store, GError **error)
{
    gint64 begin = now_of(store);
    gint64 end;
    guint ended;

    if (!set_oldest(store, error) || !return_rows_expire(store->rows, store->oldest, &ended, error))
        return false;
    count_rows(store, 0, ended);
    end = now_of(store);
    store->expire_at = ended < RETURN_ROWS_PIECE ? 0 : end + MAX(PAUSE, PAUSES * (end - begin));
    return true;
}

/* Once a day, rows that were not used for return_days end: a piece, and then what waits first. */
static void expire(ReturnStore *store)
{
    g_autoptr(GError) error = NULL;
    guint32 today;
    guint days;

    pthread_mutex_lock(&store->lock);
    today = today_locked(store);
    days = store->days;
    pthread_mutex_unlock(&store->lock);
    if (today != store->expired_day || days != store->expired_days) {
        store->is_oldest_set = false;
        store->expire_at = now_of(store);
    }
    store->expired_day = today;
    store->expired_days = days;
    if (store->expire_at == 0 || now_of(store) < store->expire_at)
        return;
    if (!expire_piece(store, &error))
        store->expire_at = now_of(store) + LOOK; /* what is written next tells the trouble */
}

static bool is_stopping(ReturnStore *store)
{
    bool is_last;

    pthread_mutex_lock(&store->lock);
    is_last = store->is_stopping;
    pthread_mutex_unlock(&store->lock);
    return is_last;
}

static void *run(void *data)
{
    ReturnStore *store = data;

    pthread_setname_np(pthread_self(), "spfrom-returns");
    while (true) {
        bool is_last = is_stopping(store);

        if (flush(store) && !is_last)
            expire(store);
        if (is_last)
            break;
    }
    g_clear_pointer(&store->rows, return_rows_close);
    pthread_mutex_lock(&store->lock);
    store->has_ended = true;
    pthread_cond_broadcast(&store->written);
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

void return_store_free(ReturnStore *store)
{
    if (!store->has_ended)
        return; /* the disk hangs, and the thread still uses it */
    g_clear_pointer(&store->share, return_share_free);
    g_hash_table_unref(store->recent);
    g_hash_table_unref(store->older);
    g_hash_table_unref(store->queue);
    g_clear_pointer(&store->reader, return_rows_close);
    return_store_status_clear(&store->status);
    pthread_cond_destroy(&store->woken);
    pthread_cond_destroy(&store->written);
    pthread_cond_destroy(&store->read);
    pthread_mutex_destroy(&store->lock);
    g_free(store->file);
    g_free(store);
}

ReturnStore *return_store_start(const char *file, guint days, const Clock *clock)
{
    ReturnStore *store = g_new0(ReturnStore, 1);

    store->file = g_strdup(file);
    store->clock = clock;
    store->days = days;
    store->batch = 1;
    store->recent = half_new();
    store->older = half_new();
    store->queue = queue_new();
    pthread_mutex_init(&store->lock, NULL);
    deadline_init_condition(&store->woken);
    deadline_init_condition(&store->written);
    deadline_init_condition(&store->read);
    if (pthread_create(&store->thread, NULL, run, store) == 0)
        return store;
    store->has_ended = true;
    return_store_free(store);
    return NULL;
}

void return_store_stop(ReturnStore *store)
{
    Deadline deadline = deadline_in(RETURN_STORE_STOP_SECONDS);
    bool has_ended;

    pthread_mutex_lock(&store->lock);
    store->is_stopping = true;
    pthread_cond_signal(&store->woken);
    while (!store->has_ended && deadline_wait(deadline, &store->written, &store->lock))
        continue;
    has_ended = store->has_ended;
    pthread_mutex_unlock(&store->lock);
    if (has_ended)
        pthread_join(store->thread, NULL);
    if (share_of(store) != NULL)
        return_share_stop(share_of(store)); /* after the last rows */
    if (has_ended)
        return;
    log_write(LOG_WARNING, "return addresses: %s: the disk does not answer", store->file);
    pthread_detach(store->thread);
}
