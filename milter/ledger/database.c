#include "config.h"

#include "ledger/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/ledger_tally.h"

#define CHECK_PATIENCE 5    /* seconds that looking through the file may take */
#define CHECK_STEP 100000   /* instructions of SQLite's machine between two looks at the clock */
#define ASIDE_MAX 9         /* files a day */
#define LOG_PAUSE 5000      /* microseconds between two tries to change a file to WAL mode */
#define READER_PATIENCE 500 /* milliseconds of more tries while a writer begins or ends */

G_DEFINE_QUARK(spfrom_database_failure, database_failure)

static DatabaseFailure failure_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return DATABASE_FAILURE_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: /* SQLite tried to read the log for ten seconds */
        return DATABASE_FAILURE_BUSY;
    default:
        return DATABASE_FAILURE_SYSTEM;
    }
}

bool database_fail(Database *database, GError **error)
{
    int code = sqlite3_errcode(database->handle);
    int cause = sqlite3_system_errno(database->handle);
    bool has_cause = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR;

    g_set_error(error, DATABASE_FAILURE, failure_of(code), "%s: %s%s%s", database->file,
                sqlite3_errmsg(database->handle), has_cause && cause != 0 ? ": " : "",
                has_cause && cause != 0 ? g_strerror(cause) : "");
    return false;
}

bool database_run(Database *database, const char *sql, GError **error)
{
    return sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK ||
           database_fail(database, error);
}

bool database_end(Database *database, bool is_done, GError **error)
{
    if (is_done && database_run(database, "COMMIT", error))
        return true;
    sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/*
 * Reads the version, and how many tables there are; refuses what is another program's, or a newer
 * one's. One statement, so that all of it is of one moment: another program may be making the file.
 */
static bool read_version(Database *database, gint64 *version, gint64 *tables, GError **error)
{
    static const char *const sql =
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)"
        " FROM pragma_application_id, pragma_user_version";
    const DatabaseKind *kind = database->kind;
    sqlite3_stmt *statement = NULL;
    gint64 application = 0;
    bool is_read = sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL) == SQLITE_OK &&
                   sqlite3_step(statement) == SQLITE_ROW;

    if (is_read) {
        application = sqlite3_column_int64(statement, 0);
        *version = sqlite3_column_int64(statement, 1);
        *tables = sqlite3_column_int64(statement, 2);
    } else {
        database_fail(database, error);
    }
    sqlite3_finalize(statement);
    if (!is_read)
        return false;
    if (application != kind->application_id && (application != 0 || *version != 0 || *tables > 0)) {
        g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_FOREIGN,
                    "%s: is a database of another program; %s", database->file, kind->remedy);
        return false;
    }
    if (*version > kind->version) {
        g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_VERSION,
                    "%s: is of a newer spfrom (version %" G_GINT64_FORMAT
                    " of the tables; this one knows %d); upgrade spfrom, or move the file away",
                    database->file, *version, kind->version);
        return false;
    }
    return true;
}

/* In the transaction: nobody else can have mended it meanwhile. */
static bool migrate(Database *database, GError **error)
{
    g_autofree char *marks =
        g_strdup_printf("PRAGMA application_id = %d; PRAGMA user_version = %d",
                        database->kind->application_id, database->kind->version);
    gint64 version = 0;
    gint64 tables = 0;

    if (!read_version(database, &version, &tables, error))
        return false;
    for (; version < database->kind->version; version++)
        if (!database_run(database, database->kind->scripts[version], error))
            return false;
    return database_run(database, marks, error);
}

static bool prepare_schema(Database *database, GError **error)
{
    gint64 version = 0;
    gint64 tables = 0;

    if (!read_version(database, &version, &tables, error))
        return false;
    if (version == database->kind->version)
        return true;
    return database_run(database, "BEGIN IMMEDIATE", error) &&
           database_end(database, migrate(database, error), error);
}

static bool fail_missing(const char *file, GError **error)
{
    g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_MISSING,
                "%s: there is none yet; the daemon makes it", file);
    return false;
}

static bool check_schema(Database *database, GError **error)
{
    gint64 version = 0;
    gint64 tables = 0;

    if (!read_version(database, &version, &tables, error))
        return false;
    if (version == database->kind->version)
        return true;
    if (version == 0 && tables == 0) /* somebody is making it */
        return fail_missing(database->file, error);
    g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_VERSION,
                "%s: is of an older spfrom; the daemon brings it up to date when it starts",
                database->file);
    return false;
}

void database_close(Database *database)
{
    sqlite3_close(database->handle);
    g_free(database->file);
    g_free(database);
}

/* location: file, or a URI that means it */
static Database *open_at(const DatabaseKind *kind, const char *file, const char *location,
                         int flags, GError **error)
{
    g_autoptr(Database) database = g_new0(Database, 1);

    database->kind = kind;
    database->file = g_strdup(file);
    if (sqlite3_open_v2(location, &database->handle,
                        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                            SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK) {
        database_fail(database, error);
        return NULL;
    }
    sqlite3_busy_timeout(database->handle, kind->patience);
    return g_steal_pointer(&database);
}

/* Makes an empty file if there is none: SQLite gives those that it keeps beside it the same
 * mode. */
static bool make_file(const char *file, mode_t mode, GError **error)
{
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);
    struct stat status;
    int cause = errno;

    if (fd < 0 && (cause == EROFS || cause == EACCES) && access(file, R_OK) == 0)
        return true; /* writing says why not */
    if (fd < 0) {
        g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_SYSTEM, "%s: can't be opened: %s",
                    file, g_strerror(cause));
        return false;
    }
    if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode)) {
        close(fd);
        g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_FOREIGN, "%s: is not a file", file);
        return false;
    }
    close(fd);
    return true;
}

static int is_check_over(void *deadline)
{
    return g_get_monotonic_time() > *(const gint64 *)deadline;
}

/* Looks through the whole file, if that does not take too long. */
static bool check(Database *database, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + CHECK_PATIENCE * CLOCK_SECOND;
    sqlite3_stmt *statement = NULL;
    int code;

    sqlite3_progress_handler(database->handle, CHECK_STEP, is_check_over, &deadline);
    code = sqlite3_prepare_v2(database->handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_progress_handler(database->handle, 0, NULL, NULL);
    if (code == SQLITE_ROW && g_strcmp0((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
        g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_CORRUPT, "%s: %s", database->file,
                    sqlite3_column_text(statement, 0));
    else if (code != SQLITE_ROW && code != SQLITE_INTERRUPT)
        database_fail(database, error);
    else
        code = SQLITE_OK;
    sqlite3_finalize(statement);
    return code == SQLITE_OK;
}

/*
 * SQLite does not wait for others while it changes a file to WAL mode: it raises a lock that it
 * holds, and two who wait for each other would never end. So of two who make a file at once one is
 * told that it is busy, whatever the time-out; it lets go and tries again.
 */
static bool change_to_wal(Database *database, GError **error)
{
    static const char *const sql = "PRAGMA journal_mode = WAL";
    gint64 deadline = g_get_monotonic_time() + database->kind->patience * CLOCK_MILLISECOND;
    int code;

    while ((code = sqlite3_exec(database->handle, sql, NULL, NULL, NULL)) != SQLITE_OK) {
        if ((code & 0xff) != SQLITE_BUSY || g_get_monotonic_time() >= deadline)
            return database_fail(database, error);
        g_usleep(LOG_PAUSE);
    }
    return true;
}

static bool prepare_writer(Database *database, GError **error)
{
    return change_to_wal(database, error) &&
           database_run(database, database->kind->pragmas, error) &&
           (!database->kind->is_checked || check(database, error)) &&
           prepare_schema(database, error);
}

Database *database_open(const DatabaseKind *kind, const char *file, GError **error)
{
    g_autoptr(Database) database = NULL;

    if (!make_file(file, kind->mode, error))
        return NULL;
    database = open_at(kind, file, file, SQLITE_OPEN_READWRITE, error);
    if (database == NULL || !prepare_writer(database, error))
        return NULL;
    return g_steal_pointer(&database);
}

/*
 * SQLite wants to make two files beside one in WAL mode that nobody has open. A reader that can't
 * make files there reads it as it lies: without a writer all is in it.
 */
static Database *open_unshared(const DatabaseKind *kind, const char *file, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(file, "/", FALSE);
    g_autofree char *uri = g_strconcat("file:", escaped, "?immutable=1", NULL);

    return open_at(kind, file, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, error);
}

static bool prepare_reader(Database *database, bool is_snapshot, GError **error)
{
    return (!is_snapshot || database_run(database, "BEGIN", error)) &&
           check_schema(database, error);
}

static bool has_log(const char *file)
{
    g_autofree char *log = g_strconcat(file, "-wal", NULL);

    return access(log, F_OK) == 0;
}

/* One try. */
static Database *open_reader(const DatabaseKind *kind, const char *file, bool is_snapshot,
                             GError **error)
{
    g_autoptr(Database) database = NULL;
    g_autoptr(GError) cause = NULL;
    g_autoptr(GError) unshared_cause = NULL;

    if (access(file, F_OK) != 0 && errno == ENOENT) {
        fail_missing(file, error);
        return NULL;
    }
    database = open_at(kind, file, file, SQLITE_OPEN_READONLY, &cause);
    if (database != NULL && prepare_reader(database, is_snapshot, &cause))
        return g_steal_pointer(&database);
    if (g_error_matches(cause, DATABASE_FAILURE, DATABASE_FAILURE_SYSTEM) && !has_log(file)) {
        g_clear_pointer(&database, database_close);
        database = open_unshared(kind, file, &unshared_cause);
        if (database != NULL && prepare_reader(database, is_snapshot, &unshared_cause))
            return g_steal_pointer(&database);
    }
    if (g_error_matches(unshared_cause, DATABASE_FAILURE, DATABASE_FAILURE_MISSING))
        g_propagate_error(error, g_steal_pointer(&unshared_cause));
    else
        g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}

/*
 * While a writer begins or ends, its log is there and what readers share with it is not: only who
 * may write in the folder could make that. It lasts for some milliseconds.
 */
static bool is_passing(const char *file, const GError *error)
{
    return g_error_matches(error, DATABASE_FAILURE, DATABASE_FAILURE_SYSTEM) &&
           access(file, R_OK) == 0 && has_log(file);
}

Database *database_open_read_only(const DatabaseKind *kind, const char *file, bool is_snapshot,
                                  GError **error)
{
    g_autoptr(GError) cause = NULL;
    Database *database = open_reader(kind, file, is_snapshot, &cause);
    gint64 deadline = g_get_monotonic_time() + READER_PATIENCE * CLOCK_MILLISECOND;

    while (database == NULL && is_passing(file, cause) && g_get_monotonic_time() < deadline) {
        g_usleep(LOG_PAUSE);
        g_clear_error(&cause);
        database = open_reader(kind, file, is_snapshot, &cause);
    }
    if (database == NULL)
        g_propagate_error(error, g_steal_pointer(&cause));
    return database;
}

Database *database_open_temporary(const DatabaseKind *kind, GError **error)
{
    g_autoptr(Database) database =
        open_at(kind, "temporary file", "",
                SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI, error);

    if (database == NULL ||
        !database_run(database, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", error) ||
        !prepare_schema(database, error))
        return NULL;
    return g_steal_pointer(&database);
}

bool database_attach(Database *database, const char *file, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(file, "/", FALSE);
    g_autofree char *uri = g_strconcat("file:", escaped, "?mode=ro", NULL);
    char *sql = sqlite3_mprintf("ATTACH %Q AS other", uri);
    bool is_done = sql != NULL && database_run(database, sql, error);

    sqlite3_free(sql);
    return is_done;
}

void database_detach(Database *database)
{
    database_run(database, "DETACH other", NULL);
}

sqlite3_stmt *database_statement(Database *database, sqlite3_stmt **slot, const char *sql,
                                 GError **error)
{
    if (*slot == NULL && sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                            slot, NULL) != SQLITE_OK) {
        database_fail(database, error);
        return NULL;
    }
    sqlite3_reset(*slot);
    return *slot;
}

bool database_finish(Database *database, sqlite3_stmt *statement, GError **error)
{
    bool is_done = sqlite3_step(statement) == SQLITE_DONE;

    if (!is_done)
        database_fail(database, error);
    sqlite3_reset(statement);
    return is_done;
}

bool database_ask(Database *database, const char *sql, gint64 given, gint64 *number, GError **error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, given);
        code = sqlite3_step(statement);
    }
    *number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        database_fail(database, error);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

bool database_is_moved(Database *database)
{
    int is_moved = 0;

    return sqlite3_file_control(database->handle, "main", SQLITE_FCNTL_HAS_MOVED, &is_moved) ==
               SQLITE_OK &&
           is_moved != 0;
}

/* A name that is not taken, or NULL. */
static char *name_aside(const char *file, gint64 now)
{
    g_autofree char *date = ledger_day_text(ledger_day_of(now));
    g_autofree char *first = g_strdup_printf("%s.corrupt-%s", file, date);

    if (access(first, F_OK) != 0)
        return g_steal_pointer(&first);
    for (int number = 2; number <= ASIDE_MAX; number++) {
        g_autofree char *name = g_strdup_printf("%s-%d", first, number);

        if (access(name, F_OK) != 0)
            return g_steal_pointer(&name);
    }
    return NULL;
}

char *database_move_aside(const char *file, gint64 now, GError **error)
{
    static const char *const beside[] = {"-wal", "-shm"};
    g_autofree char *name = name_aside(file, now);

    if (name == NULL) {
        g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_CORRUPT,
                    "%s: is corrupt, and %d files of today were moved aside before; is the disk "
                    "whole?",
                    file, ASIDE_MAX);
        return NULL;
    }
    if (rename(file, name) != 0) {
        g_set_error(error, DATABASE_FAILURE, DATABASE_FAILURE_CORRUPT,
                    "%s: is corrupt and can't be moved aside: %s", file, g_strerror(errno));
        return NULL;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(beside); i++) {
        g_autofree char *from = g_strconcat(file, beside[i], NULL);
        g_autofree char *to = g_strconcat(name, beside[i], NULL);

        if (rename(from, to) != 0 && errno != ENOENT)
            unlink(from); /* a new file must not find the log of the old one */
    }
    return g_steal_pointer(&name);
}
