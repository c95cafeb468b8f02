#include "config.h"

#include "ledger/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define FILE_MODE 0640
#define BUSY_PATIENCE 2000 /* milliseconds */
#define CHECK_PATIENCE 5   /* seconds that looking through the file may take */
#define CHECK_STEP 100000  /* instructions of SQLite's machine between two looks at the clock */
#define ASIDE_MAX 9        /* files a day */
#define APPLICATION_ID 0x73706672 /* "spfr" */

G_DEFINE_QUARK(spfrom_ledger_failure, ledger_failure)

typedef enum {
    LEDGER_FIND_DOMAIN,
    LEDGER_ADD_DOMAIN,
    LEDGER_SEE_UNKNOWN,
    LEDGER_SEE_AUTHORISED,
    LEDGER_SEE_UNAUTHORISED,
    LEDGER_SEE,
    LEDGER_COUNT_NEW,
    LEDGER_STATEMENTS
} LedgerStatement;

struct Ledger {
    sqlite3 *database;
    char *file;
    sqlite3_stmt *statements[LEDGER_STATEMENTS]; /* prepared when they are first used */
    guint32 new_day;                             /* the one that was written to last; 0: none yet */
    guint new_domains;                           /* the ledger's since that day began */
};

/* These numbers are in files: one is never given another meaning. */
G_STATIC_ASSERT(SPF_NONE == 0 && SPF_NEUTRAL == 1 && SPF_PASS == 2 && SPF_FAIL == 3 &&
                SPF_SOFTFAIL == 4 && SPF_TEMPERROR == 5 && SPF_PERMERROR == 6 &&
                LEDGER_UNCHECKED == 7);
G_STATIC_ASSERT(MESSAGE_ACTION_KEEP == 0 && MESSAGE_ACTION_REWRITE == 1 &&
                MESSAGE_ACTION_WOULD_REWRITE == 2 && MESSAGE_ACTION_TEMPFAIL == 3 &&
                MESSAGE_ACTION_WOULD_TEMPFAIL == 4 && MESSAGE_ACTION_ERROR == 5 &&
                MESSAGE_ACTION_INBOUND == 6 && MESSAGE_ACTION_LOCAL == 7 && MESSAGE_ACTIONS == 8);

/* scripts[n] makes version n + 1 of version n; 0 is an empty database. */
static const char *const scripts[LEDGER_SCHEMA_VERSION] = {
    "CREATE TABLE domains ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE,"
    " first INTEGER NOT NULL,"
    " last INTEGER NOT NULL);"
    "CREATE TABLE seen ("
    " day INTEGER NOT NULL,"
    " domain INTEGER NOT NULL,"
    " result INTEGER NOT NULL,"
    " action INTEGER NOT NULL,"
    " messages INTEGER NOT NULL,"
    " first INTEGER NOT NULL,"
    " last INTEGER NOT NULL,"
    " PRIMARY KEY (day, domain, result, action)) WITHOUT ROWID;",

    /* Since when a domain is authorised outlives the days that ledger_days deletes. Result 2 is
     * pass, 5 temperror, 7 unchecked: the last two say nothing. */
    "ALTER TABLE domains ADD COLUMN authorised_since INTEGER;"
    "ALTER TABLE domains ADD COLUMN authorised_last INTEGER;"
    "ALTER TABLE domains ADD COLUMN unauthorised_last INTEGER;"
    "UPDATE domains SET authorised_last = of.pass, unauthorised_last = of.other FROM"
    " (SELECT domain, max(last) FILTER (WHERE result = 2) AS pass,"
    "  max(last) FILTER (WHERE result NOT IN (2, 5, 7)) AS other FROM seen GROUP BY domain) AS of"
    " WHERE of.domain = domains.id;"
    "UPDATE domains SET authorised_since = max(of.since, ifnull(unauthorised_last, 0)) FROM"
    " (SELECT seen.domain AS domain, min(seen.first) AS since FROM seen JOIN domains AS d"
    "  ON d.id = seen.domain WHERE result = 2 AND seen.last > ifnull(d.unauthorised_last, 0)"
    "  GROUP BY seen.domain) AS of"
    " WHERE of.domain = domains.id;",
};

/* Kept prepared: three are used for every row. UPDATE … RETURNING is three times as slow. */
#define SEEN_AT " first = min(first, ?2), last = max(last, ?3)"
#define OF_DOMAIN " WHERE id = ?1"
static const char *const sqls[LEDGER_STATEMENTS] = {
    [LEDGER_FIND_DOMAIN] = "SELECT id FROM domains WHERE name = ?1",
    [LEDGER_ADD_DOMAIN] = "INSERT INTO domains (name, first, last) VALUES (?1, ?2, ?3)",
    [LEDGER_SEE_UNKNOWN] = "UPDATE domains SET" SEEN_AT OF_DOMAIN,
    /* A pass after another result begins anew; one that is older than that result changes nothing.
     */
    [LEDGER_SEE_AUTHORISED] =
        "UPDATE domains SET" SEEN_AT ", authorised_since = CASE"
        " WHEN authorised_last IS NULL OR authorised_last <= ifnull(unauthorised_last, 0)"
        " THEN max(?2, ifnull(unauthorised_last, 0)) ELSE authorised_since END,"
        " authorised_last = CASE WHEN ?3 <= ifnull(unauthorised_last, 0) THEN authorised_last"
        " ELSE max(?3, ifnull(authorised_last, 0)) END" OF_DOMAIN,
    [LEDGER_SEE_UNAUTHORISED] =
        "UPDATE domains SET" SEEN_AT
        ", unauthorised_last = max(?3, ifnull(unauthorised_last, 0))" OF_DOMAIN,
    [LEDGER_SEE] = "INSERT INTO seen (day, domain, result, action, messages, first, last)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET"
                   " messages = messages + excluded.messages, first = min(first, excluded.first),"
                   " last = max(last, excluded.last)",
    [LEDGER_COUNT_NEW] = "SELECT count(*) FROM domains WHERE first >= ?1",
};

static LedgerFailure failure_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return LEDGER_FAILURE_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return LEDGER_FAILURE_BUSY;
    default:
        return LEDGER_FAILURE_SYSTEM;
    }
}

bool ledger_fail(Ledger *ledger, GError **error)
{
    int code = sqlite3_errcode(ledger->database);
    int cause = sqlite3_system_errno(ledger->database);
    bool has_cause = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR;

    g_set_error(error, LEDGER_FAILURE, failure_of(code), "%s: %s%s%s", ledger->file,
                sqlite3_errmsg(ledger->database), has_cause && cause != 0 ? ": " : "",
                has_cause && cause != 0 ? g_strerror(cause) : "");
    return false;
}

static bool run(Ledger *ledger, const char *sql, GError **error)
{
    return sqlite3_exec(ledger->database, sql, NULL, NULL, NULL) == SQLITE_OK ||
           ledger_fail(ledger, error);
}

static bool read_number(Ledger *ledger, const char *sql, gint64 *number, GError **error)
{
    sqlite3_stmt *statement = NULL;
    bool is_read = sqlite3_prepare_v2(ledger->database, sql, -1, &statement, NULL) == SQLITE_OK &&
                   sqlite3_step(statement) == SQLITE_ROW;

    if (is_read)
        *number = sqlite3_column_int64(statement, 0);
    else
        ledger_fail(ledger, error);
    sqlite3_finalize(statement);
    return is_read;
}

/* Reads the version; refuses what is another program's, or a newer one's. */
static bool read_version(Ledger *ledger, gint64 *version, GError **error)
{
    gint64 application = 0;
    gint64 tables = 0;

    if (!read_number(ledger, "PRAGMA application_id", &application, error) ||
        !read_number(ledger, "PRAGMA user_version", version, error) ||
        !read_number(ledger, "SELECT count(*) FROM sqlite_schema", &tables, error))
        return false;
    if (application != APPLICATION_ID && (application != 0 || *version != 0 || tables > 0)) {
        g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_FOREIGN,
                    "%s: is a database of another program; write another file as ledger",
                    ledger->file);
        return false;
    }
    if (*version > LEDGER_SCHEMA_VERSION) {
        g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_VERSION,
                    "%s: is of a newer spfrom (version %" G_GINT64_FORMAT
                    " of the tables; this one knows %d); upgrade spfrom, or move the file away",
                    ledger->file, *version, LEDGER_SCHEMA_VERSION);
        return false;
    }
    return true;
}

/* In the transaction: nobody else can have mended it meanwhile. */
static bool migrate(Ledger *ledger, GError **error)
{
    g_autofree char *marks = g_strdup_printf("PRAGMA application_id = %d; PRAGMA user_version = %d",
                                             APPLICATION_ID, LEDGER_SCHEMA_VERSION);
    gint64 version = 0;

    if (!read_version(ledger, &version, error))
        return false;
    for (; version < LEDGER_SCHEMA_VERSION; version++)
        if (!run(ledger, scripts[version], error))
            return false;
    return run(ledger, marks, error);
}

static bool prepare_schema(Ledger *ledger, GError **error)
{
    gint64 version = 0;

    if (!read_version(ledger, &version, error))
        return false;
    if (version == LEDGER_SCHEMA_VERSION)
        return true;
    if (!run(ledger, "BEGIN IMMEDIATE", error))
        return false;
    if (migrate(ledger, error) && run(ledger, "COMMIT", error))
        return true;
    sqlite3_exec(ledger->database, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool check_schema(Ledger *ledger, GError **error)
{
    gint64 version = 0;

    if (!read_version(ledger, &version, error))
        return false;
    if (version == LEDGER_SCHEMA_VERSION)
        return true;
    g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_VERSION,
                "%s: is of an older spfrom; the daemon brings it up to date when it starts",
                ledger->file);
    return false;
}

void ledger_close(Ledger *ledger)
{
    for (size_t i = 0; i < LEDGER_STATEMENTS; i++)
        sqlite3_finalize(ledger->statements[i]);
    sqlite3_close(ledger->database);
    g_free(ledger->file);
    g_free(ledger);
}

/* location: file, or a URI that means it */
static Ledger *open_database(const char *file, const char *location, int flags, GError **error)
{
    g_autoptr(Ledger) ledger = g_new0(Ledger, 1);

    ledger->file = g_strdup(file);
    if (sqlite3_open_v2(location, &ledger->database,
                        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                            SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK) {
        ledger_fail(ledger, error);
        return NULL;
    }
    sqlite3_busy_timeout(ledger->database, BUSY_PATIENCE);
    return g_steal_pointer(&ledger);
}

/* Makes an empty file if there is none: SQLite gives those that it keeps beside it the same
 * mode. */
static bool make_file(const char *file, GError **error)
{
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, FILE_MODE);
    struct stat status;
    int cause = errno;

    if (fd < 0 && (cause == EROFS || cause == EACCES) && access(file, R_OK) == 0)
        return true; /* writing says why not */
    if (fd < 0) {
        g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_SYSTEM, "%s: can't be opened: %s", file,
                    g_strerror(cause));
        return false;
    }
    if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode)) {
        close(fd);
        g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_FOREIGN, "%s: is not a file", file);
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
static bool check(Ledger *ledger, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + CHECK_PATIENCE * CLOCK_SECOND;
    sqlite3_stmt *statement = NULL;
    int code;

    sqlite3_progress_handler(ledger->database, CHECK_STEP, is_check_over, &deadline);
    code = sqlite3_prepare_v2(ledger->database, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_progress_handler(ledger->database, 0, NULL, NULL);
    if (code == SQLITE_ROW && g_strcmp0((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
        g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_CORRUPT, "%s: %s", ledger->file,
                    sqlite3_column_text(statement, 0));
    else if (code != SQLITE_ROW && code != SQLITE_INTERRUPT)
        ledger_fail(ledger, error);
    else
        code = SQLITE_OK;
    sqlite3_finalize(statement);
    return code == SQLITE_OK;
}

static bool prepare_writer(Ledger *ledger, GError **error)
{
    return run(ledger,
               "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
               "PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -2048",
               error) &&
           check(ledger, error) && prepare_schema(ledger, error);
}

Ledger *ledger_open(const char *file, GError **error)
{
    g_autoptr(Ledger) ledger = NULL;

    if (!make_file(file, error))
        return NULL;
    ledger = open_database(file, file, SQLITE_OPEN_READWRITE, error);
    if (ledger == NULL || !prepare_writer(ledger, error))
        return NULL;
    return g_steal_pointer(&ledger);
}

/*
 * SQLite wants to make two files beside one in WAL mode that nobody has open. A reader that can't
 * make files there reads it as it lies: without a writer all is in it.
 */
static Ledger *open_unshared(const char *file, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(file, "/", FALSE);
    g_autofree char *uri = g_strconcat("file:", escaped, "?immutable=1", NULL);

    return open_database(file, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, error);
}

static bool prepare_reader(Ledger *ledger, GError **error)
{
    return run(ledger, "BEGIN", error) && check_schema(ledger, error);
}

static bool has_log(const char *file)
{
    g_autofree char *log = g_strconcat(file, "-wal", NULL);

    return access(log, F_OK) == 0;
}

Ledger *ledger_open_read_only(const char *file, GError **error)
{
    g_autoptr(Ledger) ledger = NULL;
    g_autoptr(GError) cause = NULL;

    if (access(file, F_OK) != 0 && errno == ENOENT) {
        g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_MISSING,
                    "%s: there is none yet; the daemon makes it", file);
        return NULL;
    }
    ledger = open_database(file, file, SQLITE_OPEN_READONLY, &cause);
    if (ledger != NULL && prepare_reader(ledger, &cause))
        return g_steal_pointer(&ledger);
    if (g_error_matches(cause, LEDGER_FAILURE, LEDGER_FAILURE_SYSTEM) && !has_log(file)) {
        g_clear_pointer(&ledger, ledger_close);
        ledger = open_unshared(file, NULL);
        if (ledger != NULL && prepare_reader(ledger, NULL))
            return g_steal_pointer(&ledger);
    }
    g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}

/* Borrowed, with nothing bound; NULL with error. */
static sqlite3_stmt *statement_of(Ledger *ledger, LedgerStatement which, GError **error)
{
    sqlite3_stmt **statement = &ledger->statements[which];

    if (*statement == NULL &&
        sqlite3_prepare_v3(ledger->database, sqls[which], -1, SQLITE_PREPARE_PERSISTENT, statement,
                           NULL) != SQLITE_OK) {
        ledger_fail(ledger, error);
        return NULL;
    }
    sqlite3_reset(*statement);
    return *statement;
}

/* Runs a statement that gives no row. */
static bool finish(Ledger *ledger, sqlite3_stmt *statement, GError **error)
{
    bool is_done = sqlite3_step(statement) == SQLITE_DONE;

    if (!is_done)
        ledger_fail(ledger, error);
    sqlite3_reset(statement);
    return is_done;
}

/* Milliseconds, as the tables have them. */
static gint64 stored(gint64 wall)
{
    return wall / CLOCK_MILLISECOND;
}

/* Sets id to the domain's, 0 if it is new. */
static bool find_domain(Ledger *ledger, const char *name, gint64 *id, GError **error)
{
    sqlite3_stmt *statement = statement_of(ledger, LEDGER_FIND_DOMAIN, error);
    int code;

    if (statement == NULL)
        return false;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    code = sqlite3_step(statement);
    *id = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        ledger_fail(ledger, error);
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

static bool add_domain(Ledger *ledger, const char *name, const LedgerRow *row, gint64 *id,
                       GError **error)
{
    sqlite3_stmt *statement = statement_of(ledger, LEDGER_ADD_DOMAIN, error);

    if (statement == NULL)
        return false;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, stored(row->first));
    sqlite3_bind_int64(statement, 3, stored(row->last));
    if (!finish(ledger, statement, error))
        return false;
    *id = sqlite3_last_insert_rowid(ledger->database);
    ledger->new_domains++;
    return true;
}

static LedgerStatement see_by_result(guint result)
{
    if (result == SPF_PASS)
        return LEDGER_SEE_AUTHORISED;
    return result == LEDGER_UNCHECKED || result == SPF_TEMPERROR ? LEDGER_SEE_UNKNOWN
                                                                 : LEDGER_SEE_UNAUTHORISED;
}

/* Notes when the domain was seen, and whether it was authorised then. */
static bool see_domain(Ledger *ledger, gint64 id, const LedgerRow *row, GError **error)
{
    sqlite3_stmt *statement = statement_of(ledger, see_by_result(row->result), error);

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, stored(row->first));
    sqlite3_bind_int64(statement, 3, stored(row->last));
    return finish(ledger, statement, error);
}

/* Counts the domains that the ledger has had since the row's day began, when that day is another
 * one than before. */
static bool count_new_domains(Ledger *ledger, guint32 day, GError **error)
{
    sqlite3_stmt *statement;
    bool is_counted;

    if (day == ledger->new_day)
        return true;
    statement = statement_of(ledger, LEDGER_COUNT_NEW, error);
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, stored(ledger_day_begin(day)));
    is_counted = sqlite3_step(statement) == SQLITE_ROW;
    if (is_counted) {
        ledger->new_day = day;
        ledger->new_domains = (guint)sqlite3_column_int(statement, 0);
    } else {
        ledger_fail(ledger, error);
    }
    sqlite3_reset(statement);
    return is_counted;
}

/* The number of the row's domain, or of LEDGER_OTHER_DOMAINS if it is one too many. */
static bool domain_id(Ledger *ledger, const LedgerRow *row, gint64 *id, GError **error)
{
    const char *name = row->domain;

    if (!find_domain(ledger, name, id, error))
        return false;
    if (*id == 0 && ledger->new_domains >= LEDGER_NEW_DOMAINS_MAX) {
        name = LEDGER_OTHER_DOMAINS;
        if (!find_domain(ledger, name, id, error))
            return false;
    }
    return *id != 0 || add_domain(ledger, name, row, id, error);
}

static bool write_row(Ledger *ledger, const LedgerRow *row, GError **error)
{
    sqlite3_stmt *statement;
    gint64 domain = 0;

    if (!count_new_domains(ledger, row->day, error) || !domain_id(ledger, row, &domain, error) ||
        !see_domain(ledger, domain, row, error))
        return false;
    statement = statement_of(ledger, LEDGER_SEE, error);
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, row->day);
    sqlite3_bind_int64(statement, 2, domain);
    sqlite3_bind_int64(statement, 3, row->result);
    sqlite3_bind_int64(statement, 4, row->action);
    sqlite3_bind_int64(statement, 5, (gint64)row->messages);
    sqlite3_bind_int64(statement, 6, stored(row->first));
    sqlite3_bind_int64(statement, 7, stored(row->last));
    return finish(ledger, statement, error);
}

static gint compare_last(gconstpointer a, gconstpointer b)
{
    gint64 last_a = (*(const LedgerRow *const *)a)->last;
    gint64 last_b = (*(const LedgerRow *const *)b)->last;

    return (last_a > last_b) - (last_a < last_b);
}

/* In the order of time, in which a domain was authorised or not. */
static bool write_all(Ledger *ledger, const GPtrArray *rows, GError **error)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_sized_new(rows->len);

    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(sorted, g_ptr_array_index(rows, i));
    g_ptr_array_sort(sorted, compare_last);
    for (guint i = 0; i < sorted->len; i++)
        if (!write_row(ledger, g_ptr_array_index(sorted, i), error))
            return false;
    return true;
}

/* Ends the transaction. Returns is_done, or false if it could not be committed. */
static bool end(Ledger *ledger, bool is_done, GError **error)
{
    if (is_done && run(ledger, "COMMIT", error))
        return true;
    sqlite3_exec(ledger->database, "ROLLBACK", NULL, NULL, NULL);
    ledger->new_day = 0; /* counted anew */
    return false;
}

bool ledger_write(Ledger *ledger, const GPtrArray *rows, GError **error)
{
    return run(ledger, "BEGIN IMMEDIATE", error) &&
           end(ledger, write_all(ledger, rows, error), error);
}

/* Runs sql, which takes one number and gives at most one row of one, 0 if it gives none. */
static bool ask_number(Ledger *ledger, const char *sql, gint64 given, gint64 *number,
                       GError **error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(ledger->database, sql, -1, &statement, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, given);
        code = sqlite3_step(statement);
    }
    *number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        ledger_fail(ledger, error);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

/* The oldest day before day; 0 if there is none. */
static bool oldest_day(Ledger *ledger, guint32 day, gint64 *oldest, GError **error)
{
    return ask_number(ledger, "SELECT min(day) FROM seen WHERE day < ?1", day, oldest, error);
}

static bool delete_day(Ledger *ledger, gint64 oldest, guint32 day, bool *is_more, GError **error)
{
    gint64 ignored;
    gint64 next = 0;

    if (!ask_number(ledger, "DELETE FROM seen WHERE day = ?1", oldest, &ignored, error) ||
        !oldest_day(ledger, day, &next, error))
        return false;
    *is_more = next != 0;
    return *is_more ||
           ask_number(ledger,
                      "DELETE FROM domains WHERE last < ?1 AND id NOT IN (SELECT domain FROM seen)",
                      stored(ledger_day_begin(day)), &ignored, error);
}

bool ledger_expire(Ledger *ledger, guint32 day, bool *is_more, GError **error)
{
    gint64 oldest = 0;

    *is_more = false;
    if (!oldest_day(ledger, day, &oldest, error))
        return false;
    if (oldest == 0)
        return true;
    return run(ledger, "BEGIN IMMEDIATE", error) &&
           end(ledger, delete_day(ledger, oldest, day, is_more, error), error);
}

bool ledger_last_day(Ledger *ledger, guint32 day, guint32 *last, GError **error)
{
    gint64 number = 0;
    bool is_read =
        ask_number(ledger, "SELECT max(day) FROM seen WHERE day < ?1", day, &number, error);

    *last = (guint32)number;
    return is_read;
}

bool ledger_forget_future(Ledger *ledger, gint64 now, GError **error)
{
    gint64 ignored;

    return ask_number(ledger,
                      "UPDATE domains SET first = min(first, ?1), last = ?1,"
                      " authorised_since = min(authorised_since, ?1),"
                      " authorised_last = min(authorised_last, ?1),"
                      " unauthorised_last = min(unauthorised_last, ?1) WHERE last > ?1",
                      stored(now), &ignored, error);
}

bool ledger_is_moved(Ledger *ledger)
{
    int is_moved = 0;

    return sqlite3_file_control(ledger->database, "main", SQLITE_FCNTL_HAS_MOVED, &is_moved) ==
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

char *ledger_move_aside(const char *file, gint64 now, GError **error)
{
    static const char *const beside[] = {"-wal", "-shm"};
    g_autofree char *name = name_aside(file, now);

    if (name == NULL) {
        g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_CORRUPT,
                    "%s: is corrupt, and %d files of today were moved aside before; is the disk "
                    "whole?",
                    file, ASIDE_MAX);
        return NULL;
    }
    if (rename(file, name) != 0) {
        g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_CORRUPT,
                    "%s: is corrupt and can't be moved aside: %s", file, g_strerror(errno));
        return NULL;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(beside); i++) {
        g_autofree char *from = g_strconcat(file, beside[i], NULL);
        g_autofree char *to = g_strconcat(name, beside[i], NULL);

        if (rename(from, to) != 0 && errno != ENOENT)
            unlink(from); /* a new ledger must not find the log of the old one */
    }
    return g_steal_pointer(&name);
}

sqlite3 *ledger_database(Ledger *ledger)
{
    return ledger->database;
}
