#include "config.h"

#include "ledger/ledger_report.h"

#include <sqlite3.h>
#include <string.h>

#include "base/clock.h"
#include "base/spelling.h"

/* The eight sums of struct LedgerCounts, in the order of MessageAction. */
#define SUM(action) "sum(s.messages) FILTER (WHERE s.action = " #action ")"
#define SUMS SUM(0) "," SUM(1) "," SUM(2) "," SUM(3) "," SUM(4) "," SUM(5) "," SUM(6) "," SUM(7)
G_STATIC_ASSERT(LEDGER_ACTIONS == 8);

/* A domain as read_domain() reads it; with max(s.last) alone, SQLite takes s.result from the row
 * that has it. */
#define DOMAIN_COLUMNS                                                                             \
    "d.name, d.first, d.last, d.authorised_since, d.authorised_last, d.unauthorised_last,"         \
    " d.unauthorised_since, s.result, max(s.last)," SUMS                                           \
    ",sum(s.messages) FILTER (WHERE s.result = 8)"
G_STATIC_ASSERT(LEDGER_DKIM == 8);
enum {
    COLUMN_NAME,
    COLUMN_FIRST,
    COLUMN_LAST,
    COLUMN_AUTHORISED_SINCE,
    COLUMN_AUTHORISED_LAST,
    COLUMN_UNAUTHORISED_LAST,
    COLUMN_UNAUTHORISED_SINCE,
    COLUMN_RESULT,
    COLUMN_RESULT_LAST,
    COLUMN_COUNTS,
    COLUMN_BY_DKIM = COLUMN_COUNTS + LEDGER_ACTIONS
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

    if (sqlite3_prepare_v2(ledger_database(ledger)->handle, sql, -1, &statement, NULL) !=
        SQLITE_OK) {
        database_fail(ledger_database(ledger), error);
        return NULL;
    }
    sqlite3_bind_int64(statement, 1, period.from);
    sqlite3_bind_int64(statement, 2, period.to);
    return statement;
}

/* Is there another row? False at the end, and with error if it can't be read. */
static bool next(Ledger *ledger, Statement *statement, GError **error)
{
    int code = sqlite3_step(statement);

    if (code != SQLITE_ROW && code != SQLITE_DONE)
        database_fail(ledger_database(ledger), error);
    return code == SQLITE_ROW;
}

static guint64 count_at(Statement *statement, int column)
{
    return (guint64)sqlite3_column_int64(statement, column);
}

/* One that a newer spfrom has written says nothing. */
static guint result_at(Statement *statement, int column)
{
    guint result = (guint)sqlite3_column_int(statement, column);

    return result < LEDGER_RESULTS ? result : LEDGER_UNCHECKED;
}

static void read_counts(Statement *statement, int column, LedgerCounts *counts)
{
    for (int action = 0; action < LEDGER_ACTIONS; action++)
        counts->by[action] = count_at(statement, column + action);
}

static gint64 time_at(Statement *statement, int column)
{
    return sqlite3_column_int64(statement, column) * CLOCK_MILLISECOND;
}

/* Sets when the domain was seen, and whether it is authorised. */
static void read_times(Statement *statement, LedgerDomain *domain)
{
    gint64 authorised = time_at(statement, COLUMN_AUTHORISED_LAST);
    gint64 unauthorised = time_at(statement, COLUMN_UNAUTHORISED_LAST);

    domain->first = time_at(statement, COLUMN_FIRST);
    domain->last = time_at(statement, COLUMN_LAST);
    domain->is_authorised = authorised > unauthorised;
    domain->was_unauthorised = unauthorised != 0;
    domain->authorised_since =
        domain->is_authorised ? time_at(statement, COLUMN_AUTHORISED_SINCE) : 0;
    domain->unauthorised_since = 0;
    domain->authorised_before = 0;
    if (authorised == 0 || domain->is_authorised)
        return;
    domain->unauthorised_since = MAX(time_at(statement, COLUMN_UNAUTHORISED_SINCE), authorised);
    domain->authorised_before = time_at(statement, COLUMN_AUTHORISED_SINCE);
}

static LedgerDomain *read_domain(Statement *statement)
{
    LedgerDomain *domain = g_new0(LedgerDomain, 1);

    read_times(statement, domain);
    domain->name = g_strdup((const char *)sqlite3_column_text(statement, COLUMN_NAME));
    domain->result = LEDGER_UNCHECKED;
    if (sqlite3_column_type(statement, COLUMN_RESULT) != SQLITE_NULL)
        domain->result = result_at(statement, COLUMN_RESULT);
    read_counts(statement, COLUMN_COUNTS, &domain->counts);
    domain->by_dkim = count_at(statement, COLUMN_BY_DKIM);
    return domain;
}

/* The rows of one slice of domains, day by day: both steps go down the table's only index. */
static const char slice_sql[] =
    "WITH RECURSIVE days (day) AS (SELECT min(day) FROM seen WHERE day BETWEEN ?1 AND ?2 UNION ALL"
    " SELECT (SELECT min(later.day) FROM seen later WHERE later.day > days.day AND later.day <= ?2)"
    " FROM days WHERE days.day IS NOT NULL) "
    "SELECT s.day, s.domain, s.action, s.messages, s.result, s.last FROM days CROSS JOIN seen s"
    " ON s.day = days.day AND s.domain BETWEEN ?3 AND ?4";

/* What came back to a slice's domains: few rows, which no index by domain is needed for. */
static const char returned_sql[] =
    "SELECT domain, messages FROM returned WHERE day BETWEEN ?1 AND ?2 AND domain BETWEEN ?3 AND ?4";

/* Those of a slice's domains, with the columns of read_domain(). */
static const char domains_sql[] =
    "SELECT d.name, d.first, d.last, d.authorised_since, d.authorised_last, d.unauthorised_last,"
    " d.unauthorised_since, d.id FROM domains d WHERE d.id BETWEEN ?3 AND ?4";
#define COLUMN_ID COLUMN_RESULT

/* One domain while it is added up. */
typedef struct {
    LedgerCounts counts;
    guint64 returned;
    guint64 by_dkim;
    gint64 last; /* when result was seen */
    guint result;
    bool is_seen; /* in outgoing mail */
} Tally;

/*
 * SQLite's GROUP BY sorts millions of rows on the disk. Domains have numbers, so that adding up
 * takes an array; a slice of them at a time keeps it small, however many domains there are.
 */
#define SLICE 262144
typedef struct Reading Reading;
struct Reading {
    Ledger *ledger;
    LedgerPeriod period;
    LedgerReport *report;
    gint64 from, to; /* numbers of the slice's domains */
    Tally *tallies;
    /* Is told of each domain that had outgoing mail. */
    void (*take)(const Reading *reading, const LedgerDomain *domain);
    gpointer data; /* for take */
};

void ledger_report_free(LedgerReport *report)
{
    g_clear_pointer(&report->days, g_array_unref);
    g_clear_pointer(&report->by_messages, g_ptr_array_unref);
    g_clear_pointer(&report->by_rewritten, g_ptr_array_unref);
    g_clear_pointer(&report->newly_authorised, g_ptr_array_unref);
    g_clear_pointer(&report->no_longer_authorised, g_ptr_array_unref);
    g_free(report);
}

static LedgerReport *new_report(LedgerPeriod period)
{
    LedgerReport *report = g_new0(LedgerReport, 1);

    report->days = g_array_new(FALSE, TRUE, sizeof(LedgerDay));
    for (guint32 day = period.from; day <= period.to; day++) {
        LedgerDay empty = {.day = day};

        g_array_append_val(report->days, empty);
    }
    report->by_messages = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_domain_free);
    report->by_rewritten = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_domain_free);
    report->newly_authorised = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_domain_free);
    report->no_longer_authorised =
        g_ptr_array_new_with_free_func((GDestroyNotify)ledger_domain_free);
    return report;
}

static Statement *prepare_slice(const Reading *reading, const char *sql, GError **error)
{
    Statement *statement = prepare(reading->ledger, sql, reading->period, error);

    if (statement != NULL) {
        sqlite3_bind_int64(statement, 3, reading->from);
        sqlite3_bind_int64(statement, 4, reading->to);
    }
    return statement;
}

static void add_row(const Reading *reading, Statement *statement)
{
    guint32 day = (guint32)sqlite3_column_int64(statement, 0);
    Tally *tally = &reading->tallies[sqlite3_column_int64(statement, 1) - reading->from];
    guint action = (guint)sqlite3_column_int(statement, 2);
    guint64 messages = count_at(statement, 3);
    guint result = result_at(statement, 4);
    gint64 last = sqlite3_column_int64(statement, 5);

    if (action >= LEDGER_ACTIONS)
        return;
    g_array_index(reading->report->days, LedgerDay, day - reading->period.from).counts.by[action] +=
        messages;
    if (action >= MESSAGE_ACTION_INBOUND)
        return;
    tally->counts.by[action] += messages;
    if (result == LEDGER_DKIM) {
        tally->by_dkim += messages;
        reading->report->by_dkim += messages;
    }
    if (!tally->is_seen || last > tally->last) {
        tally->last = last;
        tally->result = result;
    }
    tally->is_seen = true;
}

static void add_returned(const Reading *reading, Statement *statement)
{
    reading->tallies[sqlite3_column_int64(statement, 0) - reading->from].returned +=
        count_at(statement, 1);
}

/* Tells add of each row of sql. */
static bool for_each_row(const Reading *reading, const char *sql,
                         void (*add)(const Reading *reading, Statement *statement), GError **error)
{
    AUTO_STATEMENT statement = prepare_slice(reading, sql, error);
    g_autoptr(GError) cause = NULL;

    if (statement == NULL)
        return false;
    while (next(reading->ledger, statement, &cause))
        add(reading, statement);
    if (cause == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

static bool add_up_slice(const Reading *reading, GError **error)
{
    memset(reading->tallies, 0, SLICE * sizeof(Tally));
    return for_each_row(reading, slice_sql, add_row, error) &&
           for_each_row(reading, returned_sql, add_returned, error);
}

/* Below 0: a comes first. */
static gint compare_numbers(guint64 a, guint64 b)
{
    return (a < b) - (a > b);
}

static gint compare_messages(const LedgerDomain *a, const LedgerDomain *b)
{
    gint order =
        compare_numbers(ledger_counts_decided(&a->counts), ledger_counts_decided(&b->counts));

    return order != 0 ? order : strcmp(a->name, b->name);
}

static gint compare_rewritten(const LedgerDomain *a, const LedgerDomain *b)
{
    gint order =
        compare_numbers(ledger_counts_rewritten(&a->counts), ledger_counts_rewritten(&b->counts));

    return order != 0 ? order : compare_messages(a, b);
}

static gint compare_names(const LedgerDomain *a, const LedgerDomain *b)
{
    return strcmp(a->name, b->name);
}

static gint compare_results(const LedgerDomain *a, const LedgerDomain *b)
{
    gint order = (a->result > b->result) - (a->result < b->result);

    return order != 0 ? order : compare_messages(a, b);
}

static gint compare_last(const LedgerDomain *a, const LedgerDomain *b)
{
    gint order = compare_numbers((guint64)a->last, (guint64)b->last);

    return order != 0 ? order : strcmp(a->name, b->name);
}

static gint compare_since(const LedgerDomain *a, const LedgerDomain *b)
{
    gint order = compare_numbers((guint64)a->authorised_since, (guint64)b->authorised_since);

    return order != 0 ? order : strcmp(a->name, b->name);
}

static gint compare_broken(const LedgerDomain *a, const LedgerDomain *b)
{
    gint order = compare_numbers((guint64)a->unauthorised_since, (guint64)b->unauthorised_since);

    return order != 0 ? order : strcmp(a->name, b->name);
}

/* A list that is being filled: up to twice as long as it may be, then cut to the first limit. */
typedef struct {
    GPtrArray *domains;
    gint (*compare)(const LedgerDomain *a, const LedgerDomain *b);
    guint limit;
    bool is_reversed;
    const LedgerDomain *worst; /* the last of a full list; NULL: it was not cut yet */
} List;

static gint compare_in(const List *list, const LedgerDomain *a, const LedgerDomain *b)
{
    return list->is_reversed ? list->compare(b, a) : list->compare(a, b);
}

static gint compare_entries(gconstpointer a, gconstpointer b, gpointer list)
{
    return compare_in(list, *(const LedgerDomain *const *)a, *(const LedgerDomain *const *)b);
}

static void cut(List *list)
{
    g_ptr_array_sort_with_data(list->domains, compare_entries, list);
    if (list->domains->len <= list->limit)
        return;
    g_ptr_array_set_size(list->domains, (gint)list->limit);
    list->worst = g_ptr_array_index(list->domains, list->limit - 1);
}

/* Adds a copy of domain, if it may be among the first. */
static void offer(List *list, const LedgerDomain *domain)
{
    LedgerDomain *copy;

    if (list->limit == 0 || (list->worst != NULL && compare_in(list, domain, list->worst) > 0))
        return;
    copy = g_memdup2(domain, sizeof(*domain));
    copy->name = g_strdup(domain->name);
    g_ptr_array_add(list->domains, copy);
    if (list->domains->len / 2 >= list->limit)
        cut(list);
}

enum { LIST_MESSAGES, LIST_REWRITTEN, LIST_NEWLY_AUTHORISED, LIST_NO_LONGER_AUTHORISED, LISTS };

static bool is_in_period(const Reading *reading, gint64 wall)
{
    return wall >= ledger_day_begin(reading->period.from) &&
           wall < ledger_day_begin(reading->period.to + 1);
}

static void take_for_report(const Reading *reading, const LedgerDomain *domain)
{
    List *lists = reading->data;

    offer(&lists[LIST_MESSAGES], domain);
    if (ledger_counts_rewritten(&domain->counts) > 0)
        offer(&lists[LIST_REWRITTEN], domain);
    if (domain->was_unauthorised && is_in_period(reading, domain->authorised_since))
        offer(&lists[LIST_NEWLY_AUTHORISED], domain);
    if (domain->unauthorised_since != 0 && is_in_period(reading, domain->unauthorised_since))
        offer(&lists[LIST_NO_LONGER_AUTHORISED], domain);
}

/* Domains of the slice that had outgoing mail. */
static bool list_slice(const Reading *reading, GError **error)
{
    AUTO_STATEMENT statement = prepare_slice(reading, domains_sql, error);
    g_autoptr(GError) cause = NULL;

    if (statement == NULL)
        return false;
    while (next(reading->ledger, statement, &cause)) {
        const Tally *tally =
            &reading->tallies[sqlite3_column_int64(statement, COLUMN_ID) - reading->from];
        LedgerDomain domain;

        if (!tally->is_seen)
            continue;
        read_times(statement, &domain);
        domain.name = (char *)sqlite3_column_text(statement, COLUMN_NAME);
        domain.result = tally->result;
        domain.counts = tally->counts;
        domain.returned = tally->returned;
        domain.by_dkim = tally->by_dkim;
        reading->report->domains++;
        reading->take(reading, &domain);
    }
    if (cause == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* Moves reading to the slice that begins with the next domain there is. False at the end, and with
 * error. */
static bool next_slice(Reading *reading, GError **error)
{
    static const char sql[] = "SELECT min(id) FROM domains WHERE id > ?3";
    AUTO_STATEMENT statement =
        prepare_slice(&(Reading){.ledger = reading->ledger, .from = reading->to}, sql, error);

    if (statement == NULL || !next(reading->ledger, statement, error) ||
        sqlite3_column_type(statement, 0) == SQLITE_NULL)
        return false;
    reading->from = sqlite3_column_int64(statement, 0);
    reading->to = reading->from > G_MAXINT64 - SLICE ? G_MAXINT64 : reading->from + SLICE - 1;
    return true;
}

/* Reads all slices. Returns what they come to, with empty lists; NULL with error. */
static LedgerReport *read_slices(Ledger *ledger, LedgerPeriod period,
                                 void (*take)(const Reading *reading, const LedgerDomain *domain),
                                 gpointer data, LedgerReport *into, GError **error)
{
    g_autoptr(LedgerReport) report = into;
    g_autofree Tally *tallies = g_new(Tally, SLICE);
    Reading reading = {.ledger = ledger,
                       .period = period,
                       .report = report,
                       .tallies = tallies,
                       .take = take,
                       .data = data};
    g_autoptr(GError) cause = NULL;

    while (next_slice(&reading, &cause))
        if (!add_up_slice(&reading, &cause) || !list_slice(&reading, &cause))
            break;
    if (cause == NULL)
        return g_steal_pointer(&report);
    g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}

LedgerReport *ledger_report_read(Ledger *ledger, LedgerPeriod period, const LedgerLimits *limits,
                                 GError **error)
{
    LedgerReport *report = new_report(period);
    List lists[LISTS] = {
        {.domains = report->by_messages, .compare = compare_messages, .limit = limits->by_messages},
        {.domains = report->by_rewritten,
         .compare = compare_rewritten,
         .limit = limits->by_rewritten},
        {.domains = report->newly_authorised,
         .compare = compare_since,
         .limit = limits->newly_authorised},
        {.domains = report->no_longer_authorised,
         .compare = compare_broken,
         .limit = limits->no_longer_authorised}};

    report = read_slices(ledger, period, take_for_report, lists, report, error);
    for (int i = 0; report != NULL && i < LISTS; i++)
        cut(&lists[i]);
    return report;
}

/* A search while the ledger is read. */
typedef struct {
    const LedgerSearch *search;
    LedgerFound *found;
    List list;
} Searching;

static void take_for_search(const Reading *reading, const LedgerDomain *domain)
{
    Searching *searching = reading->data;
    const LedgerSearch *search = searching->search;

    if (search->wants != NULL && !search->wants(domain, search->data))
        return;
    searching->found->matching++;
    offer(&searching->list, domain);
}

void ledger_found_free(LedgerFound *found)
{
    g_ptr_array_unref(found->domains);
    g_free(found);
}

LedgerFound *ledger_report_search(Ledger *ledger, LedgerPeriod period, const LedgerSearch *search,
                                  GError **error)
{
    static gint (*const compares[])(const LedgerDomain *a, const LedgerDomain *b) = {
        [LEDGER_BY_MESSAGES] = compare_messages, [LEDGER_BY_REWRITTEN] = compare_rewritten,
        [LEDGER_BY_NAME] = compare_names,        [LEDGER_BY_RESULT] = compare_results,
        [LEDGER_BY_LAST] = compare_last,
    };
    g_autoptr(LedgerFound) found = g_new0(LedgerFound, 1);
    Searching searching = {.search = search, .found = found};
    g_autoptr(LedgerReport) report = NULL;

    found->domains = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_domain_free);
    searching.list =
        (List){.domains = found->domains,
               .compare = compares[search->order],
               .is_reversed = search->is_reversed,
               .limit = search->limit > LEDGER_ALL - search->first ? LEDGER_ALL
                                                                   : search->first + search->limit};
    report = read_slices(ledger, period, take_for_search, &searching, new_report(period), error);
    if (report == NULL)
        return NULL;
    found->seen = report->domains;
    cut(&searching.list);
    g_ptr_array_remove_range(found->domains, 0, MIN(search->first, found->domains->len));
    return g_steal_pointer(&found);
}

/* Rows of one domain: a look into the table for each day, which has no index by domain. */
#define OF_DOMAIN                                                                                  \
    "WITH RECURSIVE days (day) AS (SELECT ?1 UNION ALL SELECT day + 1 FROM days WHERE day < ?2),"  \
    " s AS (SELECT seen.* FROM days CROSS JOIN seen ON seen.day = days.day"                        \
    "  AND seen.domain = (SELECT id FROM domains WHERE name = ?3)"                                 \
    "  WHERE seen.action < 6) "

/* What came back to one domain, by day and kind. */
static const char returned_history_sql[] =
    "SELECT day, kind, messages FROM returned WHERE day BETWEEN ?1 AND ?2"
    " AND domain = (SELECT id FROM domains WHERE name = ?3) ORDER BY day";

static bool read_returned(Ledger *ledger, LedgerPeriod period, LedgerDomain *domain, GError **error)
{
    AUTO_STATEMENT statement = prepare(ledger, returned_history_sql, period, error);
    g_autoptr(GError) cause = NULL;

    if (statement == NULL)
        return false;
    sqlite3_bind_text(statement, 3, domain->name, -1, SQLITE_STATIC);
    while (next(ledger, statement, &cause))
        domain->returned += count_at(statement, 2);
    if (cause == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

LedgerDomain *ledger_report_domain(Ledger *ledger, const char *name, LedgerPeriod period,
                                   GError **error)
{
    g_autoptr(LedgerDomain) domain = NULL;
    AUTO_STATEMENT statement =
        prepare(ledger,
                OF_DOMAIN "SELECT " DOMAIN_COLUMNS " FROM domains d LEFT JOIN s ON s.domain = d.id"
                          " WHERE d.name = ?3 GROUP BY d.id",
                period, error);

    if (statement == NULL)
        return NULL;
    sqlite3_bind_text(statement, 3, name, -1, SQLITE_STATIC);
    if (!next(ledger, statement, error))
        return NULL;
    domain = read_domain(statement);
    return read_returned(ledger, period, domain, error) ? g_steal_pointer(&domain) : NULL;
}

/* How many letters may differ: of a short name nearly any other is made with two. */
static guint differing_max(const char *name)
{
    return strlen(name) < 10 ? 1 : 2;
}

char *ledger_report_similar(Ledger *ledger, const char *name, GError **error)
{
    guint max = differing_max(name);
    guint best = max + 1;
    g_autofree char *found = NULL;
    g_autoptr(GError) cause = NULL;
    AUTO_STATEMENT statement = prepare(
        ledger, "SELECT name FROM domains WHERE length(name) BETWEEN ?1 AND ?2 ORDER BY last DESC",
        (LedgerPeriod){.from = (guint32)(strlen(name) - MIN(strlen(name), max)),
                       .to = (guint32)strlen(name) + max},
        error);

    if (statement == NULL)
        return NULL;
    while (best > 0 && next(ledger, statement, &cause)) {
        const char *other = (const char *)sqlite3_column_text(statement, 0);
        guint differing = spelling_distance(name, other);

        if (differing >= best)
            continue;
        best = differing;
        g_free(found);
        found = g_strdup(other);
    }
    if (cause == NULL)
        return best > 0 ? g_steal_pointer(&found) : NULL;
    g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}

/* Adds the row (day, result, action, messages) to the last of days, or to a new one. */
static void add_history(GArray *days, Statement *statement)
{
    guint32 day = (guint32)sqlite3_column_int64(statement, 0);
    guint result = result_at(statement, 1);
    guint action = (guint)sqlite3_column_int(statement, 2);
    guint64 messages = count_at(statement, 3);
    LedgerDomainDay *last = NULL;

    if (days->len == 0 || g_array_index(days, LedgerDomainDay, days->len - 1).day != day) {
        LedgerDomainDay empty = {.day = day};

        g_array_append_val(days, empty);
    }
    last = &g_array_index(days, LedgerDomainDay, days->len - 1);
    last->results[result] += messages;
    if (action < LEDGER_ACTIONS)
        last->counts.by[action] += messages;
}

static gint compare_days(gconstpointer a, gconstpointer b)
{
    guint32 day_a = ((const LedgerDomainDay *)a)->day;
    guint32 day_b = ((const LedgerDomainDay *)b)->day;

    return (day_a > day_b) - (day_a < day_b);
}

/* The day in days, which is added if it is not there. */
static LedgerDomainDay *day_in(GArray *days, guint32 day)
{
    LedgerDomainDay wanted = {.day = day};
    guint found;

    if (g_array_binary_search(days, &wanted, compare_days, &found))
        return &g_array_index(days, LedgerDomainDay, found);
    g_array_append_val(days, wanted);
    g_array_sort(days, compare_days);
    return day_in(days, day);
}

/* Adds what came back to days. */
static bool add_returned_history(Ledger *ledger, const char *name, LedgerPeriod period,
                                 GArray *days, GError **error)
{
    AUTO_STATEMENT statement = prepare(ledger, returned_history_sql, period, error);
    g_autoptr(GError) cause = NULL;

    if (statement == NULL)
        return false;
    sqlite3_bind_text(statement, 3, name, -1, SQLITE_STATIC);
    while (next(ledger, statement, &cause)) {
        guint kind = (guint)sqlite3_column_int(statement, 1);

        if (kind < RETURN_KINDS)
            day_in(days, (guint32)sqlite3_column_int64(statement, 0))->returned[kind] +=
                count_at(statement, 2);
    }
    if (cause == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
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
        return add_returned_history(ledger, name, period, days, error) ? g_steal_pointer(&days)
                                                                       : NULL;
    g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}
