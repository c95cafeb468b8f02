#include "config.h"

#include "returns/return_rows.h"

#include "base/clock.h"

#define RESCUE_TIME (5 * CLOCK_SECOND)

typedef enum {
    RETURN_ROWS_ADD,
    RETURN_ROWS_USE,
    RETURN_ROWS_FIND,
    RETURN_ROWS_AFTER,
    RETURN_ROWS_EXPIRE,
    RETURN_ROWS_STATEMENTS
} ReturnRowsStatement;

struct ReturnRows {
    Database *database;
    sqlite3_stmt *statements[RETURN_ROWS_STATEMENTS];
};

static const char *const scripts[] = {
    "CREATE TABLE addresses ("
    " token TEXT PRIMARY KEY,"
    " address TEXT NOT NULL,"
    " day INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX addresses_by_day ON addresses (day);",
};

/* A damaged page may hold rows that are none of ours. They are as if they were not there: what is
 * behind the "@" is needed, and the next token is found from the last one. */
#define IS_SOUND " AND instr(address, '@') > 0 AND length(token) = 16" /* RETURN_TOKEN_LENGTH */

static const char *const sqls[RETURN_ROWS_STATEMENTS] = {
    [RETURN_ROWS_ADD] = "INSERT OR IGNORE INTO addresses (token, address, day) VALUES (?1, ?3, ?2)",
    [RETURN_ROWS_USE] = "UPDATE addresses SET day = ?2 WHERE token = ?1 AND day < ?2",
    [RETURN_ROWS_FIND] = "SELECT address, day FROM addresses WHERE token = ?1" IS_SOUND,
    [RETURN_ROWS_AFTER] = "SELECT token, address, day FROM addresses WHERE token > ?1" IS_SOUND
                          " ORDER BY token LIMIT ?2",
    [RETURN_ROWS_EXPIRE] = "DELETE FROM addresses WHERE token IN"
                           " (SELECT token FROM addresses WHERE day < ?1 ORDER BY day LIMIT ?2)",
};

#define KIND(checked)                                                                              \
    {                                                                                              \
        .application_id = 0x73706272, /* "spbr" */                                                 \
            .version = G_N_ELEMENTS(scripts), .scripts = scripts,                                  \
        .pragmas = "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;"              \
                   "PRAGMA cache_size = -2048",                                                    \
        .mode = 0600, .patience = 500, .is_checked = checked, .remedy = "move it away"             \
    }
static const DatabaseKind kind = KIND(false);
static const DatabaseKind suspect_kind = KIND(true);

static ReturnRows *rows_new(Database *database)
{
    ReturnRows *rows = NULL;

    if (database != NULL) {
        rows = g_new0(ReturnRows, 1);
        rows->database = database;
    }
    return rows;
}

ReturnRows *return_rows_open(const char *file, bool is_suspect, GError **error)
{
    return rows_new(database_open(is_suspect ? &suspect_kind : &kind, file, error));
}

ReturnRows *return_rows_open_read_only(const char *file, GError **error)
{
    return rows_new(database_open_read_only(&kind, file, false, error));
}

void return_rows_close(ReturnRows *rows)
{
    for (size_t i = 0; i < RETURN_ROWS_STATEMENTS; i++)
        sqlite3_finalize(rows->statements[i]);
    database_close(rows->database);
    g_free(rows);
}

static sqlite3_stmt *statement_of(ReturnRows *rows, ReturnRowsStatement which, GError **error)
{
    return database_statement(rows->database, &rows->statements[which], sqls[which], error);
}

/* Binds the row and runs the statement. Sets changes to the number of rows that it changed. */
static bool run_with(ReturnRows *rows, ReturnRowsStatement which, const ReturnRow *row,
                     guint *changes, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, which, error);

    if (statement == NULL)
        return false;
    sqlite3_bind_text(statement, 1, row->token, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, row->day);
    if (which == RETURN_ROWS_ADD)
        sqlite3_bind_text(statement, 3, row->address, -1, SQLITE_STATIC);
    if (!database_finish(rows->database, statement, error))
        return false;
    *changes = (guint)sqlite3_changes(rows->database->handle);
    return true;
}

static bool write_row(ReturnRows *rows, const ReturnRow *row, guint *added, GError **error)
{
    guint changes = 0;

    if (row->address != NULL && !run_with(rows, RETURN_ROWS_ADD, row, &changes, error))
        return false;
    *added += changes;
    return changes > 0 || run_with(rows, RETURN_ROWS_USE, row, &changes, error);
}

static bool write_all(ReturnRows *rows, const GPtrArray *written, guint *added, GError **error)
{
    for (guint i = 0; i < written->len; i++)
        if (!write_row(rows, g_ptr_array_index(written, i), added, error))
            return false;
    return true;
}

bool return_rows_write(ReturnRows *rows, const GPtrArray *written, guint *added, GError **error)
{
    *added = 0;
    return database_run(rows->database, "BEGIN IMMEDIATE", error) &&
           database_end(rows->database, write_all(rows, written, added, error), error);
}

bool return_rows_find(ReturnRows *rows, const char *token, char **address, guint32 *day,
                      GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, RETURN_ROWS_FIND, error);
    int code;

    *address = NULL;
    if (statement == NULL)
        return false;
    sqlite3_bind_text(statement, 1, token, -1, SQLITE_STATIC);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *address = g_strdup((const char *)sqlite3_column_text(statement, 0));
        *day = (guint32)sqlite3_column_int64(statement, 1);
    } else if (code != SQLITE_DONE) {
        database_fail(rows->database, error);
    }
    sqlite3_reset(statement); /* ends the reading: the writer's log may be emptied */
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

static void row_free(gpointer data)
{
    ReturnRow *row = data;

    g_free((char *)row->token);
    g_free((char *)row->address);
    g_free(row);
}

GPtrArray *return_rows_after(ReturnRows *rows, const char *token, guint count, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, RETURN_ROWS_AFTER, error);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(row_free);
    int code;

    if (statement == NULL)
        return NULL;
    sqlite3_bind_text(statement, 1, token, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, count);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        ReturnRow *row = g_new0(ReturnRow, 1);

        row->token = g_strdup((const char *)sqlite3_column_text(statement, 0));
        row->address = g_strdup((const char *)sqlite3_column_text(statement, 1));
        row->day = (guint32)sqlite3_column_int64(statement, 2);
        g_ptr_array_add(found, row);
    }
    if (code != SQLITE_DONE)
        database_fail(rows->database, error);
    sqlite3_reset(statement); /* ends the reading: the writer's log may be emptied */
    return code == SQLITE_DONE ? g_steal_pointer(&found) : NULL;
}

bool return_rows_count(ReturnRows *rows, guint64 *count, GError **error)
{
    gint64 number = 0;
    bool is_read = database_ask(rows->database, "SELECT count(*) FROM addresses WHERE day >= ?1", 0,
                                &number, error);

    *count = (guint64)number;
    return is_read;
}

bool return_rows_last_day(ReturnRows *rows, guint32 day, guint32 *last, GError **error)
{
    gint64 number = 0;
    bool is_read = database_ask(rows->database, "SELECT max(day) FROM addresses WHERE day < ?1",
                                day, &number, error);

    *last = (guint32)number;
    return is_read;
}

bool return_rows_expire(ReturnRows *rows, guint32 oldest, guint *ended, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, RETURN_ROWS_EXPIRE, error);

    *ended = 0;
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, oldest);
    sqlite3_bind_int64(statement, 2, RETURN_ROWS_PIECE);
    if (!database_finish(rows->database, statement, error))
        return false;
    *ended = (guint)sqlite3_changes(rows->database->handle);
    return true;
}

/* Copies rows until one can't be read, or until deadline (monotonic). Returns their number. */
static guint rescue_with(ReturnRows *rows, ReturnRows *damaged, const char *sql, gint64 deadline)
{
    sqlite3_stmt *statement = NULL;
    guint rescued = 0;

    if (sqlite3_prepare_v2(damaged->database->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return 0;
    while (sqlite3_step(statement) == SQLITE_ROW && g_get_monotonic_time() < deadline) {
        const ReturnRow row = {.token = (const char *)sqlite3_column_text(statement, 0),
                               .address = (const char *)sqlite3_column_text(statement, 1),
                               .day = (guint32)sqlite3_column_int64(statement, 2)};

        if (row.token == NULL || row.address == NULL || !write_row(rows, &row, &rescued, NULL))
            break;
    }
    sqlite3_finalize(statement);
    return rescued;
}

guint return_rows_rescue(ReturnRows *rows, const char *file)
{
    g_autoptr(ReturnRows) damaged = return_rows_open_read_only(file, NULL);
    gint64 deadline = g_get_monotonic_time() + RESCUE_TIME;
    guint rescued;

    if (damaged == NULL || !database_run(rows->database, "BEGIN IMMEDIATE", NULL))
        return 0;
    /* From both ends towards the damage. */
    rescued = rescue_with(rows, damaged, "SELECT token, address, day FROM addresses ORDER BY token",
                          deadline);
    rescued += rescue_with(
        rows, damaged, "SELECT token, address, day FROM addresses ORDER BY token DESC", deadline);
    return database_end(rows->database, true, NULL) ? rescued : 0;
}

bool return_rows_is_moved(ReturnRows *rows)
{
    return database_is_moved(rows->database);
}
