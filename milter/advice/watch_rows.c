#include "config.h"

#include "advice/watch_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define RUN_LIFE (86400 * CLOCK_SECOND)
#define FILE_MODE 0640

typedef enum {
    WATCH_ROWS_GET,
    WATCH_ROWS_PUT,
    WATCH_ROWS_ADD,
    WATCH_ROWS_DROP,
    WATCH_ROWS_UNTOLD,
    WATCH_ROWS_TELL,
    WATCH_ROWS_END,
    WATCH_ROWS_LATEST,
    WATCH_ROWS_SUMMARY,
    WATCH_ROWS_ENDANGERED,
    WATCH_ROWS_STATEMENTS
} WatchRowsStatement;

struct WatchRows {
    Database *database;
    int lock; /* -1: a reader has none */
    sqlite3_stmt *statements[WATCH_ROWS_STATEMENTS];
};

static const char *const scripts[] = {
    "CREATE TABLE runs ("
    " id INTEGER PRIMARY KEY,"
    " began INTEGER NOT NULL,"
    " ended INTEGER,"
    " authorised INTEGER, unauthorised INTEGER, unknown INTEGER,"
    " endangered INTEGER, own_unauthorised INTEGER);"
    "CREATE TABLE domains ("
    " name TEXT PRIMARY KEY,"
    " is_authorised INTEGER NOT NULL,"
    " result INTEGER NOT NULL,"
    " record TEXT, mechanism TEXT,"
    " dangers INTEGER NOT NULL, lookups INTEGER NOT NULL, octets INTEGER NOT NULL,"
    " include TEXT,"
    " run INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE changes ("
    " id INTEGER PRIMARY KEY,"
    " found INTEGER NOT NULL,"
    " is_told INTEGER NOT NULL DEFAULT 0,"
    " domain TEXT NOT NULL,"
    " kind INTEGER NOT NULL,"
    " is_authorised INTEGER NOT NULL,"
    " result INTEGER NOT NULL,"
    " danger INTEGER NOT NULL, number INTEGER NOT NULL,"
    " before TEXT, after TEXT, term TEXT, passed TEXT, advised TEXT);"
    "CREATE INDEX changes_by_time ON changes (found);"
    "CREATE INDEX changes_untold ON changes (is_told) WHERE NOT is_told;",
};

#define CHANGE                                                                                     \
    "SELECT id, found, domain, kind, is_authorised, result, danger, number,"                       \
    " before, after, term, passed, advised FROM changes "

static const char *const sqls[WATCH_ROWS_STATEMENTS] = {
    [WATCH_ROWS_GET] = "SELECT is_authorised, result, record, mechanism, dangers, lookups, octets,"
                       " include, run FROM domains WHERE name = ?1",
    [WATCH_ROWS_PUT] = "INSERT OR REPLACE INTO domains (name, is_authorised, result, record,"
                       " mechanism, dangers, lookups, octets, include, run)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [WATCH_ROWS_ADD] = "INSERT INTO changes (found, domain, kind, is_authorised, result, danger,"
                       " number, before, after, term, passed, advised)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [WATCH_ROWS_DROP] = "DELETE FROM changes WHERE id = ?1 AND NOT is_told",
    [WATCH_ROWS_UNTOLD] = CHANGE "WHERE NOT is_told ORDER BY kind, domain, id",
    [WATCH_ROWS_TELL] = "UPDATE changes SET is_told = 1 WHERE id = ?1",
    [WATCH_ROWS_END] = "UPDATE runs SET ended = ?2, authorised = ?3, unauthorised = ?4,"
                       " unknown = ?5, endangered = ?6, own_unauthorised = ?7 WHERE id = ?1",
    [WATCH_ROWS_LATEST] = CHANGE "WHERE found >= ?1 ORDER BY found DESC, kind, domain LIMIT ?2",
    [WATCH_ROWS_ENDANGERED] = "SELECT name, dangers, lookups, octets, include, record, result"
                              " FROM domains WHERE dangers <> 0 AND run = ?1 ORDER BY name",
    [WATCH_ROWS_SUMMARY] =
        "SELECT ended, authorised, unauthorised, unknown, endangered, own_unauthorised,"
        " (SELECT count(DISTINCT c.domain) FROM changes c JOIN domains d ON d.name = c.domain"
        "  WHERE c.kind = 1 AND c.found >= ?1 AND NOT d.is_authorised)"
        " FROM runs WHERE ended IS NOT NULL ORDER BY id DESC LIMIT 1",
};
G_STATIC_ASSERT(WATCH_BROKEN == 1); /* in the text above, and in files */

static const DatabaseKind kind = {
    .application_id = 0x73706277, /* "spbw" */
    .version = G_N_ELEMENTS(scripts),
    .scripts = scripts,
    .pragmas = "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216",
    .mode = FILE_MODE,
    .patience = 5000,
    .is_checked = true,
    .remedy = "move it away",
};

const char *watch_kind_text(WatchKind watch_kind)
{
    switch (watch_kind) {
    case WATCH_OWN:
        return "own";
    case WATCH_BROKEN:
        return "broken";
    case WATCH_ENDANGERED:
        return "endangered";
    case WATCH_AUTHORISED:
        break;
    }
    return "authorised";
}

void watch_state_clear(WatchState *state)
{
    g_free(state->record);
    g_free(state->mechanism);
    g_free(state->include);
    *state = (WatchState){0};
}

void watch_change_free(WatchChange *change)
{
    g_free(change->domain);
    g_free(change->before);
    g_free(change->after);
    g_free(change->term);
    g_free(change->passed);
    g_free(change->advised);
    g_free(change);
}

GPtrArray *watch_changes_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)watch_change_free);
}

static char *beside(const char *file, const char *name)
{
    g_autofree char *folder = g_path_get_dirname(file);

    return g_build_filename(folder, name, NULL);
}

char *watch_rows_file(const char *ledger)
{
    return beside(ledger, WATCH_ROWS_NAME);
}

static int fail(const char *file, GError **error)
{
    int cause = errno;

    g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_SYSTEM, "%s: can't be opened: %s", file,
                g_strerror(cause));
    return -1;
}

/* Opens file; a new one that root makes belongs to the owner of the ledger, or else of its folder.
 * Returns -1 with error. */
static int open_as_owner(const char *file, const char *ledger, GError **error)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
    g_autofree char *folder = g_path_get_dirname(file);
    struct stat owner;
    int fd = open(file, flags | O_CREAT | O_EXCL, FILE_MODE);

    if (fd < 0 && errno == EEXIST)
        fd = open(file, flags);
    else if (fd >= 0 && geteuid() == 0 &&
             (stat(ledger, &owner) == 0 || stat(folder, &owner) == 0) &&
             fchown(fd, owner.st_uid, owner.st_gid) != 0)
        fail(file, NULL);
    return fd >= 0 ? fd : fail(file, error);
}

/* Returns the lock's descriptor, or -1 with error. */
static int take_lock(const char *file, const char *ledger, GError **error)
{
    int fd = open_as_owner(file, ledger, error);

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_BUSY,
                    "another spfrom watch is under way (it holds %s)", file);
    else
        fail(file, error);
    close(fd);
    return -1;
}

static WatchRows *rows_new(Database *database, int lock)
{
    WatchRows *rows = g_new0(WatchRows, 1);

    rows->database = database;
    rows->lock = lock;
    return rows;
}

WatchRows *watch_rows_open(const char *file, const char *ledger, GError **error)
{
    g_autofree char *lock_file = beside(file, WATCH_ROWS_LOCK_NAME);
    int lock = take_lock(lock_file, ledger, error);
    Database *database = NULL;
    int fd = lock >= 0 ? open_as_owner(file, ledger, error) : -1;

    if (fd >= 0) {
        close(fd);
        database = database_open(&kind, file, error);
    }
    if (database != NULL)
        return rows_new(database, lock);
    if (lock >= 0)
        close(lock);
    if (error != NULL && g_error_matches(*error, DATABASE_FAILURE, DATABASE_FAILURE_CORRUPT)) {
        g_autofree char *said = g_strdup((*error)->message);

        g_clear_error(error);
        g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_CORRUPT,
                    "%s; move it away: the next run then begins with what the ledger knows", said);
    }
    return NULL;
}

WatchRows *watch_rows_open_read_only(const char *file, GError **error)
{
    Database *database = database_open_read_only(&kind, file, false, error);

    return database != NULL ? rows_new(database, -1) : NULL;
}

void watch_rows_close(WatchRows *rows)
{
    for (size_t i = 0; i < WATCH_ROWS_STATEMENTS; i++)
        sqlite3_finalize(rows->statements[i]);
    database_close(rows->database);
    if (rows->lock >= 0)
        close(rows->lock);
    g_free(rows);
}

static sqlite3_stmt *statement_of(WatchRows *rows, WatchRowsStatement which, GError **error)
{
    return database_statement(rows->database, &rows->statements[which], sqls[which], error);
}

static char *text_at(sqlite3_stmt *statement, int column)
{
    return g_strdup((const char *)sqlite3_column_text(statement, column));
}

static void bind_text(sqlite3_stmt *statement, int parameter, const char *text)
{
    sqlite3_bind_text(statement, parameter, text, -1, SQLITE_STATIC);
}

bool watch_rows_begin(WatchRows *rows, gint64 now, gint64 *run, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("INSERT INTO runs (began) VALUES (%" G_GINT64_FORMAT ")", now);

    if (!database_ask(
            rows->database,
            "SELECT id FROM runs WHERE ended IS NULL AND unknown IS NULL"
            " AND began > ?1 - 86400000000 AND began <= ?1 AND id = (SELECT max(id) FROM runs)",
            now, run, error))
        return false;
    if (*run != 0)
        return true;
    if (!database_run(rows->database, sql, error))
        return false;
    *run = sqlite3_last_insert_rowid(rows->database->handle);
    return true;
}
G_STATIC_ASSERT(RUN_LIFE == G_GINT64_CONSTANT(86400000000)); /* in the text above */

bool watch_rows_get(WatchRows *rows, const char *domain, WatchState *state, bool *is_known,
                    GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, WATCH_ROWS_GET, error);
    int code;

    *state = (WatchState){0};
    *is_known = false;
    if (statement == NULL)
        return false;
    bind_text(statement, 1, domain);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *is_known = true;
        *state = (WatchState){.is_authorised = sqlite3_column_int(statement, 0) != 0,
                              .result = (guint)sqlite3_column_int(statement, 1),
                              .record = text_at(statement, 2),
                              .mechanism = text_at(statement, 3),
                              .dangers = (guint)sqlite3_column_int(statement, 4),
                              .lookups = (guint)sqlite3_column_int(statement, 5),
                              .octets = (guint)sqlite3_column_int(statement, 6),
                              .include = text_at(statement, 7),
                              .run = sqlite3_column_int64(statement, 8)};
    } else if (code != SQLITE_DONE) {
        database_fail(rows->database, error);
    }
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

static bool put_state(WatchRows *rows, const char *domain, const WatchState *state, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, WATCH_ROWS_PUT, error);

    if (statement == NULL)
        return false;
    bind_text(statement, 1, domain);
    sqlite3_bind_int(statement, 2, state->is_authorised);
    sqlite3_bind_int64(statement, 3, state->result);
    bind_text(statement, 4, state->record);
    bind_text(statement, 5, state->mechanism);
    sqlite3_bind_int64(statement, 6, state->dangers);
    sqlite3_bind_int64(statement, 7, state->lookups);
    sqlite3_bind_int64(statement, 8, state->octets);
    bind_text(statement, 9, state->include);
    sqlite3_bind_int64(statement, 10, state->run);
    return database_finish(rows->database, statement, error);
}

static bool add_change(WatchRows *rows, const WatchChange *change, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, WATCH_ROWS_ADD, error);

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, change->found);
    bind_text(statement, 2, change->domain);
    sqlite3_bind_int64(statement, 3, change->kind);
    sqlite3_bind_int(statement, 4, change->is_authorised);
    sqlite3_bind_int64(statement, 5, change->result);
    sqlite3_bind_int64(statement, 6, change->danger);
    sqlite3_bind_int64(statement, 7, change->number);
    bind_text(statement, 8, change->before);
    bind_text(statement, 9, change->after);
    bind_text(statement, 10, change->term);
    bind_text(statement, 11, change->passed);
    bind_text(statement, 12, change->advised);
    return database_finish(rows->database, statement, error);
}

/* Does statement, which takes an id, with each of changes. */
static bool for_each_id(WatchRows *rows, WatchRowsStatement which, const GPtrArray *changes,
                        GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, which, error);

    for (guint i = 0; statement != NULL && i < changes->len; i++) {
        const WatchChange *change = g_ptr_array_index(changes, i);

        sqlite3_bind_int64(statement, 1, change->id);
        if (!database_finish(rows->database, statement, error))
            return false;
    }
    return statement != NULL;
}

static bool put_all(WatchRows *rows, const char *domain, const WatchState *state,
                    const GPtrArray *changes, const GPtrArray *untold, GError **error)
{
    if (!put_state(rows, domain, state, error))
        return false;
    if (untold != NULL && !for_each_id(rows, WATCH_ROWS_DROP, untold, error))
        return false;
    for (guint i = 0; i < changes->len; i++)
        if (!add_change(rows, g_ptr_array_index(changes, i), error))
            return false;
    return true;
}

bool watch_rows_put(WatchRows *rows, const char *domain, const WatchState *state,
                    const GPtrArray *changes, const GPtrArray *untold, GError **error)
{
    return database_run(rows->database, "BEGIN IMMEDIATE", error) &&
           database_end(rows->database, put_all(rows, domain, state, changes, untold, error),
                        error);
}

bool watch_rows_looked(WatchRows *rows, gint64 run, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("UPDATE runs SET unknown = 0 WHERE id = %" G_GINT64_FORMAT, run);

    return database_run(rows->database, sql, error);
}

static WatchChange *change_at(sqlite3_stmt *statement)
{
    WatchChange *change = g_new0(WatchChange, 1);

    change->id = sqlite3_column_int64(statement, 0);
    change->found = sqlite3_column_int64(statement, 1);
    change->domain = text_at(statement, 2);
    change->kind = (WatchKind)CLAMP(sqlite3_column_int(statement, 3), 0, WATCH_KINDS - 1);
    change->is_authorised = sqlite3_column_int(statement, 4) != 0;
    change->result = (guint)sqlite3_column_int(statement, 5);
    change->danger = (guint)sqlite3_column_int(statement, 6);
    change->number = (guint)sqlite3_column_int(statement, 7);
    change->before = text_at(statement, 8);
    change->after = text_at(statement, 9);
    change->term = text_at(statement, 10);
    change->passed = text_at(statement, 11);
    change->advised = text_at(statement, 12);
    return change;
}

static GPtrArray *read_changes(WatchRows *rows, sqlite3_stmt *statement, GError **error)
{
    g_autoptr(GPtrArray) changes = watch_changes_new();
    int code;

    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        g_ptr_array_add(changes, change_at(statement));
    if (code != SQLITE_DONE)
        database_fail(rows->database, error);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? g_steal_pointer(&changes) : NULL;
}

GPtrArray *watch_rows_untold(WatchRows *rows, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, WATCH_ROWS_UNTOLD, error);

    return statement != NULL ? read_changes(rows, statement, error) : NULL;
}

GPtrArray *watch_rows_latest(WatchRows *rows, gint64 since, guint limit, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, WATCH_ROWS_LATEST, error);

    if (statement == NULL)
        return NULL;
    sqlite3_bind_int64(statement, 1, since);
    sqlite3_bind_int64(statement, 2, limit);
    return read_changes(rows, statement, error);
}

/* Adds to changes one danger of the row. */
static WatchChange *add_danger(sqlite3_stmt *statement, guint danger, gint64 now,
                               GPtrArray *changes)
{
    WatchChange *change = g_new0(WatchChange, 1);

    change->found = now;
    change->domain = text_at(statement, 0);
    change->kind = WATCH_ENDANGERED;
    change->is_authorised = true;
    change->danger = danger;
    change->after = text_at(statement, 5);
    change->result = (guint)sqlite3_column_int(statement, 6);
    g_ptr_array_add(changes, change);
    return change;
}

/* Adds one change for each danger of the row, and for each include that is broken. */
static void add_dangers(sqlite3_stmt *statement, gint64 now, GPtrArray *changes)
{
    guint dangers = (guint)sqlite3_column_int(statement, 1);
    const char *include = (const char *)sqlite3_column_text(statement, 4);
    g_auto(GStrv) terms = g_strsplit(include != NULL ? include : "", " ", -1);

    for (guint danger = WATCH_DANGER_LOOKUPS; danger <= WATCH_DANGER_OCTETS; danger <<= 1)
        if ((dangers & danger) != 0)
            add_danger(statement, danger, now, changes)->number =
                (guint)sqlite3_column_int(statement, danger == WATCH_DANGER_LOOKUPS ? 2 : 3);
    for (char **term = terms; *term != NULL && (dangers & WATCH_DANGER_INCLUDE) != 0; term++)
        add_danger(statement, WATCH_DANGER_INCLUDE, now, changes)->term = g_strdup(*term);
}

GPtrArray *watch_rows_endangered(WatchRows *rows, gint64 run, gint64 now, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, WATCH_ROWS_ENDANGERED, error);
    g_autoptr(GPtrArray) changes = watch_changes_new();
    int code;

    if (statement == NULL)
        return NULL;
    sqlite3_bind_int64(statement, 1, run);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        add_dangers(statement, now, changes);
    if (code != SQLITE_DONE)
        database_fail(rows->database, error);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? g_steal_pointer(&changes) : NULL;
}

static bool end_run(WatchRows *rows, gint64 run, const WatchSummary *summary, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, WATCH_ROWS_END, error);

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, run);
    sqlite3_bind_int64(statement, 2, summary->ended);
    sqlite3_bind_int64(statement, 3, (gint64)summary->authorised);
    sqlite3_bind_int64(statement, 4, (gint64)summary->unauthorised);
    sqlite3_bind_int64(statement, 5, (gint64)summary->unknown);
    sqlite3_bind_int64(statement, 6, (gint64)summary->endangered);
    sqlite3_bind_int64(statement, 7, (gint64)summary->own_unauthorised);
    return database_finish(rows->database, statement, error);
}

/* The last run that ended stays, however old it is. */
static bool forget(WatchRows *rows, gint64 run, gint64 oldest, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "DELETE FROM changes WHERE is_told AND found < %" G_GINT64_FORMAT ";"
        "DELETE FROM runs WHERE began < %" G_GINT64_FORMAT " AND id <> %" G_GINT64_FORMAT ";"
        "DELETE FROM domains WHERE run < (SELECT min(id) FROM runs)",
        oldest, oldest, run);

    return database_run(rows->database, sql, error);
}

bool watch_rows_end(WatchRows *rows, gint64 run, const GPtrArray *changes,
                    const WatchSummary *summary, gint64 oldest, GError **error)
{
    return database_run(rows->database, "BEGIN IMMEDIATE", error) &&
           database_end(rows->database,
                        for_each_id(rows, WATCH_ROWS_TELL, changes, error) &&
                            end_run(rows, run, summary, error) && forget(rows, run, oldest, error),
                        error);
}

bool watch_rows_summary(WatchRows *rows, gint64 broken_since, WatchSummary *summary, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, WATCH_ROWS_SUMMARY, error);
    int code;

    *summary = (WatchSummary){0};
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, broken_since);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *summary = (WatchSummary){.ended = sqlite3_column_int64(statement, 0),
                                  .authorised = (guint64)sqlite3_column_int64(statement, 1),
                                  .unauthorised = (guint64)sqlite3_column_int64(statement, 2),
                                  .unknown = (guint64)sqlite3_column_int64(statement, 3),
                                  .endangered = (guint64)sqlite3_column_int64(statement, 4),
                                  .own_unauthorised = (guint64)sqlite3_column_int64(statement, 5),
                                  .broken = (guint64)sqlite3_column_int64(statement, 6)};
    else if (code != SQLITE_DONE)
        database_fail(rows->database, error);
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}
