#include "config.h"

#include "ledger/ledger.h"

#include <sqlite3.h>
#include <string.h>

#include "base/clock.h"

typedef enum {
    LEDGER_FIND_DOMAIN,
    LEDGER_ADD_DOMAIN,
    LEDGER_SEE_UNKNOWN,
    LEDGER_SEE_AUTHORISED,
    LEDGER_SEE_UNAUTHORISED,
    LEDGER_SEE,
    LEDGER_SEE_RETURNED,
    LEDGER_COUNT_NEW,
    LEDGER_STATEMENTS
} LedgerStatement;

struct Ledger {
    Database *database;
    sqlite3_stmt *statements[LEDGER_STATEMENTS]; /* prepared when they are first used */
    guint32 new_day;                             /* the one that was written to last; 0: none yet */
    guint new_domains;                           /* the ledger's since that day began */
};

/* These numbers are in files: one is never given another meaning. */
G_STATIC_ASSERT(SPF_NONE == 0 && SPF_NEUTRAL == 1 && SPF_PASS == 2 && SPF_FAIL == 3 &&
                SPF_SOFTFAIL == 4 && SPF_TEMPERROR == 5 && SPF_PERMERROR == 6 &&
                LEDGER_UNCHECKED == 7 && LEDGER_DKIM == 8);
G_STATIC_ASSERT(MESSAGE_ACTION_KEEP == 0 && MESSAGE_ACTION_REWRITE == 1 &&
                MESSAGE_ACTION_WOULD_REWRITE == 2 && MESSAGE_ACTION_TEMPFAIL == 3 &&
                MESSAGE_ACTION_WOULD_TEMPFAIL == 4 && MESSAGE_ACTION_ERROR == 5 &&
                MESSAGE_ACTION_INBOUND == 6 && MESSAGE_ACTION_LOCAL == 7 && LEDGER_ACTIONS == 8);
G_STATIC_ASSERT(RETURN_BOUNCE == 0 && RETURN_AUTO_REPLY == 1 && RETURN_REPLY == 2);

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

    /* The same for the time since which it is not authorised any more. */
    "ALTER TABLE domains ADD COLUMN unauthorised_since INTEGER;"
    "UPDATE domains SET unauthorised_since = max(of.since, ifnull(authorised_last, 0)) FROM"
    " (SELECT seen.domain AS domain, min(seen.first) AS since FROM seen JOIN domains AS d"
    "  ON d.id = seen.domain WHERE result NOT IN (2, 5, 7)"
    "  AND seen.last > ifnull(d.authorised_last, 0) GROUP BY seen.domain) AS of"
    " WHERE of.domain = domains.id;",

    /* What came back to authors of the domain; kind is a ReturnKind. */
    "CREATE TABLE returned ("
    " day INTEGER NOT NULL,"
    " domain INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " messages INTEGER NOT NULL,"
    " PRIMARY KEY (day, domain, kind)) WITHOUT ROWID;",
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
        " WHEN ?3 <= ifnull(unauthorised_last, 0) THEN authorised_since"
        " WHEN authorised_last IS NULL OR authorised_last <= ifnull(unauthorised_last, 0)"
        " THEN max(?2, ifnull(unauthorised_last, 0)) ELSE authorised_since END,"
        " authorised_last = CASE WHEN ?3 <= ifnull(unauthorised_last, 0) THEN authorised_last"
        " ELSE max(?3, ifnull(authorised_last, 0)) END" OF_DOMAIN,
    [LEDGER_SEE_UNAUTHORISED] =
        "UPDATE domains SET" SEEN_AT ", unauthorised_since = CASE"
        " WHEN ?3 <= ifnull(authorised_last, 0) THEN unauthorised_since"
        " WHEN unauthorised_last IS NULL OR unauthorised_last <= ifnull(authorised_last, 0)"
        " THEN max(?2, ifnull(authorised_last, 0)) ELSE unauthorised_since END,"
        " unauthorised_last = max(?3, ifnull(unauthorised_last, 0))" OF_DOMAIN,
    [LEDGER_SEE] = "INSERT INTO seen (day, domain, result, action, messages, first, last)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET"
                   " messages = messages + excluded.messages, first = min(first, excluded.first),"
                   " last = max(last, excluded.last)",
    [LEDGER_SEE_RETURNED] = "INSERT INTO returned (day, domain, kind, messages)"
                            " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
                            " messages = messages + excluded.messages",
    [LEDGER_COUNT_NEW] = "SELECT count(*) FROM domains WHERE first >= ?1",
};

static const DatabaseKind kind = {
    .application_id = 0x73706672, /* "spfr" */
    .version = LEDGER_SCHEMA_VERSION,
    .scripts = scripts,
    .pragmas = "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;"
               "PRAGMA cache_size = -2048",
    .mode = 0640,
    .patience = 2000,
    .is_checked = true,
    .remedy = "write another file as ledger",
};

/* Takes database, which may be NULL. */
static Ledger *ledger_new(Database *database)
{
    Ledger *ledger = NULL;

    if (database != NULL) {
        ledger = g_new0(Ledger, 1);
        ledger->database = database;
    }
    return ledger;
}

/* Besides the versions: an older spfrom does not mind the table. */
static const char identity_sql[] = "CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL);"
                                   "INSERT INTO identity SELECT lower(hex(randomblob(8)))"
                                   " WHERE NOT EXISTS (SELECT 1 FROM identity);";

Ledger *ledger_open(const char *file, GError **error)
{
    g_autoptr(Ledger) ledger = ledger_new(database_open(&kind, file, error));

    if (ledger == NULL || !database_run(ledger->database, "BEGIN IMMEDIATE", error) ||
        !database_end(ledger->database, database_run(ledger->database, identity_sql, error), error))
        return NULL;
    return g_steal_pointer(&ledger);
}

Ledger *ledger_open_read_only(const char *file, GError **error)
{
    return ledger_new(database_open_read_only(&kind, file, true, error));
}

/* Copies each table that both have: the days of one that has days. */
static bool copy_tables(Ledger *ledger, guint32 from, guint32 to, GError **error)
{
    static const char *const tables[] = {"domains", "seen", "returned"};

    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        bool has_days = strcmp(tables[i], "domains") != 0;
        g_autofree char *days =
            has_days ? g_strdup_printf(" WHERE day BETWEEN %u AND %u", from, to) : g_strdup("");
        g_autofree char *sql = g_strdup_printf("INSERT INTO main.%s SELECT * FROM other.%s%s",
                                               tables[i], tables[i], days);

        if (!database_run(ledger->database, sql, error))
            return false;
    }
    return true;
}

Ledger *ledger_copy(const char *file, guint32 from, guint32 to, GError **error)
{
    g_autoptr(Ledger) ledger = ledger_new(database_open_temporary(&kind, error));
    bool is_copied;

    if (ledger == NULL || !database_attach(ledger->database, file, error))
        return NULL;
    is_copied = database_run(ledger->database, "BEGIN", error) &&
                database_end(ledger->database, copy_tables(ledger, from, to, error), error);
    database_detach(ledger->database);
    return is_copied ? g_steal_pointer(&ledger) : NULL;
}

void ledger_close(Ledger *ledger)
{
    for (size_t i = 0; i < LEDGER_STATEMENTS; i++)
        sqlite3_finalize(ledger->statements[i]);
    database_close(ledger->database);
    g_free(ledger);
}

/* Borrowed, with nothing bound; NULL with error. */
static sqlite3_stmt *statement_of(Ledger *ledger, LedgerStatement which, GError **error)
{
    return database_statement(ledger->database, &ledger->statements[which], sqls[which], error);
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
        database_fail(ledger->database, error);
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
    if (!database_finish(ledger->database, statement, error))
        return false;
    *id = sqlite3_last_insert_rowid(ledger->database->handle);
    ledger->new_domains++;
    return true;
}

static LedgerStatement see_by_result(guint result)
{
    if (result == SPF_PASS || result == LEDGER_DKIM)
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
    return database_finish(ledger->database, statement, error);
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
        database_fail(ledger->database, error);
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

static bool write_returned(Ledger *ledger, const LedgerRow *row, gint64 domain, GError **error)
{
    sqlite3_stmt *statement = statement_of(ledger, LEDGER_SEE_RETURNED, error);

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, row->day);
    sqlite3_bind_int64(statement, 2, domain);
    sqlite3_bind_int64(statement, 3, row->returned - 1);
    sqlite3_bind_int64(statement, 4, (gint64)row->messages);
    return database_finish(ledger->database, statement, error);
}

static bool write_row(Ledger *ledger, const LedgerRow *row, GError **error)
{
    sqlite3_stmt *statement;
    gint64 domain = 0;

    if (!count_new_domains(ledger, row->day, error) || !domain_id(ledger, row, &domain, error))
        return false;
    if (row->returned > 0)
        return write_returned(ledger, row, domain, error);
    if (!see_domain(ledger, domain, row, error))
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
    return database_finish(ledger->database, statement, error);
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
    is_done = database_end(ledger->database, is_done, error);
    if (!is_done)
        ledger->new_day = 0; /* counted anew */
    return is_done;
}

bool ledger_write(Ledger *ledger, const GPtrArray *rows, GError **error)
{
    return database_run(ledger->database, "BEGIN IMMEDIATE", error) &&
           end(ledger, write_all(ledger, rows, error), error);
}

/* The oldest day before day; 0 if there is none. */
static bool oldest_day(Ledger *ledger, guint32 day, gint64 *oldest, GError **error)
{
    return database_ask(ledger->database,
                        "SELECT min(day) FROM (SELECT min(day) AS day FROM seen WHERE day < ?1"
                        " UNION ALL SELECT min(day) FROM returned WHERE day < ?1)",
                        day, oldest, error);
}

static bool delete_day(Ledger *ledger, gint64 oldest, guint32 day, bool *is_more, GError **error)
{
    gint64 ignored;
    gint64 next = 0;

    if (!database_ask(ledger->database, "DELETE FROM seen WHERE day = ?1", oldest, &ignored,
                      error) ||
        !database_ask(ledger->database, "DELETE FROM returned WHERE day = ?1", oldest, &ignored,
                      error) ||
        !oldest_day(ledger, day, &next, error))
        return false;
    *is_more = next != 0;
    return *is_more ||
           database_ask(
               ledger->database,
               "DELETE FROM domains WHERE last < ?1 AND id NOT IN (SELECT domain FROM seen)"
               " AND id NOT IN (SELECT domain FROM returned)",
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
    return database_run(ledger->database, "BEGIN IMMEDIATE", error) &&
           end(ledger, delete_day(ledger, oldest, day, is_more, error), error);
}

bool ledger_last_day(Ledger *ledger, guint32 day, guint32 *last, GError **error)
{
    gint64 number = 0;
    bool is_read = database_ask(ledger->database, "SELECT max(day) FROM seen WHERE day < ?1", day,
                                &number, error);

    *last = (guint32)number;
    return is_read;
}

bool ledger_forget_future(Ledger *ledger, gint64 now, GError **error)
{
    gint64 ignored;

    return database_ask(ledger->database,
                        "UPDATE domains SET first = min(first, ?1), last = ?1,"
                        " authorised_since = min(authorised_since, ?1),"
                        " authorised_last = min(authorised_last, ?1),"
                        " unauthorised_since = min(unauthorised_since, ?1),"
                        " unauthorised_last = min(unauthorised_last, ?1) WHERE last > ?1",
                        stored(now), &ignored, error);
}

char *ledger_id(Ledger *ledger, GError **error)
{
    sqlite3_stmt *statement = NULL;
    gint64 tables = 0;
    char *id = NULL;

    if (!database_ask(ledger->database,
                      "SELECT count(*) FROM sqlite_schema WHERE name = 'identity' AND ?1 = 0", 0,
                      &tables, error) ||
        tables == 0)
        return NULL;
    if (sqlite3_prepare_v2(ledger->database->handle, "SELECT id FROM identity", -1, &statement,
                           NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        id = g_strdup((const char *)sqlite3_column_text(statement, 0));
    else
        database_fail(ledger->database, error);
    sqlite3_finalize(statement);
    return id;
}

bool ledger_is_moved(Ledger *ledger)
{
    return database_is_moved(ledger->database);
}

Database *ledger_database(Ledger *ledger)
{
    return ledger->database;
}
