#include "config.h"

#include "ledger/ledger_schema.h"

#include "ledger/ledger.h"

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

bool ledger_schema_fail(sqlite3 *database, const char *file, GError **error)
{
    int code = sqlite3_errcode(database);
    int cause = sqlite3_system_errno(database);
    bool has_cause = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR;

    g_set_error(error, LEDGER_FAILURE, failure_of(code), "%s: %s%s%s", file,
                sqlite3_errmsg(database), has_cause && cause != 0 ? ": " : "",
                has_cause && cause != 0 ? g_strerror(cause) : "");
    return false;
}

static bool read_number(sqlite3 *database, const char *file, const char *sql, gint64 *number,
                        GError **error)
{
    sqlite3_stmt *statement = NULL;
    bool is_read = sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
                   sqlite3_step(statement) == SQLITE_ROW;

    if (is_read)
        *number = sqlite3_column_int64(statement, 0);
    else
        ledger_schema_fail(database, file, error);
    sqlite3_finalize(statement);
    return is_read;
}

/* Reads the version; refuses what is another program's, or a newer one's. */
static bool read_version(sqlite3 *database, const char *file, gint64 *version, GError **error)
{
    gint64 application = 0;
    gint64 tables = 0;

    if (!read_number(database, file, "PRAGMA application_id", &application, error) ||
        !read_number(database, file, "PRAGMA user_version", version, error) ||
        !read_number(database, file, "SELECT count(*) FROM sqlite_schema", &tables, error))
        return false;
    if (application != LEDGER_APPLICATION_ID && (application != 0 || *version != 0 || tables > 0)) {
        g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_FOREIGN,
                    "%s: is a database of another program; write another file as ledger", file);
        return false;
    }
    if (*version > LEDGER_SCHEMA_VERSION) {
        g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_VERSION,
                    "%s: is of a newer spfrom (version %" G_GINT64_FORMAT
                    " of the tables; this one knows %d); upgrade spfrom, or move the file away",
                    file, *version, LEDGER_SCHEMA_VERSION);
        return false;
    }
    return true;
}

static bool run(sqlite3 *database, const char *file, const char *sql, GError **error)
{
    return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK ||
           ledger_schema_fail(database, file, error);
}

/* In the transaction: nobody else can have mended it meanwhile. */
static bool migrate(sqlite3 *database, const char *file, GError **error)
{
    g_autofree char *marks = g_strdup_printf("PRAGMA application_id = %d; PRAGMA user_version = %d",
                                             LEDGER_APPLICATION_ID, LEDGER_SCHEMA_VERSION);
    gint64 version = 0;

    if (!read_version(database, file, &version, error))
        return false;
    for (; version < LEDGER_SCHEMA_VERSION; version++)
        if (!run(database, file, scripts[version], error))
            return false;
    return run(database, file, marks, error);
}

bool ledger_schema_prepare(sqlite3 *database, const char *file, GError **error)
{
    gint64 version = 0;

    if (!read_version(database, file, &version, error))
        return false;
    if (version == LEDGER_SCHEMA_VERSION)
        return true;
    if (!run(database, file, "BEGIN IMMEDIATE", error))
        return false;
    if (migrate(database, file, error) && run(database, file, "COMMIT", error))
        return true;
    sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

bool ledger_schema_check(sqlite3 *database, const char *file, GError **error)
{
    gint64 version = 0;

    if (!read_version(database, file, &version, error))
        return false;
    if (version == LEDGER_SCHEMA_VERSION)
        return true;
    g_set_error(error, LEDGER_FAILURE, LEDGER_FAILURE_VERSION,
                "%s: is of an older spfrom; the daemon brings it up to date when it starts", file);
    return false;
}
