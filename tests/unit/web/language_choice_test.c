#include "config.h"

#include "web/language_choice.h"

#include <string.h>

#include "unit/table.h"

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

    assert_string_equal(language_choice_negotiate(row->name), row->code);
}

static void test_no_field(void **state)
{
    (void)state;
    assert_string_equal(language_choice_negotiate(NULL), "en");
    assert_null(language_choice_of_cookies(NULL));
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
    const char *code = language_choice_of_cookies(row->name);

    assert_int_equal(code == NULL, row->code == NULL);
    if (row->code != NULL)
        assert_string_equal(code, row->code);
}

static void test_cookie_comes_back(void **state)
{
    g_autofree char *cookie = language_choice_cookie("de");

    (void)state;
    assert_string_equal(language_choice_of_cookies(cookie), "de");
    assert_non_null(strstr(cookie, "; HttpOnly; SameSite=Lax"));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, accept_rows, test_negotiate);
    TABLE_ADD(tests, cookie_rows, test_cookies);
    table_add(tests, "no field", test_no_field, NULL);
    table_add(tests, "a cookie comes back", test_cookie_comes_back, NULL);
    return table_run(tests, "language_choice");
}
