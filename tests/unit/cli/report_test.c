#include "config.h"

#include <string.h>

#include "unit/table.h"
#include "base/clock.h"
#include "show/page.h"
#include "show/report_chart.h"
#include "cli/report_csv.h"
#include "show/report_data.h"
#include "cli/report_html.h"
#include "cli/report_json.h"
#include "cli/report_text.h"

#define DAY 20000
#define NOON (ledger_day_begin(DAY) + 12 * 3600 * CLOCK_SECOND)

/* A report of one day and one domain, whose name the ledger would not have: others can write it. */
static ReportData *data_of(const char *name, guint64 kept, guint64 rewritten)
{
    ReportData *data = g_new0(ReportData, 1);
    LedgerDomain *domain = g_new0(LedgerDomain, 1);
    LedgerDay day = {.day = DAY};

    domain->name = g_strdup(name);
    domain->result = SPF_SOFTFAIL;
    domain->counts.by[MESSAGE_ACTION_KEEP] = kept;
    domain->counts.by[MESSAGE_ACTION_REWRITE] = rewritten;
    domain->first = domain->last = NOON;
    day.counts = data->total = domain->counts;
    data->now = NOON;
    data->period = (LedgerPeriod){DAY, DAY};
    data->days = g_array_new(FALSE, FALSE, sizeof(LedgerDay));
    g_array_append_val(data->days, day);
    data->domains = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_domain_free);
    g_ptr_array_add(data->domains, domain);
    data->newly = g_ptr_array_new();
    data->all_domains = 1;
    return data;
}

static const struct csv_row {
    const char *name; /* of the domain */
    const char *cell;
} csv_rows[] = {
    {"a.example", "a.example,"},
    {"a,b.example", "\"a,b.example\","},
    {"a\"b.example", "\"a\"\"b.example\","},
    {"a\nb.example", "\"a\nb.example\","},
    {"=cmd|'/c calc'!A1", "\"'=cmd|'/c calc'!A1\","},
    {"-1+1.example", "\"'-1+1.example\","},
    {"@sum.example", "\"'@sum.example\","},
    {"+1", "\"'+1\","},
    {"\t=1", "\"'\t=1\","},
    {"", "(no author domain),"},
    {"*", "(other domains),"},
};

static void test_csv(void **state)
{
    const struct csv_row *row = *state;
    g_autoptr(ReportData) data = data_of(row->name, 3, 4);
    g_autofree char *csv = report_csv(data);
    g_autofree char *first = clock_rfc3339(NOON);
    g_autofree char *wanted =
        g_strdup_printf("%s7,3,4,0,0,0,0,softfail,%s,%s,\r\n", row->cell, first, first);
    const char *line = strstr(csv, "\r\n");

    assert_non_null(line);
    assert_string_equal(line + 2, wanted);
}

static void test_html_is_escaped(void **state G_GNUC_UNUSED)
{
    g_autoptr(ReportData) data = data_of("<script>alert(1)</script>\"&\xff", 1, 1);
    g_autofree char *html = report_html(data);

    assert_null(strstr(html, "<script"));
    assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;"));
    assert_true(g_utf8_validate(html, -1, NULL));
}

/* Nothing is fetched, nothing runs. */
static void test_html_stands_alone(void **state G_GNUC_UNUSED)
{
    g_autoptr(ReportData) data = data_of("a.example", 1, 1);
    g_autofree char *html = report_html(data);

    assert_null(strstr(html, "http:"));
    assert_null(strstr(html, "https:"));
    assert_null(strstr(html, "src="));
    assert_null(strstr(html, "href="));
    assert_non_null(strstr(html, "default-src 'none'"));
    assert_non_null(strstr(html, "prefers-color-scheme"));
}

static void test_html_without_mail(void **state G_GNUC_UNUSED)
{
    g_autoptr(ReportData) data = data_of("a.example", 0, 0);
    g_autofree char *html = NULL;

    g_ptr_array_set_size(data->domains, 0);
    html = report_html(data);
    assert_non_null(strstr(html, "No outgoing mail"));
    assert_null(strstr(html, "<svg"));
}

/* The scale's ends, and whether a column is as high as it should be. */
static const struct chart_row {
    const char *name;
    guint64 kept, rewritten;
    const char *top;    /* of the scale */
    const char *column; /* of what was kept */
} chart_rows[] = {
    {"one message", 1, 0, "<span>4</span>", "y=\"75.00\" width=\"8.00\" height=\"25.00\""},
    {"full", 60, 20, "<span>80</span>", "y=\"25.00\" width=\"8.00\" height=\"75.00\""},
    {"100", 100, 0, "<span>100</span>", "y=\"0.00\" width=\"8.00\" height=\"100.00\""},
    {"101", 60, 41, "<span>120</span>", "y=\"50.00\" width=\"8.00\" height=\"50.00\""},
    {"a million and one", 1000000, 1, "<span>1,200,000</span>",
     "y=\"16.67\" width=\"8.00\" height=\"83.33\""},
};

static void test_chart(void **state)
{
    const struct chart_row *row = *state;
    g_autoptr(ReportData) data = data_of("a.example", row->kept, row->rewritten);
    g_autoptr(GString) html = g_string_new(NULL);

    report_chart_days(html, data->days);
    if (strstr(html->str, row->top) == NULL || strstr(html->str, row->column) == NULL)
        fail_msg("no %s or %s in %s", row->top, row->column, html->str);
}

static void test_text(void **state G_GNUC_UNUSED)
{
    g_autoptr(ReportData) data = data_of("a\033[31m.example", 1234567, 1);
    g_auto(Page) page;

    page_init(&page, false);
    report_text_add(&page, data);
    assert_non_null(strstr(page.text->str, "1,234,568 outgoing messages"));
    assert_null(strchr(page.text->str, '\033'));
    assert_null(strstr(page.text->str, "\\x0a"));
    assert_non_null(strstr(page.text->str, "softfail"));
}

static void test_json(void **state G_GNUC_UNUSED)
{
    g_autoptr(ReportData) data = data_of("", 2, 3);
    json_t *json = report_json(data);
    const json_t *domain = json_array_get(json_object_get(json, "domains"), 0);

    assert_true(json_is_null(json_object_get(domain, "domain")));
    assert_int_equal(json_integer_value(json_object_get(domain, "rewritten")), 3);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json, "total"), "messages")), 5);
    assert_true(json_is_null(json_object_get(domain, "authorised_since")));
    json_decref(json);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, csv_rows, test_csv);
    TABLE_ADD(tests, chart_rows, test_chart);
    table_add(tests, "HTML is escaped", test_html_is_escaped, NULL);
    table_add(tests, "HTML stands alone", test_html_stands_alone, NULL);
    table_add(tests, "HTML without mail", test_html_without_mail, NULL);
    table_add(tests, "text", test_text, NULL);
    table_add(tests, "JSON", test_json, NULL);
    return table_run(tests, "report_test");
}
