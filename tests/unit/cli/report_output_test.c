#include "config.h"

#include <string.h>

#include "show/domains_csv.h"
#include "unit/table.h"
#include "base/clock.h"
#include "cli/report_output.h"

#define DAY 20000
#define NOON (ledger_day_begin(DAY) + 12 * 3600 * CLOCK_SECOND)

/* A report of one day and one domain, whose name the ledger would not have: others can write it. */
static LedgerReport *report_of(const char *name, guint64 kept, guint64 rewritten)
{
    LedgerReport *report = g_new0(LedgerReport, 1);
    LedgerDomain *domain = g_new0(LedgerDomain, 1);
    LedgerDay day = {.day = DAY};

    domain->name = g_strdup(name);
    domain->result = SPF_SOFTFAIL;
    domain->counts.by[MESSAGE_ACTION_KEEP] = kept;
    domain->counts.by[MESSAGE_ACTION_REWRITE] = rewritten;
    domain->first = domain->last = NOON;
    day.counts = domain->counts;
    report->days = g_array_new(FALSE, FALSE, sizeof(LedgerDay));
    g_array_append_val(report->days, day);
    report->by_messages = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_domain_free);
    g_ptr_array_add(report->by_messages, domain);
    report->by_rewritten = g_ptr_array_new();
    report->newly_authorised = g_ptr_array_new();
    report->no_longer_authorised = g_ptr_array_new();
    report->domains = 1;
    return report;
}

static ReportData data_of(const LedgerReport *report)
{
    return (ReportData){.now = NOON, .period = {DAY, DAY}, .ledger = report};
}

static char *html_of(const LedgerReport *report, const char *code)
{
    g_autoptr(Language) language = language_new(code, NULL);
    const ReportData data = data_of(report);

    assert_non_null(language);
    return report_output_html(&data, language);
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
    g_autoptr(LedgerReport) report = report_of(row->name, 3, 4);
    const ReportData data = data_of(report);
    g_autofree char *csv = domains_csv(data.ledger->by_messages);
    g_autofree char *first = clock_rfc3339(NOON);
    g_autofree char *wanted =
        g_strdup_printf("%s7,3,4,0,0,0,0,softfail,%s,%s,\r\n", row->cell, first, first);
    const char *line = strstr(csv, "\r\n");

    assert_non_null(line);
    assert_string_equal(line + 2, wanted);
}

/* Text, JSON and both languages tell of it. */
static void test_dkim(void **state G_GNUC_UNUSED)
{
    g_autoptr(LedgerReport) report = report_of("a.example", 1, 3);
    const ReportData data = data_of(report);
    LedgerDomain *domain = g_ptr_array_index(report->by_messages, 0);
    g_autofree char *without = html_of(report, LANGUAGE_ENGLISH);
    g_autofree char *english = NULL;
    g_autofree char *german = NULL;
    g_auto(Page) page;
    json_t *json;

    domain->result = LEDGER_DKIM;
    domain->by_dkim = report->by_dkim = 3;
    page_init(&page, false);
    report_output_add_text(&page, &data);
    assert_non_null(strstr(page.text->str, "\nby DKIM key "));
    assert_non_null(strstr(page.text->str, "  dkim  "));
    json = report_output_json(&data);
    assert_int_equal(json_integer_value(json_object_get(json, "dkim")), 3);
    json_decref(json);
    assert_null(strstr(without, "DKIM"));
    english = html_of(report, LANGUAGE_ENGLISH);
    assert_non_null(strstr(english, ">Author stays by DKIM key<"));
    assert_non_null(strstr(english, "<span class=\"result good\">DKIM key</span>"));
    german = html_of(report, "de");
    assert_non_null(strstr(german, ">Autor bleibt dank DKIM-Schlüssel<"));
    assert_non_null(strstr(german, ">DKIM-Schlüssel</span>"));
}

static void test_html_is_escaped(void **state G_GNUC_UNUSED)
{
    g_autoptr(LedgerReport) report = report_of("<script>alert(1)</script>\"&\xff", 1, 1);
    g_autofree char *html = html_of(report, LANGUAGE_ENGLISH);

    assert_null(strstr(html, "<script"));
    assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;"));
    assert_true(g_utf8_validate(html, -1, NULL));
}

/* Nothing is fetched, nothing runs. */
static void test_html_stands_alone(void **state G_GNUC_UNUSED)
{
    g_autoptr(LedgerReport) report = report_of("a.example", 1, 1);
    g_autofree char *html = html_of(report, LANGUAGE_ENGLISH);

    assert_null(strstr(html, "http:"));
    assert_null(strstr(html, "https:"));
    assert_null(strstr(html, "src="));
    assert_null(strstr(html, "href="));
    assert_non_null(strstr(html, "default-src &apos;none&apos;"));
    assert_non_null(strstr(html, "prefers-color-scheme"));
}

static void test_html_without_mail(void **state G_GNUC_UNUSED)
{
    g_autoptr(LedgerReport) report = report_of("a.example", 0, 0);
    g_autofree char *html = NULL;

    g_ptr_array_set_size(report->by_messages, 0);
    html = html_of(report, LANGUAGE_ENGLISH);
    assert_non_null(strstr(html, "No outgoing mail"));
    assert_null(strstr(html, "<svg"));
}

/* The page speaks one language; names and SPF's own words stay. */
static const struct language_row {
    const char *name; /* the language */
    const char *others[8];
    const char *own[8];
} language_rows[] = {
    {"de",
     {"Outgoing", "Kept", "Messages", ">rewritten", "Domains with", "seen", "Made by", "1,234,567"},
     {"lang=\"de\"", "Ausgehende Mail und SPF", "Nachrichten am Tag", "Unverändert",
      "Zuletzt gesehen", "Erstellt von spfrom", "1.234.567", "04.10.2024"}},
    {"en",
     {"Ausgehende", "Unver", "Nachrichten", "umgeschrieben", "gesehen", "Erstellt", "1.234.567"},
     {"lang=\"en\"", "Outgoing mail and SPF", "Messages a day", "Kept", "Last seen",
      "Made by spfrom", "1,234,567", "4 Oct 2024"}},
};

static void test_language(void **state)
{
    const struct language_row *row = *state;
    g_autoptr(LedgerReport) report = report_of("a.example", 1234567, 1);
    g_autofree char *html = NULL;
    const char *body;

    html = html_of(report, row->name);
    body = strstr(html, "</style>");
    assert_non_null(body);
    for (size_t i = 0; i < G_N_ELEMENTS(row->own) && row->own[i] != NULL; i++)
        if (strstr(html, row->own[i]) == NULL)
            fail_msg("no %s in %s", row->own[i], body);
    for (size_t i = 0; i < G_N_ELEMENTS(row->others) && row->others[i] != NULL; i++)
        if (strstr(body, row->others[i]) != NULL)
            fail_msg("%s is in %s", row->others[i], body);
}

static void test_text(void **state G_GNUC_UNUSED)
{
    g_autoptr(LedgerReport) report = report_of("a\033[31m.example", 1234567, 1);
    const ReportData data = data_of(report);
    g_auto(Page) page;

    page_init(&page, false);
    report_output_add_text(&page, &data);
    assert_non_null(strstr(page.text->str, "1,234,568 outgoing messages"));
    assert_null(strchr(page.text->str, '\033'));
    assert_null(strstr(page.text->str, "\\x0a"));
    assert_non_null(strstr(page.text->str, "softfail"));
}

/* A terminal of 79 columns has no room for all the days of a domain. */
static void test_narrow(void **state G_GNUC_UNUSED)
{
    g_autoptr(LedgerReport) report = report_of("a.example", 1234567, 1);
    const ReportData data = data_of(report);
    g_auto(GStrv) lines = NULL;
    g_auto(Page) page;

    page_init(&page, false);
    page.columns = 79;
    report_output_add_text(&page, &data);
    assert_null(strstr(page.text->str, "FIRST SEEN"));
    assert_non_null(strstr(page.text->str, "PASS SINCE"));
    lines = g_strsplit(page.text->str, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        assert_true(g_utf8_strlen(*line, -1) <= 79);
}

static void test_json(void **state G_GNUC_UNUSED)
{
    g_autoptr(LedgerReport) report = report_of("", 2, 3);
    const ReportData data = data_of(report);
    json_t *json = report_output_json(&data);
    const json_t *domain = json_array_get(json_object_get(json, "domains"), 0);

    assert_true(json_is_null(json_object_get(domain, "domain")));
    assert_int_equal(json_integer_value(json_object_get(domain, "rewritten")), 3);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json, "total"), "messages")), 5);
    assert_true(json_is_null(json_object_get(domain, "authorised_since")));
    json_decref(json);
}

static void test_broken(void **state)
{
    g_autoptr(LedgerReport) report = report_of("a.example", 1, 1);
    const ReportData data = data_of(report);
    LedgerDomain *broken = g_ptr_array_index(report->by_messages, 0);
    g_autofree char *since = ledger_day_text(DAY);
    g_autofree char *before = ledger_day_text(DAY - 9);
    g_autofree char *wanted = g_strdup_printf(
        "No longer authorised\n%s  a.example  (before that since %s)\n", since, before);
    g_autofree char *html = NULL;
    g_auto(Page) page;
    json_t *json;

    (void)state;
    broken->unauthorised_since = NOON;
    broken->authorised_before = ledger_day_begin(DAY - 9);
    g_ptr_array_add(report->no_longer_authorised, broken);
    page_init(&page, false);
    report_output_add_text(&page, &data);
    assert_non_null(strstr(page.text->str, wanted));
    html = html_of(report, "de");
    assert_non_null(strstr(html, "Nicht mehr autorisiert seit "));
    json = report_output_json(&data);
    assert_string_equal(
        json_string_value(json_object_get(
            json_array_get(json_object_get(json, "no_longer_authorised"), 0), "domain")),
        "a.example");
    json_decref(json);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, csv_rows, test_csv);
    table_add(tests, "by DKIM key", test_dkim, NULL);
    TABLE_ADD(tests, language_rows, test_language);
    table_add(tests, "HTML is escaped", test_html_is_escaped, NULL);
    table_add(tests, "HTML stands alone", test_html_stands_alone, NULL);
    table_add(tests, "HTML without mail", test_html_without_mail, NULL);
    table_add(tests, "text", test_text, NULL);
    table_add(tests, "text for a narrow terminal", test_narrow, NULL);
    table_add(tests, "JSON", test_json, NULL);
    table_add(tests, "domains that broke", test_broken, NULL);
    return table_run(tests, "report_output");
}
