#include "config.h"

#include "web/request.h"

#include <string.h>

#include "unit/table.h"

static const struct row {
    const char *name; /* the target */
    Route route;
    const char *subject;
    const char *language;
    guint days;
} rows[] = {
    {"/", ROUTE_OVERVIEW, NULL, NULL, 30},
    {"/?days=7", ROUTE_OVERVIEW, NULL, NULL, 7},
    {"/?days=8", ROUTE_OVERVIEW, NULL, NULL, 30},
    {"/?days=-7", ROUTE_OVERVIEW, NULL, NULL, 30},
    {"/?lang=de&days=90", ROUTE_OVERVIEW, NULL, "de", 90},
    {"/?lang=de-AT", ROUTE_OVERVIEW, NULL, "de", 30},
    {"/?lang=fr", ROUTE_OVERVIEW, NULL, NULL, 30},
    {"/?lang=%", ROUTE_OVERVIEW, NULL, NULL, 30},
    {"/?&&=&x", ROUTE_OVERVIEW, NULL, NULL, 30},
    {"/domains", ROUTE_DOMAINS, NULL, NULL, 30},
    {"/fleet", ROUTE_FLEET, NULL, NULL, 30},
    {"/fleet?lang=de", ROUTE_FLEET, NULL, "de", 30},
    {"/fleet/", ROUTE_NOTHING, NULL, NULL, 30},
    {"/letters", ROUTE_LETTERS, NULL, NULL, 30},
    {"/changes?lang=de", ROUTE_CHANGES, NULL, "de", 30},
    {"/letters?lang=de", ROUTE_LETTERS, NULL, "de", 30},
    {"/domains?q=+praxis+", ROUTE_DOMAINS, "praxis", NULL, 30},
    {"/domains.csv?q=a&days=7", ROUTE_CSV, "a", NULL, 7},
    {"/domains?q=%", ROUTE_NOTHING, NULL, NULL, 30},
    {"/domains/", ROUTE_NOTHING, NULL, NULL, 30},
    {"/domain", ROUTE_NOTHING, NULL, NULL, 30},
    {"/domain/", ROUTE_NOTHING, NULL, NULL, 30},
    {"/domain/gmx.de", ROUTE_DOMAIN, "gmx.de", NULL, 30},
    {"/domain/gmx.de?lang=en", ROUTE_DOMAIN, "gmx.de", "en", 30},
    {"/domain/a+b", ROUTE_DOMAIN, "a+b", NULL, 30},
    {"/domain/..%2f..%2Fetc", ROUTE_DOMAIN, "../../etc", NULL, 30},
    {"/domain/m%C3%BCller.de", ROUTE_DOMAIN, "müller.de", NULL, 30},
    {"/domain/%ff", ROUTE_DOMAIN, "\xff", NULL, 30},
    {"/domain/%00x", ROUTE_NOTHING, NULL, NULL, 30},
    {"/domain/%4", ROUTE_NOTHING, NULL, NULL, 30},
    {"/domain/%zz", ROUTE_NOTHING, NULL, NULL, 30},
    {"/domain/x?q=y", ROUTE_DOMAIN, "x", NULL, 30},
    {"/search", ROUTE_SEARCH, "", NULL, 30},
    {"/search?q=", ROUTE_SEARCH, "", NULL, 30},
    {"/search?q=+gmx.de+", ROUTE_SEARCH, "gmx.de", NULL, 30},
    {"/search?q=a%2Bb%40gmx.de", ROUTE_SEARCH, "a+b@gmx.de", NULL, 30},
    {"/search?q=%3Cscript%3E", ROUTE_SEARCH, "<script>", NULL, 30},
    {"/search?q=a&q=b", ROUTE_SEARCH, "b", NULL, 30},
    {"/search?q=%0", ROUTE_NOTHING, "", NULL, 30},
    {"/assets/spfrom.css", ROUTE_ASSET, "spfrom.css", NULL, 30},
    {"/metrics", ROUTE_METRICS, NULL, NULL, 30},
    {"/healthz", ROUTE_HEALTH, NULL, NULL, 30},
    {"", ROUTE_NOTHING, NULL, NULL, 30},
    {"*", ROUTE_NOTHING, NULL, NULL, 30},
    {"http://example.org/", ROUTE_NOTHING, NULL, NULL, 30},
    {"//", ROUTE_NOTHING, NULL, NULL, 30},
    {"/index.html", ROUTE_NOTHING, NULL, NULL, 30},
};

static void test_parse(void **state)
{
    const struct row *row = *state;
    g_autoptr(Request) request = request_parse(row->name);

    assert_int_equal(request->route, row->route);
    assert_int_equal(request->days, row->days);
    assert_false(request->is_too_long);
    assert_int_equal(request->language == NULL, row->language == NULL);
    if (row->language != NULL)
        assert_string_equal(request->language, row->language);
    assert_int_equal(request->subject == NULL, row->subject == NULL);
    if (row->subject != NULL)
        assert_string_equal(request->subject, row->subject);
}

static void test_up(void **state)
{
    g_autoptr(Request) asked = request_parse("/metrics?up=1");
    g_autoptr(Request) not_asked = request_parse("/metrics?up=0");

    (void)state;
    assert_true(asked->has_up);
    assert_false(not_asked->has_up);
}

static void test_too_long(void **state)
{
    g_autofree char *name = g_strnfill(REQUEST_SUBJECT_MAX + 1, 'x');
    g_autofree char *page = request_domain_target(name);
    g_autofree char *search = g_strconcat("/search?q=", name, NULL);

    (void)state;
    for (int i = 0; i < 2; i++) {
        g_autoptr(Request) request = request_parse(i == 0 ? page : search);

        assert_true(request->is_too_long);
    }
}

static const struct target_row {
    const char *name;
    const char *language;
    guint days;
    const char *target;
} target_rows[] = {
    {"/", "de", 30, "/?lang=de"},
    {"/?lang=de", NULL, 7, "/?days=7"},
    {"/domains", "en", 90, "/domains?days=90&lang=en"},
    {"/domains?q=", NULL, 30, "/domains"},
    {"/domains?q=a%26b&result=none&advice=publish&sort=-domain&page=3", NULL, 7,
     "/domains?q=a%26b&result=none&advice=publish&sort=-domain&page=3&days=7"},
    {"/domains?result=x&advice=y&sort=z&page=0", NULL, 30, "/domains"},
    {"/domains?sort=-&page=-5", NULL, 30, "/domains?page=1000000"},
    {"/domains?sort=messages&page=99999999999999999999", NULL, 30, "/domains?page=1000000"},
    {"/domains.csv?result=unchecked&sort=last", NULL, 30,
     "/domains.csv?result=unchecked&sort=last"},
    {"/?result=none&page=2", NULL, 30, "/"},
    {"/domain/%3Cb%3E%22%26", "de", 30, "/domain/%3Cb%3E%22%26?lang=de"},
    {"/search?q=a%2Bb%40x.de", "de", 30, "/search?q=a%2Bb%40x.de&lang=de"},
    {"/nothing", "de", 30, "/?lang=de"},
};

static void test_target(void **state)
{
    const struct target_row *row = *state;
    g_autoptr(Request) request = request_parse(row->name);
    g_autofree char *target = request_target(request, row->language, row->days);

    assert_string_equal(target, row->target);
}

static const struct accept_row {
    const char *name;
    const char *code;
} accept_rows[] = {
    {"", "en"},
    {"de", "de"},
    {"de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", "de"},
    {"en-US,en;q=0.9,de;q=0.8", "en"},
    {"fr, de;q=0.3", "de"},
    {"en;q=0.1, DE ; q=0.2", "de"},
    {"de;q=0, en;q=0.1", "en"},
    {"de;q=0", "en"},
    {"*", "en"},
    {"fr", "en"},
    {"den", "en"},
    {"de;q=nan", "en"},
    {"de;q=-5", "en"},
    {",;,;q=,;;q", "en"},
};

static void test_negotiate(void **state)
{
    const struct accept_row *row = *state;

    assert_string_equal(request_language_negotiate(row->name), row->code);
}

static void test_no_field(void **state)
{
    (void)state;
    assert_string_equal(request_language_negotiate(NULL), "en");
    assert_null(request_language_of_cookies(NULL));
}

static const struct cookie_row {
    const char *name;
    const char *code; /* NULL: none */
} cookie_rows[] = {
    {"spfrom_language=de", "de"},
    {"a=b; spfrom_language=en; c=d", "en"},
    {"spfrom_language=xx", NULL},
    {"xspfrom_language=de", NULL},
    {"", NULL},
};

static void test_cookies(void **state)
{
    const struct cookie_row *row = *state;
    const char *code = request_language_of_cookies(row->name);

    assert_int_equal(code == NULL, row->code == NULL);
    if (row->code != NULL)
        assert_string_equal(code, row->code);
}

static void test_cookie_comes_back(void **state)
{
    g_autofree char *cookie = request_language_cookie("de");

    (void)state;
    assert_string_equal(request_language_of_cookies(cookie), "de");
    assert_non_null(strstr(cookie, "; HttpOnly; SameSite=Lax"));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_parse);
    TABLE_ADD(tests, target_rows, test_target);
    TABLE_ADD(tests, accept_rows, test_negotiate);
    TABLE_ADD(tests, cookie_rows, test_cookies);
    table_add(tests, "metrics with spfrom_up", test_up, NULL);
    table_add(tests, "too long", test_too_long, NULL);
    table_add(tests, "no field of a language", test_no_field, NULL);
    table_add(tests, "a cookie comes back", test_cookie_comes_back, NULL);
    return table_run(tests, "request");
}
