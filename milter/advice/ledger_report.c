#include "config.h"

#include "advice/ledger_report.h"

#include <string.h>

#include "advice/ledger_private.h"
#include "base/clock.h"

/* The eight sums of struct LedgerCounts, in the order of MessageAction. */
#define SUM(action) "sum(s.messages) FILTER (WHERE s.action = " #action ")"
#define SUMS SUM(0) "," SUM(1) "," SUM(2) "," SUM(3) "," SUM(4) "," SUM(5) "," SUM(6) "," SUM(7)
#define DECIDED "s.action < 6" /* before inbound */
G_STATIC_ASSERT(MESSAGE_ACTIONS == 8);

/* A domain as read_domain() reads it; with max(s.last) alone, SQLite takes s.result from the row
 * that has it. */
#define DOMAIN_COLUMNS                                                                             \
    "d.name, d.first, d.last, d.authorised_since, d.authorised_last, d.unauthorised_last,"         \
    " s.result, max(s.last)," SUMS
enum {
    COLUMN_NAME,
    COLUMN_FIRST,
    COLUMN_LAST,
    COLUMN_AUTHORISED_SINCE,
    COLUMN_AUTHORISED_LAST,
    COLUMN_UNAUTHORISED_LAST,
    COLUMN_RESULT,
    COLUMN_RESULT_LAST,
    COLUMN_COUNTS
};

LedgerPeriod ledger_period_of(gint64 now, guint days)
{
    guint32 today = ledger_day_of(now);

    return (LedgerPeriod){.from = today - MIN(today, MAX(days, 1) - 1), .to = today};
}

guint64 ledger_counts_decided(const LedgerCounts *counts)
{
    guint64 sum = 0;

    for (MessageAction action = 0; action < MESSAGE_ACTION_INBOUND; action++)
        sum += counts->by[action];
    return sum;
}

guint64 ledger_counts_rewritten(const LedgerCounts *counts)
{
    return counts->by[MESSAGE_ACTION_REWRITE] + counts->by[MESSAGE_ACTION_WOULD_REWRITE];
}

void ledger_domain_free(LedgerDomain *domain)
{
    g_free(domain->name);
    g_free(domain);
}

typedef struct sqlite3_stmt Statement;

static void statement_clear(Statement **statement)
{
    sqlite3_finalize(*statement);
}
#define AUTO_STATEMENT __attribute__((cleanup(statement_clear))) Statement *

/* Returns sql made ready, with the period as ?1 and ?2; NULL with error. */
static Statement *prepare(Ledger *ledger, const char *sql, LedgerPeriod period, GError **error)
{
    Statement *statement = NULL;

    if (sqlite3_prepare_v2(ledger->database, sql, -1, &statement, NULL) != SQLITE_OK) {
        ledger_fail(ledger, error);
        return NULL;
    }
    sqlite3_bind_int64(statement, 1, period.from);
    sqlite3_bind_int64(statement, 2, period.to);
    return statement;
}

/* Is there another row? False at the end, and with error where it can't be read. */
static bool next(Ledger *ledger, Statement *statement, GError **error)
{
    int code = sqlite3_step(statement);

    if (code != SQLITE_ROW && code != SQLITE_DONE)
        ledger_fail(ledger, error);
    return code == SQLITE_ROW;
}

static guint64 count_at(Statement *statement, int column)
{
    return (guint64)sqlite3_column_int64(statement, column);
}

static void read_counts(Statement *statement, int column, LedgerCounts *counts)
{
    for (int action = 0; action < MESSAGE_ACTIONS; action++)
        counts->by[action] = count_at(statement, column + action);
}

GArray *ledger_report_days(Ledger *ledger, LedgerPeriod period, GError **error)
{
    AUTO_STATEMENT statement = prepare(
        ledger, "SELECT s.day, " SUMS " FROM seen s WHERE s.day BETWEEN ?1 AND ?2 GROUP BY s.day",
        period, error);
    g_autoptr(GArray) days = g_array_new(FALSE, TRUE, sizeof(LedgerDay));
    g_autoptr(GError) cause = NULL;

    if (statement == NULL)
        return NULL;
    for (guint32 day = period.from; day <= period.to; day++) {
        LedgerDay empty = {.day = day};

        g_array_append_val(days, empty);
    }
    while (next(ledger, statement, &cause)) {
        guint32 day = (guint32)sqlite3_column_int64(statement, 0);

        read_counts(statement, 1, &g_array_index(days, LedgerDay, day - period.from).counts);
    }
    if (cause == NULL)
        return g_steal_pointer(&days);
    g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}

static gint64 time_at(Statement *statement, int column)
{
    return sqlite3_column_int64(statement, column) * CLOCK_MILLISECOND;
}

static LedgerDomain *read_domain(Statement *statement)
{
    LedgerDomain *domain = g_new0(LedgerDomain, 1);
    gint64 authorised = time_at(statement, COLUMN_AUTHORISED_LAST);
    gint64 unauthorised = time_at(statement, COLUMN_UNAUTHORISED_LAST);

    domain->name = g_strdup((const char *)sqlite3_column_text(statement, COLUMN_NAME));
    domain->first = time_at(statement, COLUMN_FIRST);
    domain->last = time_at(statement, COLUMN_LAST);
    domain->is_authorised = authorised > unauthorised;
    domain->was_unauthorised = unauthorised != 0;
    if (domain->is_authorised)
        domain->authorised_since = time_at(statement, COLUMN_AUTHORISED_SINCE);
    domain->result = LEDGER_UNCHECKED;
    if (sqlite3_column_type(statement, COLUMN_RESULT) != SQLITE_NULL)
        domain->result = MIN((guint)sqlite3_column_int(statement, COLUMN_RESULT), LEDGER_UNCHECKED);
    read_counts(statement, COLUMN_COUNTS, &domain->counts);
    return domain;
}

/* Reads them all; NULL with error. */
static GPtrArray *read_domains(Ledger *ledger, Statement *statement, GError **error)
{
    g_autoptr(GPtrArray) domains =
        g_ptr_array_new_with_free_func((GDestroyNotify)ledger_domain_free);
    g_autoptr(GError) cause = NULL;

    while (next(ledger, statement, &cause))
        g_ptr_array_add(domains, read_domain(statement));
    if (cause == NULL)
        return g_steal_pointer(&domains);
    g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}

static void bind_limit(Statement *statement, int parameter, guint limit)
{
    sqlite3_bind_int64(statement, parameter, limit > 0 ? (gint64)limit : -1);
}

GPtrArray *ledger_report_domains(Ledger *ledger, LedgerPeriod period, LedgerOrder order,
                                 guint limit, GError **error)
{
    static const char *const sqls[] = {
        [LEDGER_ORDER_MESSAGES] =
            "SELECT " DOMAIN_COLUMNS " FROM seen s JOIN domains d ON d.id = s.domain"
            " WHERE s.day BETWEEN ?1 AND ?2 AND " DECIDED " GROUP BY s.domain"
            " ORDER BY sum(s.messages) DESC, d.name LIMIT ?3",
        [LEDGER_ORDER_REWRITTEN] =
            "SELECT " DOMAIN_COLUMNS " FROM seen s JOIN domains d ON d.id = s.domain"
            " WHERE s.day BETWEEN ?1 AND ?2 AND " DECIDED " GROUP BY s.domain"
            " HAVING sum(s.messages) FILTER (WHERE s.action IN (1, 2)) > 0"
            " ORDER BY sum(s.messages) FILTER (WHERE s.action IN (1, 2)) DESC,"
            " sum(s.messages) DESC, d.name LIMIT ?3",
    };
    AUTO_STATEMENT statement = prepare(ledger, sqls[order], period, error);

    if (statement == NULL)
        return NULL;
    bind_limit(statement, 3, limit);
    return read_domains(ledger, statement, error);
}

bool ledger_report_count(Ledger *ledger, LedgerPeriod period, guint64 *domains, GError **error)
{
    AUTO_STATEMENT statement =
        prepare(ledger,
                "SELECT count(DISTINCT s.domain) FROM seen s WHERE s.day BETWEEN ?1 AND ?2"
                " AND " DECIDED,
                period, error);

    if (statement == NULL || !next(ledger, statement, error))
        return false;
    *domains = count_at(statement, 0);
    return true;
}

GPtrArray *ledger_report_newly_authorised(Ledger *ledger, LedgerPeriod period, guint limit,
                                          GError **error)
{
    AUTO_STATEMENT statement =
        prepare(ledger,
                "SELECT " DOMAIN_COLUMNS " FROM seen s CROSS JOIN domains d ON d.id = s.domain"
                " WHERE s.day BETWEEN ?1 AND ?2 AND " DECIDED " AND s.domain IN"
                " (SELECT id FROM domains WHERE authorised_since >= ?3 AND authorised_since < ?4"
                "  AND authorised_last > unauthorised_last)"
                " GROUP BY d.id ORDER BY d.authorised_since DESC, d.name LIMIT ?5",
                period, error);

    if (statement == NULL)
        return NULL;
    sqlite3_bind_int64(statement, 3, ledger_day_begin(period.from) / CLOCK_MILLISECOND);
    sqlite3_bind_int64(statement, 4, ledger_day_begin(period.to + 1) / CLOCK_MILLISECOND);
    bind_limit(statement, 5, limit);
    return read_domains(ledger, statement, error);
}

/* Rows of one domain: a look into the table for each day, which has no index by domain. */
#define OF_DOMAIN                                                                                  \
    "WITH RECURSIVE days (day) AS (SELECT ?1 UNION ALL SELECT day + 1 FROM days WHERE day < ?2),"  \
    " s AS (SELECT seen.* FROM days CROSS JOIN seen ON seen.day = days.day"                        \
    "  AND seen.domain = (SELECT id FROM domains WHERE name = ?3)"                                 \
    "  WHERE seen.action < 6) "

LedgerDomain *ledger_report_domain(Ledger *ledger, const char *name, LedgerPeriod period,
                                   GError **error)
{
    AUTO_STATEMENT statement =
        prepare(ledger,
                OF_DOMAIN "SELECT " DOMAIN_COLUMNS " FROM domains d LEFT JOIN s ON s.domain = d.id"
                          " WHERE d.name = ?3 GROUP BY d.id",
                period, error);

    if (statement == NULL)
        return NULL;
    sqlite3_bind_text(statement, 3, name, -1, SQLITE_STATIC);
    return next(ledger, statement, error) ? read_domain(statement) : NULL;
}

/* Adds the row (day, result, action, messages) to the last of days, or to a new one. */
static void add_history(GArray *days, Statement *statement)
{
    guint32 day = (guint32)sqlite3_column_int64(statement, 0);
    guint result = MIN((guint)sqlite3_column_int(statement, 1), LEDGER_UNCHECKED);
    guint action = (guint)sqlite3_column_int(statement, 2);
    guint64 messages = count_at(statement, 3);
    LedgerDomainDay *last = NULL;

    if (days->len == 0 || g_array_index(days, LedgerDomainDay, days->len - 1).day != day) {
        LedgerDomainDay empty = {.day = day};

        g_array_append_val(days, empty);
    }
    last = &g_array_index(days, LedgerDomainDay, days->len - 1);
    last->results[result] += messages;
    if (action < MESSAGE_ACTIONS)
        last->counts.by[action] += messages;
}

GArray *ledger_report_history(Ledger *ledger, const char *name, LedgerPeriod period, GError **error)
{
    AUTO_STATEMENT statement =
        prepare(ledger, OF_DOMAIN "SELECT day, result, action, messages FROM s ORDER BY day",
                period, error);
    g_autoptr(GArray) days = g_array_new(FALSE, TRUE, sizeof(LedgerDomainDay));
    g_autoptr(GError) cause = NULL;

    if (statement == NULL)
        return NULL;
    sqlite3_bind_text(statement, 3, name, -1, SQLITE_STATIC);
    while (next(ledger, statement, &cause))
        add_history(days, statement);
    if (cause == NULL)
        return g_steal_pointer(&days);
    g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}
