#include "config.h"

#include "web/overview_page.h"

#include <string.h>

#include "ledger/ledger_report.h"
#include "base/clock.h"
#include "show/chart.h"

#include "unit/table.h"

#define EVIL "<script>\"'&\x1b\xff\xe2\x80\xae</script>"

static Language *english(void)
{
    Language *language = language_new(LANGUAGE_ENGLISH, NULL);

    assert_non_null(language);
    return language;
}

/* Our own script is the only one, and nothing but markup of ours is in page. */
static void check_page(const char *page)
{
    const char *script = strstr(page, "<script");

    assert_non_null(script);
    assert_null(strstr(script + 1, "<script"));
    assert_true(g_str_has_suffix(page, "</body></html>\n"));
    assert_true(g_utf8_validate(page, -1, NULL));
    assert_null(strpbrk(page, "\x1b\r"));
    assert_null(strstr(page, "\xe2\x80\xae"));
}

static GPtrArray *evil_domains(void)
{
    static const char *const names[] = {EVIL, LEDGER_NO_DOMAIN, LEDGER_OTHER_DOMAINS,
                                        "praxis.example"};
    GPtrArray *domains = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_domain_free);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        LedgerDomain *domain = g_new0(LedgerDomain, 1);

        domain->name = g_strdup(names[i]);
        domain->result = LEDGER_UNCHECKED;
        domain->counts.by[MESSAGE_ACTION_REWRITE] = G_MAXUINT64 / 2;
        domain->last = G_MAXINT64;
        g_ptr_array_add(domains, domain);
    }
    return domains;
}

static Overview *evil_overview(void)
{
    g_autofree char *text = g_utf8_make_valid(EVIL, -1);
    json_t *status =
        json_pack("{s:s, s:s, s:s, s:{s:s}, s:{s:s, s:b}, s:{s:[s, i]}, s:I}", "mode", text,
                  "mode_since", "9999-12-31T23:59:59Z", "mode_by", text, "configuration", "error",
                  text, "fallback", "address", text, "authorised", 0, "relay_set", "problems", text,
                  1, "ledger_errors", (json_int_t)-1);
    Overview *overview = overview_new();
    const LedgerDay day = {.day = 20000, .counts.by = {[MESSAGE_ACTION_KEEP] = G_MAXUINT64 / 2}};

    assert_non_null(status);
    overview->daemon = daemon_state_parse(status);
    json_decref(status);
    overview->days = g_array_new(FALSE, FALSE, sizeof(LedgerDay));
    g_array_append_val(overview->days, day);
    overview->rewritten = evil_domains();
    overview->domains = evil_domains();
    overview->domains_count = 5000;
    overview->newly_authorised = evil_domains();
    return overview;
}

static void test_overview(void **state)
{
    g_autoptr(Language) language = english();
    g_autoptr(Overview) overview = evil_overview();
    g_autoptr(Request) request = request_parse("/domains?days=7");
    const View view = {.language = language, .request = request};
    g_autofree char *page = overview_page(&view, overview);
    g_autofree char *list = overview_domains_page(&view, overview);

    (void)state;
    check_page(page);
    check_page(list);
    assert_non_null(strstr(page, "&lt;script&gt;"));
    assert_non_null(
        strstr(page, "href=\"/domain/%3Cscript%3E%22%27%26%1B%FF%E2%80%AE%3C%2Fscript%3E\""));
    assert_non_null(strstr(list, "The 4 of 5,000 with most mail"));
}

static void test_problems(void **state)
{
    g_autoptr(Language) language = english();
    g_autoptr(Overview) overview = overview_new();
    g_autoptr(Request) request = request_parse("/");
    const View view = {.language = language, .request = request};
    g_autofree char *page = NULL;

    (void)state;
    overview->daemon = daemon_state_new_problem(EVIL);
    overview->ledger_problem = g_strdup(EVIL);
    page = overview_page(&view, overview);
    check_page(page);
    assert_non_null(strstr(page, "The daemon does not answer."));
    assert_non_null(strstr(page, "the ledger can&apos;t be read"));
}

static const struct state_row {
    const char *name; /* what the daemon answers */
    const char *mode; /* NULL: not known */
    gint64 since;
} state_rows[] = {
    {"{\"mode\":\"rewrite\",\"mode_since\":\"1970-01-01T00:00:07Z\"}", "rewrite", 7 * CLOCK_SECOND},
    {"{}", NULL, 0},
    {"{\"mode\":7,\"mode_since\":\"yesterday\",\"relay_set\":[],\"fallback\":null}", NULL, 0},
};

static void test_daemon_state(void **state)
{
    const struct state_row *row = *state;
    json_t *status = json_loads(row->name, 0, NULL);
    g_autoptr(DaemonState) daemon = daemon_state_parse(status);

    json_decref(status);
    assert_null(daemon->problem);
    assert_int_equal(g_strcmp0(daemon->mode, row->mode), 0);
    assert_int_equal(daemon->mode_since, row->since);
    assert_false(daemon->has_fallback_verdict);
}

static const struct number_row {
    const char *name;
    guint64 number, whole;
    const char *percent;
} number_rows[] = {
    {"0", 0, 0, "0.0\u00a0%"},
    {"7", 7, 7, "100.0\u00a0%"},
    {"999", 999, 2000, "50.0\u00a0%"},
    {"1,000", 1000, 3000, "33.3\u00a0%"},
    {"12,345,678", 12345678, G_MAXUINT64, "0.0\u00a0%"},
};

static void test_number(void **state)
{
    const struct number_row *row = *state;
    g_autoptr(Language) language = english();
    const View view = {.language = language};
    g_autofree char *number = view_number(&view, row->number);
    g_autofree char *percent = view_percent(&view, row->number, row->whole);

    assert_string_equal(number, row->name);
    assert_string_equal(percent, row->percent);
}

static const struct chart_row {
    const char *name;
    guint days;
    const char *wanted; /* in the drawing */
} chart_rows[] = {
    {"no day", 0, "viewBox=\"0 0 0 100\""},
    {"one day", 1, "viewBox=\"0 0 10 100\""},
    {"days", 120, "viewBox=\"0 0 1200 100\""},
    {"weeks", 365, "viewBox=\"0 0 530 100\""},
};

static void test_chart(void **state)
{
    const struct chart_row *row = *state;
    g_autoptr(Language) language = english();
    g_autoptr(GArray) bars = g_array_new(FALSE, TRUE, sizeof(ChartBar));
    const View view = {.language = language};
    g_autofree char *page = NULL;
    g_auto(Html) html;

    for (guint i = 0; i < row->days; i++) {
        ChartBar bar = {.from = i * 86400 * CLOCK_SECOND, .counts = {[CHART_KEPT] = i}};

        g_array_append_val(bars, bar);
    }
    html_init(&html);
    chart_add(&html, &view, "title", bars);
    page = html_finish(&html);
    assert_non_null(strstr(page, row->wanted));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, state_rows, test_daemon_state);
    TABLE_ADD(tests, number_rows, test_number);
    TABLE_ADD(tests, chart_rows, test_chart);
    table_add(tests, "an overview of hostile data", test_overview, NULL);
    table_add(tests, "an overview without any", test_problems, NULL);
    return table_run(tests, "pages");
}
