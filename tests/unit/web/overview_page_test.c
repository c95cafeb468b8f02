#include "config.h"

#include "web/overview_page.h"

#include <string.h>

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
    overview->daemon = daemon_status_read(status);
    json_decref(status);
    overview->ledger = g_new0(LedgerReport, 1);
    overview->ledger->days = g_array_new(FALSE, FALSE, sizeof(LedgerDay));
    g_array_append_val(overview->ledger->days, day);
    overview->ledger->by_rewritten = evil_domains();
    overview->ledger->by_messages = evil_domains();
    overview->ledger->domains = 5000;
    overview->ledger->newly_authorised = evil_domains();
    overview->ledger->no_longer_authorised = evil_domains();
    return overview;
}

static void test_overview(void **state)
{
    g_autoptr(Language) language = english();
    g_autoptr(Overview) overview = evil_overview();
    g_autoptr(Request) request = request_parse("/?days=7");
    const View view = {.language = language, .domain_link = request_domain_target};
    g_autofree char *page = overview_page(&view, request, overview);

    (void)state;
    check_page(page);
    assert_non_null(strstr(page, "&lt;script&gt;"));
    assert_non_null(
        strstr(page, "href=\"/domain/%3Cscript%3E%22%27%26%1B%FF%E2%80%AE%3C%2Fscript%3E\""));
}

static void test_problems(void **state)
{
    g_autoptr(Language) language = english();
    g_autoptr(Overview) overview = overview_new();
    g_autoptr(Request) request = request_parse("/");
    const View view = {.language = language, .domain_link = request_domain_target};
    g_autofree char *page = NULL;

    (void)state;
    overview->daemon_problem = g_strdup(EVIL);
    overview->ledger_problem = g_strdup(EVIL);
    page = overview_page(&view, request, overview);
    check_page(page);
    assert_non_null(strstr(page, "The daemon does not answer."));
    assert_non_null(strstr(page, "the ledger can&apos;t be read"));
}

/* Who switched the mode, until when, and what comes then. */
static void test_switch(void **state)
{
    g_autoptr(Language) language = english();
    g_autoptr(Overview) overview = overview_new();
    g_autoptr(Request) request = request_parse("/");
    const View view = {.language = language, .domain_link = request_domain_target};
    json_t *status =
        json_pack("{s:s, s:s, s:s, s:s}", "mode", "log-only", "mode_by", "switch", "mode_since",
                  "2026-01-31T12:00:00Z", "mode_until", "2026-02-01T12:00:00Z");
    g_autofree char *page = NULL;
    g_autofree char *without = NULL;

    (void)state;
    overview->daemon = daemon_status_read(status);
    json_decref(status);
    overview->ledger_problem = g_strdup("none");
    without = overview_page(&view, request, overview);
    assert_non_null(strstr(without, "set by the switch. Until"));
    assert_non_null(strstr(without, "then as the configuration says."));
    overview->daemon->mode.who = g_strdup(EVIL);
    overview->daemon->mode.next = g_strdup("rewrite");
    page = overview_page(&view, request, overview);
    check_page(page);
    assert_non_null(strstr(page, "set by the switch (&lt;script&gt;"));
    assert_non_null(strstr(page, ", then rewrite."));
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "an overview of hostile data", test_overview, NULL);
    table_add(tests, "an overview without any", test_problems, NULL);
    table_add(tests, "a mode that was switched", test_switch, NULL);
    return table_run(tests, "overview_page");
}
