#include "config.h"

#include "returns/return_rows.h"

#include <string.h>

#include "base/clock.h"
#include "mail/mailboxes.h"
#include "policy/return_address.h"

#define RESCUE_TIME (5 * CLOCK_SECOND)

typedef enum {
    RETURN_ROWS_ADD,
    RETURN_ROWS_REPLACE,
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

static const char *const sqls[RETURN_ROWS_STATEMENTS] = {
    [RETURN_ROWS_ADD] = "INSERT OR IGNORE INTO addresses (token, address, day) VALUES (?1, ?3, ?2)",
    [RETURN_ROWS_REPLACE] = "UPDATE addresses SET address = ?3, day = ?2 WHERE token = ?1",
    [RETURN_ROWS_USE] = "UPDATE addresses SET day = ?2 WHERE token = ?1 AND day < ?2",
    [RETURN_ROWS_FIND] = "SELECT token, address, day FROM addresses WHERE token = ?1",
    [RETURN_ROWS_AFTER] = "SELECT token, address, day FROM addresses WHERE token > ?1"
                          " ORDER BY token",
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
    if (which != RETURN_ROWS_USE)
        sqlite3_bind_text(statement, 3, row->address, -1, SQLITE_STATIC);
    if (!database_finish(rows->database, statement, error))
        return false;
    *changes = (guint)sqlite3_changes(rows->database->handle);
    return true;
}

/* Returns column as text, or NULL if it is something else or has a NUL in it. */
static const char *text_of(sqlite3_stmt *statement, int column)
{
    const char *text;

    if (sqlite3_column_type(statement, column) != SQLITE_TEXT)
        return NULL;
    text = (const char *)sqlite3_column_text(statement, column);
    return text != NULL && strlen(text) == (size_t)sqlite3_column_bytes(statement, column) ? text
                                                                                           : NULL;
}

static bool is_address(const char *text)
{
    g_autoptr(Mailbox) mailbox = mailbox_parse_path(text);

    for (const char *at = text; *at != '\0'; at++)
        if (g_ascii_iscntrl(*at))
            return false;
    return mailbox->domain_name != NULL && mailbox->addr_spec != NULL;
}

/*
 * Reads token, address and day. Returns false if they are none of ours: a damaged page may hold
 * anything. The texts in row are the statement's, until its next step.
 */
static bool read_row(sqlite3_stmt *statement, ReturnRow *row)
{
    gint64 day = sqlite3_column_int64(statement, 2);

    *row = (ReturnRow){
        .token = text_of(statement, 0), .address = text_of(statement, 1), .day = (guint32)day};
    return row->token != NULL && strlen(row->token) == RETURN_TOKEN_LENGTH &&
           row->address != NULL && is_address(row->address) &&
           sqlite3_column_type(statement, 2) == SQLITE_INTEGER && day > 0 && day <= G_MAXUINT32;
}

/*
 * Is the row that has row's token another author's, or damaged? The token is made of the address in
 * lower case.
 */
static bool is_wrong(ReturnRows *rows, const ReturnRow *row)
{
    sqlite3_stmt *statement = statement_of(rows, RETURN_ROWS_FIND, NULL);
    ReturnRow found;
    bool is;

    if (statement == NULL)
        return false;
    sqlite3_bind_text(statement, 1, row->token, -1, SQLITE_STATIC);
    is = sqlite3_step(statement) == SQLITE_ROW &&
         (!read_row(statement, &found) || g_ascii_strcasecmp(found.address, row->address) != 0);
    sqlite3_reset(statement);
    return is;
}

static bool write_row(ReturnRows *rows, const ReturnRow *row, guint *added, GError **error)
{
    guint changes = 0;

    if (row->address != NULL && !run_with(rows, RETURN_ROWS_ADD, row, &changes, error))
        return false;
    *added += changes;
    if (changes > 0)
        return true;
    if (row->address != NULL && is_wrong(rows, row))
        return run_with(rows, RETURN_ROWS_REPLACE, row, &changes, error);
    return run_with(rows, RETURN_ROWS_USE, row, &changes, error);
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
    ReturnRow row;
    int code;

    *address = NULL;
    if (statement == NULL)
        return false;
    sqlite3_bind_text(statement, 1, token, -1, SQLITE_STATIC);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW && read_row(statement, &row)) {
        *address = g_strdup(row.address);
        *day = row.day;
    } else if (code != SQLITE_ROW && code != SQLITE_DONE) {
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

static void add_row(GPtrArray *found, sqlite3_stmt *statement)
{
    ReturnRow row;
    ReturnRow *copy;

    if (!read_row(statement, &row))
        return;
    copy = g_new(ReturnRow, 1);
    *copy =
        (ReturnRow){.token = g_strdup(row.token), .address = g_strdup(row.address), .day = row.day};
    g_ptr_array_add(found, copy);
}

GPtrArray *return_rows_after(ReturnRows *rows, const char *token, guint count, GError **error)
{
    sqlite3_stmt *statement = statement_of(rows, RETURN_ROWS_AFTER, error);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(row_free);
    int code;

    if (statement == NULL)
        return NULL;
    sqlite3_bind_text(statement, 1, token, -1, SQLITE_STATIC);
    do {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            add_row(found, statement);
    } while (code == SQLITE_ROW && found->len < count);
    if (code == SQLITE_ROW)
        code = SQLITE_DONE;
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
        ReturnRow row;

        if (read_row(statement, &row) && !write_row(rows, &row, &rescued, NULL))
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
