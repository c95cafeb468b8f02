#include "config.h"

#include "returns/letter_rows.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

static const char *const scripts[] = {
    "CREATE TABLE letters ("
    " token TEXT PRIMARY KEY,"
    " domain TEXT NOT NULL,"
    " address TEXT NOT NULL,"
    " kind INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " noted INTEGER NOT NULL,"
    " bounced INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX letters_by_domain ON letters (domain, noted);"
    "CREATE INDEX letters_by_address ON letters (address COLLATE NOCASE);"
    "CREATE INDEX letters_by_time ON letters (noted);",
};

static const DatabaseKind database_kind = {
    .application_id = 0x7370626c, /* "spbl" */
    .version = G_N_ELEMENTS(scripts),
    .scripts = scripts,
    .pragmas = "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 1048576",
    .mode = 0640,
    .patience = 5000,
    .remedy = "move it away"};

/* The same for the daemon, where a message waits for it. */
static const DatabaseKind patient_kind = {.application_id = 0x7370626c,
                                          .version = G_N_ELEMENTS(scripts),
                                          .scripts = scripts,
                                          .pragmas = "PRAGMA synchronous = FULL",
                                          .mode = 0640,
                                          .patience = 500,
                                          .remedy = "move it away"};

#define COLUMNS "token, domain, address, kind, state, noted, bounced"
/* Since when letters about the domain ?1 count: the last that said that it is authorised. */
#define THANKED                                                                                    \
    "ifnull((SELECT max(noted) FROM letters WHERE domain = ?1 AND kind = 2 AND state <> 2), 0)"

const char *letter_kind_text(LetterKind kind)
{
    static const char *const texts[] = {"record", "provider", "authorised"};

    return texts[kind];
}

void letter_row_free(LetterRow *row)
{
    g_free(row->domain);
    g_free(row->address);
    g_free(row);
}

static void free_row(gpointer row)
{
    letter_row_free(row);
}

char *letter_rows_file(Settings *settings)
{
    g_autofree char *folder =
        settings->ledger != NULL ? g_path_get_dirname(settings->ledger) : NULL;

    return folder != NULL ? g_build_filename(folder, LETTER_ROWS_NAME, NULL) : NULL;
}

/* root may send letters, and the daemon's user has to read and write them afterwards. */
static void make_for_owner(const char *file)
{
    g_autofree char *folder = g_path_get_dirname(file);
    struct stat status;
    int fd =
        geteuid() == 0 ? open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640) : -1;

    if (fd < 0)
        return;
    if (stat(folder, &status) == 0 && fchown(fd, status.st_uid, status.st_gid) != 0)
        unlink(file);
    close(fd);
}

LetterRows *letter_rows_open(const char *file, GError **error)
{
    make_for_owner(file);
    return database_open(&database_kind, file, error);
}

LetterRows *letter_rows_open_read_only(const char *file, GError **error)
{
    g_autoptr(GError) cause = NULL;
    Database *database = database_open_read_only(&database_kind, file, false, &cause);

    if (cause != NULL && !g_error_matches(cause, DATABASE_FAILURE, DATABASE_FAILURE_MISSING))
        g_propagate_error(error, g_steal_pointer(&cause));
    return database;
}

void letter_rows_close(LetterRows *rows)
{
    database_close(rows);
}

/* Prepares sql with texts bound from ?1 on; NULL with error. */
static sqlite3_stmt *prepare(LetterRows *rows, const char *sql, const char *first,
                             const char *second, GError **error)
{
    sqlite3_stmt *statement = NULL;

    if (!database_statement(rows, &statement, sql, error))
        return NULL;
    if (first != NULL)
        sqlite3_bind_text(statement, 1, first, -1, SQLITE_TRANSIENT);
    if (second != NULL)
        sqlite3_bind_text(statement, 2, second, -1, SQLITE_TRANSIENT);
    return statement;
}

/* Two numbers of one row. */
static bool ask(LetterRows *rows, const char *sql, const char *first, const char *second,
                gint64 numbers[2], GError **error)
{
    sqlite3_stmt *statement = prepare(rows, sql, first, second, error);
    bool is_read = statement != NULL && sqlite3_step(statement) == SQLITE_ROW;

    if (statement != NULL && !is_read)
        database_fail(rows, error);
    for (int i = 0; is_read && i < 2; i++)
        numbers[i] = sqlite3_column_int64(statement, i);
    sqlite3_finalize(statement);
    return is_read;
}

static LetterTurn turn_of(const LetterStanding *standing, Settings *settings, LetterKind kind,
                          gint64 told, gint64 bounced, gint64 now)
{
    if (bounced > 0)
        return LETTER_BOUNCED;
    switch (kind) {
    case LETTER_THANKS:
        return standing->sent > 0 ? LETTER_DUE : LETTER_ENOUGH;
    case LETTER_PROVIDER:
        return told > 0 ? LETTER_ENOUGH : LETTER_DUE;
    case LETTER_ASKS:
        break;
    }
    if (standing->sent >= settings->letter_max)
        return LETTER_ENOUGH;
    return standing->last > 0 && standing->last > now - settings->letter_repeat * CLOCK_SECOND
               ? LETTER_WAITS
               : LETTER_DUE;
}

bool letter_rows_standing(LetterRows *rows, Settings *settings, const char *domain,
                          const char *address, LetterKind kind, gint64 now,
                          LetterStanding *standing, GError **error)
{
    gint64 about[2] = {0}, last[2] = {0}, to[2] = {0};

    *standing = (LetterStanding){.turn = kind == LETTER_THANKS ? LETTER_ENOUGH : LETTER_DUE};
    if (rows == NULL)
        return true;
    if (!ask(rows,
             "SELECT count(*), 0 FROM letters WHERE domain = ?1 AND kind = 0 AND state <> 2"
             " AND noted > " THANKED,
             domain, NULL, about, error) ||
        !ask(rows,
             "SELECT ifnull(max(noted), 0), 0 FROM letters WHERE domain = ?1 AND state <> 2"
             " AND kind <> 1",
             domain, NULL, last, error) ||
        !ask(rows,
             "SELECT count(nullif(state <> 2 AND kind = 1, 0)), count(nullif(bounced, 0))"
             " FROM letters WHERE address = ?1 COLLATE NOCASE",
             address, NULL, to, error))
        return false;
    standing->sent = (guint)about[0];
    standing->last = last[0];
    standing->turn = turn_of(standing, settings, kind, to[0], to[1], now);
    return true;
}

static bool insert(LetterRows *rows, const LetterRow *row, GError **error)
{
    sqlite3_stmt *statement =
        prepare(rows, "INSERT INTO letters (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
                row->token, row->domain, error);
    bool is_done;

    if (statement == NULL)
        return false;
    sqlite3_bind_text(statement, 3, row->address, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(statement, 4, (int)row->kind);
    sqlite3_bind_int(statement, 5, LETTER_NOTED);
    sqlite3_bind_int64(statement, 6, row->noted);
    is_done = database_finish(rows, statement, error);
    sqlite3_finalize(statement);
    return is_done;
}

static bool note_in_transaction(LetterRows *rows, Settings *settings, const LetterRow *row,
                                bool *is_due, GError **error)
{
    LetterStanding standing;

    if (!letter_rows_standing(rows, settings, row->domain, row->address, row->kind, row->noted,
                              &standing, error))
        return false;
    *is_due = standing.turn == LETTER_DUE;
    return !*is_due || insert(rows, row, error);
}

bool letter_rows_note(LetterRows *rows, Settings *settings, const LetterRow *row, bool *is_due,
                      GError **error)
{
    *is_due = false;
    return database_run(rows, "BEGIN IMMEDIATE", error) &&
           database_end(rows, note_in_transaction(rows, settings, row, is_due, error), error);
}

bool letter_rows_settle(LetterRows *rows, const char *token, LetterState state, GError **error)
{
    sqlite3_stmt *statement =
        prepare(rows, "UPDATE letters SET state = ?2 WHERE token = ?1", token, NULL, error);
    bool is_done;

    if (statement == NULL)
        return false;
    sqlite3_bind_int(statement, 2, (int)state);
    is_done = database_finish(rows, statement, error);
    sqlite3_finalize(statement);
    return is_done;
}

/* Texts of a file that somebody else may have written: a number that is none of ours is 0. */
static LetterRow *read_row(sqlite3_stmt *statement)
{
    LetterRow *row = g_new0(LetterRow, 1);
    int kind = sqlite3_column_int(statement, 3);
    int state = sqlite3_column_int(statement, 4);

    g_strlcpy(row->token, (const char *)sqlite3_column_text(statement, 0), sizeof row->token);
    row->domain = g_strdup((const char *)sqlite3_column_text(statement, 1));
    row->address = g_strdup((const char *)sqlite3_column_text(statement, 2));
    row->kind = kind >= LETTER_ASKS && kind <= LETTER_THANKS ? (LetterKind)kind : LETTER_ASKS;
    row->state =
        state >= LETTER_NOTED && state <= LETTER_FAILED ? (LetterState)state : LETTER_NOTED;
    row->noted = sqlite3_column_int64(statement, 5);
    row->bounced = sqlite3_column_int64(statement, 6);
    return row;
}

/* Reads the rows that sql gives, with ?1 bound to limit. */
static GPtrArray *read_rows(LetterRows *rows, const char *sql, guint limit, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(free_row);
    sqlite3_stmt *statement = prepare(rows, sql, NULL, NULL, error);
    int code;

    if (statement == NULL)
        return NULL;
    sqlite3_bind_int64(statement, 1, limit);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        g_ptr_array_add(found, read_row(statement));
    if (code != SQLITE_DONE)
        database_fail(rows, error);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? g_steal_pointer(&found) : NULL;
}

GPtrArray *letter_rows_asked(LetterRows *rows, GError **error)
{
    return read_rows(rows,
                     "SELECT " COLUMNS " FROM letters AS a WHERE kind = 0 AND state <> 2"
                     " AND NOT EXISTS (SELECT 1 FROM letters AS b WHERE b.domain = a.domain"
                     " AND b.state <> 2 AND b.kind <> 1 AND b.noted > a.noted)"
                     " ORDER BY domain LIMIT ?1",
                     G_MAXUINT32, error);
}

GPtrArray *letter_rows_latest(LetterRows *rows, guint limit, GError **error)
{
    return read_rows(rows, "SELECT " COLUMNS " FROM letters ORDER BY noted DESC, token LIMIT ?1",
                     limit, error);
}

void letter_rows_note_bounce(const char *file, const char *token, gint64 now)
{
    g_autoptr(LetterRows) rows = NULL;
    sqlite3_stmt *statement;

    if (access(file, R_OK | W_OK) != 0)
        return;
    rows = database_open(&patient_kind, file, NULL);
    statement =
        rows != NULL
            ? prepare(rows, "UPDATE letters SET bounced = ?2 WHERE token = ?1 AND bounced = 0",
                      token, NULL, NULL)
            : NULL;
    if (statement == NULL)
        return;
    sqlite3_bind_int64(statement, 2, now);
    database_finish(rows, statement, NULL);
    sqlite3_finalize(statement);
}
