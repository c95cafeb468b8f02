#include "config.h"

#include "ledger/ledger_report.h"

#include <string.h>

#include "unit/table.h"
#include "base/clock.h"
#include "unit/ledger/ledger_fixture.h"

#define DAY 20000

/* What happens to one domain, a letter a second from noon of DAY: p pass, f fail, t temperror, u
 * unchecked, d DKIM. Times are seconds from noon; -1: none. */
static const struct {
    const char *name;
    bool is_authorised, was_unauthorised;
    int since;
    int broken, before; /* since when it is not authorised any more, and was before that */
} authorised_rows[] = {
    {"p", true, false, 0, -1, -1},     {"f", false, true, -1, -1, -1},
    {"pp", true, false, 0, -1, -1},    {"fp", true, true, 1, -1, -1},
    {"fpp", true, true, 1, -1, -1},    {"pf", false, true, -1, 1, 0},
    {"fpfp", true, true, 3, -1, -1},   {"t", false, false, -1, -1, -1},
    {"tp", true, false, 1, -1, -1},    {"fpt", true, true, 1, -1, -1},
    {"ft", false, true, -1, -1, -1},   {"ftp", true, true, 2, -1, -1},
    {"u", false, false, -1, -1, -1},   {"fpu", true, true, 1, -1, -1},
    {"ptp", true, false, 0, -1, -1},   {"ffffpp", true, true, 4, -1, -1},
    {"pppff", false, true, -1, 3, 0},  {"fupf", false, true, -1, 3, 2},
    {"pfpfff", false, true, -1, 3, 2}, {"ptfut", false, true, -1, 2, 0},
    {"pfpp", true, true, 2, -1, -1},   {"fd", true, true, 1, -1, -1},
    {"dp", true, false, 0, -1, -1},    {"df", false, true, -1, 1, 0},
};

static guint result_of(char letter)
{
    switch (letter) {
    case 'p':
        return SPF_PASS;
    case 'f':
        return SPF_FAIL;
    case 't':
        return SPF_TEMPERROR;
    case 'd':
        return LEDGER_DKIM;
    default:
        return LEDGER_UNCHECKED;
    }
}

typedef struct {
    LedgerFixture *files;
    Ledger *ledger;
} Written;

static int open_written(void **state)
{
    Written *written = g_new0(Written, 1);
    void *files = NULL;

    ledger_fixture_setup(&files);
    written->files = files;
    written->ledger = ledger_open(written->files->file, NULL);
    *state = written;
    return written->ledger != NULL ? 0 : -1;
}

static int close_written(void **state)
{
    Written *written = *state;
    void *files = written->files;

    ledger_close(written->ledger);
    ledger_fixture_teardown(&files);
    g_free(written);
    return 0;
}

static Ledger *reader_of(const Written *written)
{
    g_autoptr(GError) error = NULL;
    Ledger *reader = ledger_open_read_only(written->files->file, &error);

    if (reader == NULL)
        fail_msg("%s", error->message);
    return reader;
}

static gint64 seconds_after_noon(int seconds)
{
    return seconds < 0 ? 0 : ledger_fixture_time(DAY, seconds);
}

static void assert_authorised(const Written *written, size_t i, const char *name)
{
    g_autoptr(Ledger) reader = reader_of(written);
    g_autoptr(LedgerDomain) domain =
        ledger_report_domain(reader, name, (LedgerPeriod){DAY, DAY}, NULL);

    assert_non_null(domain);
    if (domain->is_authorised != authorised_rows[i].is_authorised ||
        domain->was_unauthorised != authorised_rows[i].was_unauthorised ||
        domain->authorised_since != seconds_after_noon(authorised_rows[i].since) ||
        domain->unauthorised_since != seconds_after_noon(authorised_rows[i].broken) ||
        domain->authorised_before != seconds_after_noon(authorised_rows[i].before))
        fail_msg("%s: authorised %d, was not %d, since %" G_GINT64_FORMAT
                 ", not since %" G_GINT64_FORMAT ", before %" G_GINT64_FORMAT,
                 authorised_rows[i].name, domain->is_authorised, domain->was_unauthorised,
                 domain->authorised_since, domain->unauthorised_since, domain->authorised_before);
}

/* Each message written as it comes. */
static void test_authorised_since(void **state)
{
    const Written *written = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(authorised_rows); i++) {
        const char *letters = authorised_rows[i].name;

        for (int at = 0; letters[at] != '\0'; at++)
            ledger_fixture_write(written->ledger, letters, DAY, result_of(letters[at]),
                                 MESSAGE_ACTION_KEEP, 1, at, at);
        assert_authorised(written, i, letters);
    }
}

/* All in one batch, the pass first in it: times are seconds from noon. */
static const struct {
    const char *name;
    int pass_first, pass_last, fail_first, fail_last;
    bool is_authorised;
    int since, broken; /* -1: none */
} batch_rows[] = {
    {"a.example", 9, 9, 1, 8, true, 9, -1},
    {"b.example", 1, 9, 5, 6, true, 6, -1},
    {"c.example", 1, 5, 3, 6, false, -1, 5},
    {"d.example", 1, 2, 3, 4, false, -1, 3},
};

static void test_authorised_in_one_batch(void **state)
{
    const Written *written = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(batch_rows); i++) {
        LedgerRow pass = {.domain = batch_rows[i].name, .day = DAY, .result = SPF_PASS};
        LedgerRow fail = {.domain = batch_rows[i].name, .day = DAY, .result = SPF_FAIL};
        g_autoptr(GPtrArray) rows = g_ptr_array_new();
        g_autoptr(Ledger) reader = NULL;
        g_autoptr(LedgerDomain) domain = NULL;

        pass.first = ledger_fixture_time(DAY, batch_rows[i].pass_first);
        pass.last = ledger_fixture_time(DAY, batch_rows[i].pass_last);
        fail.first = ledger_fixture_time(DAY, batch_rows[i].fail_first);
        fail.last = ledger_fixture_time(DAY, batch_rows[i].fail_last);
        g_ptr_array_add(rows, &pass);
        g_ptr_array_add(rows, &fail);
        assert_true(ledger_write(written->ledger, rows, NULL));
        reader = reader_of(written);
        domain = ledger_report_domain(reader, batch_rows[i].name, (LedgerPeriod){DAY, DAY}, NULL);
        assert_int_equal(domain->is_authorised, batch_rows[i].is_authorised);
        assert_true(domain->was_unauthorised);
        assert_int_equal(domain->authorised_since, seconds_after_noon(batch_rows[i].since));
        assert_int_equal(domain->unauthorised_since, seconds_after_noon(batch_rows[i].broken));
    }
}

static void write_some(const Written *written)
{
    Ledger *ledger = written->ledger;

    ledger_fixture_write(ledger, "big.example", DAY, SPF_PASS, MESSAGE_ACTION_KEEP, 100, 0, 0);
    ledger_fixture_write(ledger, "bad.example", DAY, SPF_FAIL, MESSAGE_ACTION_REWRITE, 50, 0, 0);
    ledger_fixture_write(ledger, "bad.example", DAY + 2, SPF_SOFTFAIL, MESSAGE_ACTION_WOULD_REWRITE,
                         5, 0, 0);
    ledger_fixture_write(ledger, "mended.example", DAY, SPF_NONE, MESSAGE_ACTION_REWRITE, 7, 0, 0);
    ledger_fixture_write(ledger, "mended.example", DAY + 2, SPF_PASS, MESSAGE_ACTION_KEEP, 7, 3, 3);
    ledger_fixture_write(ledger, "early.example", DAY - 1, SPF_NONE, MESSAGE_ACTION_REWRITE, 1, 0,
                         0);
    ledger_fixture_write(ledger, "early.example", DAY - 1, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 5, 5);
    ledger_fixture_write(ledger, LEDGER_NO_DOMAIN, DAY, LEDGER_UNCHECKED, MESSAGE_ACTION_INBOUND,
                         1000, 0, 0);
    ledger_fixture_write(ledger, LEDGER_NO_DOMAIN, DAY + 1, SPF_NONE, MESSAGE_ACTION_REWRITE, 1, 0,
                         0);
}

static LedgerReport *read_report(const Written *written, guint32 from, guint32 to, guint limit)
{
    const LedgerLimits limits = {limit, limit, limit, limit};
    g_autoptr(Ledger) reader = reader_of(written);
    g_autoptr(GError) error = NULL;
    LedgerReport *report = ledger_report_read(reader, (LedgerPeriod){from, to}, &limits, &error);

    if (report == NULL)
        fail_msg("%s", error->message);
    return report;
}

static void assert_names(const GPtrArray *domains, const char *wanted)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < domains->len; i++)
        g_string_append_printf(names, "%s ", ((LedgerDomain *)g_ptr_array_index(domains, i))->name);
    assert_string_equal(names->str, wanted);
}

/* Whatever became of the envelope, and not what came from outside. */
static void test_by_dkim(void **state)
{
    Written *written = *state;
    g_autoptr(LedgerReport) report = NULL;
    g_autoptr(Ledger) reader = NULL;
    g_autoptr(LedgerDomain) one = NULL;
    const LedgerDomain *first;

    write_some(written);
    ledger_fixture_write(written->ledger, "bad.example", DAY + 1, LEDGER_DKIM,
                         MESSAGE_ACTION_REWRITE, 300, 0, 0);
    ledger_fixture_write(written->ledger, "bad.example", DAY + 2, LEDGER_DKIM, MESSAGE_ACTION_KEEP,
                         4, 9, 9);
    report = read_report(written, DAY, DAY + 2, LEDGER_ALL);
    first = g_ptr_array_index(report->by_messages, 0);
    assert_string_equal(first->name, "bad.example");
    assert_string_equal(ledger_result_text(first->result), "dkim");
    assert_true(first->is_authorised);
    assert_int_equal(first->by_dkim, 304);
    assert_int_equal(report->by_dkim, 304);
    reader = reader_of(written);
    one = ledger_report_domain(reader, "bad.example", (LedgerPeriod){DAY + 2, DAY + 2}, NULL);
    assert_int_equal(one->by_dkim, 4);
    assert_int_equal(one->result, LEDGER_DKIM);
}

static void test_domains(void **state)
{
    g_autoptr(LedgerReport) all = NULL;
    g_autoptr(LedgerReport) two = NULL;
    g_autoptr(LedgerReport) none = NULL;
    const LedgerDomain *bad;

    write_some(*state);
    all = read_report(*state, DAY, DAY + 2, LEDGER_ALL);
    assert_names(all->by_messages, "big.example bad.example mended.example  ");
    assert_names(all->by_rewritten, "bad.example mended.example  ");
    assert_int_equal(all->domains, 4);
    bad = g_ptr_array_index(all->by_messages, 1);
    assert_int_equal(bad->counts.by[MESSAGE_ACTION_REWRITE], 50);
    assert_int_equal(bad->counts.by[MESSAGE_ACTION_WOULD_REWRITE], 5);
    assert_int_equal(bad->result, SPF_SOFTFAIL);
    assert_int_equal(bad->first, ledger_fixture_time(DAY, 0));
    assert_int_equal(bad->last, ledger_fixture_time(DAY + 2, 0));
    two = read_report(*state, DAY, DAY + 2, 2);
    assert_names(two->by_messages, "big.example bad.example ");
    assert_int_equal(two->domains, 4);
    none = read_report(*state, DAY, DAY + 2, 0);
    assert_names(none->by_messages, "");
    assert_int_equal(none->domains, 4);
}

/* More than twice the limit, in an order that displaces some; ties go by name. */
static void test_limit(void **state)
{
    static const guint64 messages[] = {1, 5, 5, 9, 2, 5, 7, 1, 5, 8, 3, 5};
    g_autoptr(LedgerReport) three = NULL;
    g_autoptr(LedgerReport) six = NULL;
    const Written *written = *state;

    for (guint i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_autofree char *name = g_strdup_printf("%c", (int)('z' - i));

        ledger_fixture_write(written->ledger, name, DAY, SPF_FAIL, MESSAGE_ACTION_REWRITE,
                             messages[i], 0, 0);
    }
    three = read_report(written, DAY, DAY, 3);
    assert_names(three->by_messages, "w q t ");
    six = read_report(written, DAY, DAY, 6);
    assert_names(six->by_messages, "w q t o r u ");
    assert_names(six->by_rewritten, "w q t o r u ");
    assert_int_equal(six->domains, G_N_ELEMENTS(messages));
}

static bool is_bad(const LedgerDomain *domain, gconstpointer data)
{
    return domain->result != SPF_PASS && domain->name[0] >= *(const char *)data;
}

/* What is wanted, in each order, and a part of it. */
static const struct search_row {
    const char *name; /* the domains in their order */
    LedgerSearch search;
    guint matching;
} search_rows[] = {
    {"big.example bad.example mended.example  ", {.limit = LEDGER_ALL}, 4},
    {"bad.example mended.example  big.example ",
     {.order = LEDGER_BY_REWRITTEN, .limit = LEDGER_ALL},
     4},
    {" bad.example big.example mended.example ", {.order = LEDGER_BY_NAME, .limit = LEDGER_ALL}, 4},
    {"mended.example big.example bad.example  ",
     {.order = LEDGER_BY_NAME, .is_reversed = true, .limit = LEDGER_ALL},
     4},
    {" big.example mended.example bad.example ",
     {.order = LEDGER_BY_RESULT, .limit = LEDGER_ALL},
     4},
    {"mended.example bad.example  big.example ", {.order = LEDGER_BY_LAST, .limit = LEDGER_ALL}, 4},
    {"bad.example mended.example ", {.first = 1, .limit = 2}, 4},
    {" bad.example ", {.is_reversed = true, .order = LEDGER_BY_MESSAGES, .limit = 0}, 4},
    {"", {.first = 4, .limit = 2}, 4},
    {"", {.first = LEDGER_ALL, .limit = LEDGER_ALL}, 4},
    {"bad.example ", {.wants = is_bad, .data = "b", .limit = LEDGER_ALL}, 1},
    {" ", {.wants = is_bad, .data = "", .first = 1, .limit = 1}, 2},
};

static void test_search(void **state)
{
    const LedgerPeriod period = {DAY, DAY + 2};

    write_some(*state);
    for (size_t i = 0; i < G_N_ELEMENTS(search_rows); i++) {
        const struct search_row *row = &search_rows[i];
        g_autoptr(Ledger) reader = reader_of(*state);
        g_autoptr(LedgerFound) found = ledger_report_search(reader, period, &row->search, NULL);

        assert_non_null(found);
        if (row->search.limit > 0)
            assert_names(found->domains, row->name);
        else
            assert_int_equal(found->domains->len, 0);
        assert_int_equal(found->seen, 4);
        assert_int_equal(found->matching, row->matching);
    }
}

/* Numbers of domains that lie far apart, as after years of old days that went. */
static void test_sparse_numbers(void **state)
{
    const Written *written = *state;
    g_autoptr(LedgerReport) report = NULL;

    write_some(written);
    ledger_fixture_sql(written->files,
                       "UPDATE seen SET domain = domain * 3000000 + 9223372036830000000;"
                       "UPDATE domains SET id = id * 3000000 + 9223372036830000000");
    report = read_report(written, DAY, DAY + 2, LEDGER_ALL);
    assert_names(report->by_messages, "big.example bad.example mended.example  ");
    assert_int_equal(ledger_counts_decided(&g_array_index(report->days, LedgerDay, 0).counts), 157);
}

static void test_newly_authorised(void **state)
{
    g_autoptr(LedgerReport) report = NULL;
    g_autoptr(LedgerReport) all = NULL;
    g_autoptr(LedgerReport) none = NULL;

    write_some(*state);
    report = read_report(*state, DAY, DAY + 2, LEDGER_ALL);
    assert_names(report->newly_authorised, "mended.example ");
    all = read_report(*state, DAY - 1, DAY + 2, LEDGER_ALL);
    assert_names(all->newly_authorised, "mended.example early.example ");
    none = read_report(*state, DAY, DAY + 1, LEDGER_ALL);
    assert_names(none->newly_authorised, "");
}

static void test_no_longer_authorised(void **state)
{
    const Written *written = *state;
    g_autoptr(LedgerReport) report = NULL;
    g_autoptr(LedgerReport) later = NULL;
    const LedgerDomain *domain;

    write_some(written);
    ledger_fixture_write(written->ledger, "mended.example", DAY + 4, SPF_NEUTRAL,
                         MESSAGE_ACTION_REWRITE, 1, 0, 0);
    ledger_fixture_write(written->ledger, "big.example", DAY + 3, SPF_FAIL, MESSAGE_ACTION_REWRITE,
                         1, 0, 0);
    ledger_fixture_write(written->ledger, "big.example", DAY + 5, SPF_FAIL, MESSAGE_ACTION_REWRITE,
                         1, 0, 0);
    report = read_report(written, DAY, DAY + 5, LEDGER_ALL);
    assert_names(report->no_longer_authorised, "mended.example big.example ");
    assert_names(report->newly_authorised, "");
    domain = g_ptr_array_index(report->no_longer_authorised, 0);
    assert_int_equal(domain->unauthorised_since, ledger_fixture_time(DAY + 4, 0));
    assert_int_equal(domain->authorised_before, ledger_fixture_time(DAY + 2, 3));
    later = read_report(written, DAY + 4, DAY + 5, LEDGER_ALL);
    assert_names(later->no_longer_authorised, "mended.example ");
}

static void test_days(void **state)
{
    g_autoptr(LedgerReport) report = NULL;
    guint64 wanted[] = {157, 1, 12};

    write_some(*state);
    report = read_report(*state, DAY, DAY + 3, 0);
    assert_int_equal(report->days->len, 4);
    for (guint i = 0; i < report->days->len; i++) {
        const LedgerDay *day = &g_array_index(report->days, LedgerDay, i);

        assert_int_equal(day->day, DAY + i);
        assert_int_equal(ledger_counts_decided(&day->counts), i < 3 ? wanted[i] : 0);
    }
    assert_int_equal(g_array_index(report->days, LedgerDay, 0).counts.by[MESSAGE_ACTION_INBOUND],
                     1000);
    assert_int_equal(ledger_counts_rewritten(&g_array_index(report->days, LedgerDay, 2).counts), 5);
}

static void test_history(void **state)
{
    const LedgerPeriod period = {DAY - 10, DAY + 10};
    g_autoptr(Ledger) reader = NULL;
    g_autoptr(GArray) days = NULL;
    g_autoptr(LedgerDomain) domain = NULL;
    const LedgerDomainDay *day;

    write_some(*state);
    reader = reader_of(*state);
    days = ledger_report_history(reader, "bad.example", period, NULL);
    assert_int_equal(days->len, 2);
    day = &g_array_index(days, LedgerDomainDay, 1);
    assert_int_equal(day->day, DAY + 2);
    assert_int_equal(day->results[SPF_SOFTFAIL], 5);
    assert_int_equal(day->counts.by[MESSAGE_ACTION_WOULD_REWRITE], 5);
    domain = ledger_report_domain(reader, "bad.example", period, NULL);
    assert_int_equal(domain->result, SPF_SOFTFAIL);
    assert_int_equal(ledger_counts_decided(&domain->counts), 55);
    assert_int_equal(domain->first, ledger_fixture_time(DAY, 0));
    assert_int_equal(domain->last, ledger_fixture_time(DAY + 2, 0));
}

static void test_unknown_domain(void **state)
{
    const LedgerPeriod period = {DAY, DAY};
    g_autoptr(Ledger) reader = NULL;
    g_autoptr(GArray) days = NULL;
    g_autoptr(GError) error = NULL;

    write_some(*state);
    reader = reader_of(*state);
    assert_null(ledger_report_domain(reader, "x' OR 1 --", period, &error));
    assert_null(error);
    days = ledger_report_history(reader, "x' OR 1 --", period, &error);
    assert_int_equal(days->len, 0);
}

static void test_domain_outside_of_the_period(void **state)
{
    g_autoptr(Ledger) reader = NULL;
    g_autoptr(LedgerDomain) domain = NULL;

    write_some(*state);
    reader = reader_of(*state);
    domain = ledger_report_domain(reader, "big.example", (LedgerPeriod){DAY + 1, DAY + 2}, NULL);
    assert_int_equal(ledger_counts_decided(&domain->counts), 0);
    assert_int_equal(domain->result, LEDGER_UNCHECKED);
    assert_int_equal(domain->last, ledger_fixture_time(DAY, 0));
}

#define WRITTEN(test) cmocka_unit_test_setup_teardown(test, open_written, close_written)

/* Each line of rows is asked in a ledger that has seen these. */
static const char *const seen[] = {"praxis-mueller.de", "praxis-meier.de", "praxis-maier.de",
                                   "abc.de", "x.de"};
static const struct {
    const char *name;
    const char *meant; /* NULL: none */
} similar_rows[] = {
    {"praxis-muller.de", "praxis-mueller.de"},
    {"praxis-muelelr.de", "praxis-mueller.de"},
    {"praxis-mueller.com", NULL},
    {"praxis-mueller.de", NULL},
    {"praxis-meyer.de", "praxis-meier.de"}, /* of two, the closest */
    {"praxis-mxier.de", "praxis-maier.de"}, /* of two that are as close, the one seen last */
    {"abd.de", "abc.de"},
    {"add.de", NULL},
    {"y.de", "x.de"},
    {"", NULL},
};

static void test_similar(void **state)
{
    const Written *written = *state;
    g_autoptr(Ledger) reader = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(seen); i++)
        ledger_fixture_write(written->ledger, seen[i], DAY, SPF_PASS, MESSAGE_ACTION_KEEP, 1,
                             (int)i, (int)i);
    reader = reader_of(written);
    for (size_t i = 0; i < G_N_ELEMENTS(similar_rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *meant = ledger_report_similar(reader, similar_rows[i].name, &error);

        assert_null(error);
        assert_string_equal(meant != NULL ? meant : "(none)",
                            similar_rows[i].meant != NULL ? similar_rows[i].meant : "(none)");
    }
}

static void write_returned(Ledger *ledger, const char *domain, guint32 day, ReturnKind kind,
                           guint64 count)
{
    LedgerRow row = {.domain = domain,
                     .day = day,
                     .result = LEDGER_UNCHECKED,
                     .action = MESSAGE_ACTION_INBOUND,
                     .messages = count,
                     .first = ledger_fixture_time(day, 0),
                     .last = ledger_fixture_time(day, 0),
                     .returned = kind + 1};
    g_autoptr(GPtrArray) rows = g_ptr_array_new();

    g_ptr_array_add(rows, &row);
    assert_true(ledger_write(ledger, rows, NULL));
}

/* What came back is told of its domain, by day and kind, also on days without other mail; it is no
 * mail of the domain, and changes no result. */
static void test_returned(void **state)
{
    const Written *written = *state;
    const LedgerPeriod period = {DAY, DAY + 2};
    const LedgerLimits limits = {LEDGER_ALL, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL};
    g_autoptr(Ledger) reader = NULL;
    g_autoptr(LedgerReport) report = NULL;
    g_autoptr(LedgerDomain) domain = NULL;
    g_autoptr(GArray) history = NULL;
    const LedgerDomain *first;

    ledger_fixture_write(written->ledger, "a.example", DAY + 1, SPF_FAIL, MESSAGE_ACTION_REWRITE, 9,
                         0, 0);
    write_returned(written->ledger, "a.example", DAY, RETURN_BOUNCE, 2);
    write_returned(written->ledger, "a.example", DAY + 1, RETURN_REPLY, 3);
    write_returned(written->ledger, "a.example", DAY + 3, RETURN_REPLY, 4);
    write_returned(written->ledger, "b.example", DAY, RETURN_AUTO_REPLY, 5);
    reader = reader_of(written);
    report = ledger_report_read(reader, period, &limits, NULL);
    assert_int_equal(report->domains, 1);
    first = g_ptr_array_index(report->by_messages, 0);
    assert_int_equal(first->returned, 5);
    assert_int_equal(ledger_counts_decided(&first->counts), 9);
    domain = ledger_report_domain(reader, "a.example", period, NULL);
    assert_int_equal(domain->returned, 5);
    assert_int_equal(domain->result, SPF_FAIL);
    history = ledger_report_history(reader, "a.example", period, NULL);
    assert_int_equal(history->len, 2);
    assert_int_equal(g_array_index(history, LedgerDomainDay, 0).day, DAY);
    assert_int_equal(g_array_index(history, LedgerDomainDay, 0).returned[RETURN_BOUNCE], 2);
    assert_int_equal(g_array_index(history, LedgerDomainDay, 1).returned[RETURN_REPLY], 3);
    assert_int_equal(g_array_index(history, LedgerDomainDay, 1).counts.by[MESSAGE_ACTION_REWRITE],
                     9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WRITTEN(test_authorised_since),
        WRITTEN(test_authorised_in_one_batch),
        WRITTEN(test_domains),
        WRITTEN(test_by_dkim),
        WRITTEN(test_limit),
        WRITTEN(test_search),
        WRITTEN(test_sparse_numbers),
        WRITTEN(test_newly_authorised),
        WRITTEN(test_no_longer_authorised),
        WRITTEN(test_days),
        WRITTEN(test_history),
        WRITTEN(test_returned),
        WRITTEN(test_unknown_domain),
        WRITTEN(test_similar),
        WRITTEN(test_domain_outside_of_the_period),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
