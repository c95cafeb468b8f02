#include "config.h"

#include "web/domains_page.h"

#include <string.h>

#include "unit/ledger/ledger_fixture.h"
#include "unit/table.h"

#define DAY 20000
#define NOW ledger_fixture_time(DAY, 600)
#define EVIL "<script>\"'&\x1b</script>"

typedef struct {
    LedgerFixture *files;
    Ledger *writer;
    Lists *lists;
} Fixture;

static int setup(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    void *files = NULL;

    ledger_fixture_setup(&files);
    fixture->files = files;
    fixture->writer = ledger_open(fixture->files->file, NULL);
    fixture->lists = lists_new();
    assert_true(lists_add(fixture->lists, LISTS_PROVIDERS, "gmx.de\nweb.de\n", "providers", NULL));
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;
    void *files = fixture->files;

    ledger_close(fixture->writer);
    ledger_fixture_teardown(&files);
    lists_free(fixture->lists);
    g_free(fixture);
    return 0;
}

static void see(const Fixture *fixture, const char *domain, guint result)
{
    ledger_fixture_write(fixture->writer, domain, DAY, result,
                         result == SPF_PASS ? MESSAGE_ACTION_KEEP : MESSAGE_ACTION_REWRITE, 3, 0,
                         0);
}

static void see_each(const Fixture *fixture)
{
    see(fixture, "none.example", SPF_NONE);
    see(fixture, "neutral.example", SPF_NEUTRAL);
    see(fixture, "pass.example", SPF_PASS);
    see(fixture, "fail.example", SPF_FAIL);
    see(fixture, "softfail.example", SPF_SOFTFAIL);
    see(fixture, "temperror.example", SPF_TEMPERROR);
    see(fixture, "permerror.example", SPF_PERMERROR);
    see(fixture, "unchecked.example", LEDGER_UNCHECKED);
    see(fixture, "gmx.de", SPF_FAIL);
    see(fixture, "web.de", SPF_PASS);
    see(fixture, "xn--praxis-mller-klb.example", SPF_NONE);
}

static LedgerFound *find(const Fixture *fixture, const Request *request)
{
    g_autoptr(Ledger) ledger = ledger_open_read_only(fixture->files->file, NULL);
    LedgerFound *found = domains_page_read(ledger, request, fixture->lists, NOW, NULL);

    assert_non_null(found);
    return found;
}

/* A query, and the first labels of what it finds. */
static const struct row {
    const char *name;
    const char *found;
} rows[] = {
    {"sort=domain", "fail gmx neutral none pass permerror softfail temperror unchecked web "
                    "xn--praxis-mller-klb "},
    {"result=none&sort=domain", "none xn--praxis-mller-klb "},
    {"advice=publish&sort=domain", "none xn--praxis-mller-klb "},
    {"advice=extend&sort=domain", "fail neutral softfail "},
    {"advice=repair", "permerror "},
    {"advice=provider", "gmx "},
    {"advice=ok&sort=domain", "pass web "},
    {"advice=unknown&sort=domain", "temperror unchecked "},
    {"advice=merge", ""},
    {"q=FAIL&sort=-domain", "softfail fail "},
    {"q=FAIL&result=fail", "fail "},
    {"q=m%C3%BCller", "xn--praxis-mller-klb "},
    {"q=PRAXIS-M%C3%9CLLER.example", "xn--praxis-mller-klb "},
    {"q=anna%40Praxis-M%C3%BCller.example", "xn--praxis-mller-klb "},
    {"q=xn--praxis", "xn--praxis-mller-klb "},
    {"q=Anna+%3Canna%40gmx.de%3E", "gmx "},
    {"q=%FF%3Cscript%3E", ""},
    {"q=none&page=2", ""},
};

static void test_search(void **state)
{
    const Fixture *fixture = *state;

    see_each(fixture);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *target = g_strconcat("/domains?", rows[i].name, NULL);
        g_autoptr(Request) request = request_parse(target);
        g_autoptr(LedgerFound) found = find(fixture, request);
        g_autoptr(GString) names = g_string_new(NULL);

        for (guint at = 0; at < found->domains->len; at++) {
            const char *name = ((LedgerDomain *)g_ptr_array_index(found->domains, at))->name;

            g_string_append_printf(names, "%.*s ", (int)strcspn(name, "."), name);
        }
        assert_string_equal(names->str, rows[i].found);
    }
}

/* Well-formed, with no script but ours, and short. */
static char *page_of(const Fixture *fixture, const char *target)
{
    g_autoptr(Request) request = request_parse(target);
    g_autoptr(LedgerFound) found = find(fixture, request);
    const View view = {.domain_link = request_domain_target, .now = NOW};
    char *page = domains_page(&view, request, fixture->lists, found, NULL);
    const char *script = strstr(page, "<script");

    assert_null(strstr(script + 1, "<script"));
    assert_true(g_str_has_suffix(page, "</body></html>\n"));
    assert_null(strpbrk(page, "\x1b\r"));
    assert_true(strlen(page) < 100000);
    return page;
}

static void test_page(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *first = NULL;
    g_autofree char *last = NULL;

    see_each(fixture);
    see(fixture, EVIL, SPF_NONE);
    see(fixture, LEDGER_NO_DOMAIN, SPF_NONE);
    see(fixture, LEDGER_OTHER_DOMAINS, SPF_NONE);
    for (int i = 0; i < 120; i++) {
        g_autofree char *name = g_strdup_printf(
            "praxis-%d.eine-sehr-lange-domain-mit-sehr-vielen-zeichen-im-namen.example", i);

        see(fixture, name, SPF_FAIL);
    }
    first = page_of(fixture, "/domains?q=e&sort=-domain");
    assert_non_null(strstr(first, "131 of 134 domains."));
    assert_non_null(strstr(first, "Page 1 of 3"));
    assert_non_null(strstr(first, "href=\"/domains?q=e&amp;sort=-domain&amp;page=2\""));
    assert_non_null(strstr(first, "href=\"/domains?q=e&amp;sort=domain\""));
    assert_non_null(strstr(first, "href=\"/domains.csv?q=e&amp;sort=-domain\""));
    assert_non_null(strstr(first, "aria-sort=\"descending\""));
    assert_null(strstr(first, "rel=\"prev\""));
    last = page_of(fixture, "/domains?q=e&sort=-domain&page=3");
    assert_non_null(strstr(last, "rel=\"prev\""));
    assert_null(strstr(last, "rel=\"next\""));
}

/* Nothing was found, and nothing was ever seen: the page says how to go on. */
static void test_nothing(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *empty = page_of(fixture, "/domains");
    g_autofree char *none = NULL;

    assert_non_null(strstr(empty, "spfrom doctor"));
    assert_null(strstr(empty, "Search in this list"));
    see_each(fixture);
    none = page_of(fixture, "/domains?q=%3Cscript%3E%1B");
    assert_non_null(strstr(none, "No domain of this time is like that."));
    assert_non_null(strstr(none, "href=\"/search?q=%3Cscript%3E%1B\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_search, setup, teardown),
        cmocka_unit_test_setup_teardown(test_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
