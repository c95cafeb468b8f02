#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "spf/macro.h"

#define LETTERS16 "abcdefghijklmnop"
#define LETTERS64 LETTERS16 LETTERS16 LETTERS16 LETTERS16

/* Of strong-bad@email.example.com from 192.0.2.3 or 2001:db8::cb01 (the examples of RFC 7208
 * section 7.4, and more). */
static const struct row {
    const char *spec;
    const char *name;
    guint uses;
    bool is_ip6;
} rows[] = {
    {"example.org", "example.org", 0, false},
    {"Example.ORG.", "example.org", 0, false},
    {"%{s}", "strong-bad@email.example.com", MACRO_SENDER | MACRO_FOREIGN, false},
    {"%{o}", "email.example.com", MACRO_FOREIGN, false},
    {"%{d}", "email.example.com", 0, false},
    {"%{d4}", "email.example.com", 0, false},
    {"%{d3}", "email.example.com", 0, false},
    {"%{d2}", "example.com", 0, false},
    {"%{d1}", "com", 0, false},
    {"%{dr}", "com.example.email", 0, false},
    {"%{d2r}", "example.email", 0, false},
    {"%{d1r}", "email", 0, false},
    {"%{d99999999999}", "email.example.com", 0, false},
    {"%{l}", "strong-bad", MACRO_SENDER | MACRO_FOREIGN, false},
    {"%{l-}", "strong.bad", MACRO_SENDER | MACRO_FOREIGN, false},
    {"%{lr}", "strong-bad", MACRO_SENDER | MACRO_FOREIGN, false},
    {"%{lr-}", "bad.strong", MACRO_SENDER | MACRO_FOREIGN, false},
    {"%{l1r-}", "strong", MACRO_SENDER | MACRO_FOREIGN, false},
    {"%{l1-}", "bad", MACRO_SENDER | MACRO_FOREIGN, false},
    {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com", MACRO_ADDRESS | MACRO_FOREIGN,
     false},
    {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com", MACRO_SENDER | MACRO_FOREIGN, false},
    {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com",
     MACRO_SENDER | MACRO_ADDRESS | MACRO_FOREIGN, false},
    {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net", 0, false},
    {"%{ir}.%{v}._spf.%{d2}",
     "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com",
     MACRO_ADDRESS | MACRO_FOREIGN, true},
    {"%{i}", "192.0.2.3", MACRO_ADDRESS | MACRO_FOREIGN, false},
    {"%{i2}", "2.3", MACRO_ADDRESS | MACRO_FOREIGN, false},
    {"%{h}", "mail.example.net", MACRO_FOREIGN | MACRO_HOST, false},
    {"%{p}.x.org", "unknown.x.org", MACRO_ADDRESS | MACRO_VALIDATED | MACRO_FOREIGN, false},
    {"%{S}.org", "strong-bad%40email.example.com.org", MACRO_SENDER | MACRO_FOREIGN, false},
    {"a%%b%_c%-d.org", "a%b c%20d.org", 0, false},
    {"%{d.-}", "email.example.com", 0, false},
    {"%{da}", "", 0, false}, /* against the grammar: nothing is expanded */
};

static void test_expand(void **state)
{
    const struct row *row = *state;
    Network address;
    MacroValues values = {.local_part = "strong-bad",
                          .sender = "email.example.com",
                          .domain = "email.example.com",
                          .helo = "mail.example.net",
                          .address = &address};
    g_autofree char *name = NULL;

    assert_true(network_parse(row->is_ip6 ? "2001:db8::cb01" : "192.0.2.3", &address, NULL));
    name = macro_expand(&values, row->spec, strlen(row->spec));
    assert_string_equal(name, row->name);
    assert_int_equal(macro_uses(row->spec, strlen(row->spec)), row->uses);
}

/* Section 7.3: too long names lose labels on the left. Without loss, this one has 231 octets and
 * the domain. */
static void test_shorten(void **state)
{
    static const char spec[] =
        "a." LETTERS16 ".%{l}." LETTERS16 LETTERS16 LETTERS16 "." LETTERS16 LETTERS16 LETTERS16
        "." LETTERS16 LETTERS16 LETTERS16 ".%{d}";
    static const struct {
        const char *domain;
        size_t length;
    } cases[] = {
        {"example.org", 242},
        {"1234567890.example.org", 253},
        {"12345678901.example.org", 254 - 2},        /* without "a." */
        {"123456789012.example.org", 255 - 2},       /* so too */
        {"1234567890123.example.org", 256 - 2 - 17}, /* nor the label behind it */
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MacroValues values = {.local_part = LETTERS64 LETTERS64,
                              .sender = "x.org",
                              .domain = cases[i].domain,
                              .helo = ""};
        g_autofree char *name = macro_expand(&values, spec, strlen(spec));

        assert_int_equal(strlen(name), cases[i].length);
        assert_true(g_str_has_suffix(name, cases[i].domain));
    }
}

/* Whatever a record holds, memory and time stay bounded. */
static void test_many_macros(void **state)
{
    MacroValues values = {
        .local_part = LETTERS64, .sender = "x.org", .domain = "example.org", .helo = ""};
    g_autoptr(GString) spec = g_string_new(NULL);
    g_autofree char *name = NULL;

    (void)state;
    for (int i = 0; i < 16000; i++)
        g_string_append(spec, "%{S}");
    g_string_append(spec, ".example.org");
    name = macro_expand(&values, spec->str, spec->len);
    assert_true(g_str_has_suffix(name, ".org.example.org"));
    assert_in_range(strlen(name), 1, 253);
}

/* A name without dots can't be shortened by labels: it is no name, and stays bounded. */
static void test_no_labels(void **state)
{
    MacroValues values = {.local_part = LETTERS64, .sender = "x", .domain = "x", .helo = ""};
    g_autoptr(GString) spec = g_string_new(NULL);
    g_autofree char *name = NULL;

    (void)state;
    for (int i = 0; i < 16000; i++)
        g_string_append(spec, "%{l}");
    name = macro_expand(&values, spec->str, spec->len);
    assert_in_range(strlen(name), 254, 8192);
    assert_false(macro_is_name(name));
}

static const struct name_row {
    const char *name;
    bool is_name;
} names[] = {
    {"example.org", true},  {"a b.org", true},   {"a%b@c.org", true},     {"", false},
    {".", false},           {"a..b", false},     {"example.", false},     {".org", false},
    {"a\\b", false},        {"a\tb.org", false}, {"\xc3\xa4.org", false}, {LETTERS64, false},
    {"a." LETTERS16, true},
};

static void test_is_name(void **state)
{
    const struct name_row *row = *state;

    assert_int_equal(macro_is_name(row->name), row->is_name);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_shorten),
        cmocka_unit_test(test_many_macros),
        cmocka_unit_test(test_no_labels),
    };
    struct CMUnitTest tests[G_N_ELEMENTS(rows) + G_N_ELEMENTS(names) + G_N_ELEMENTS(others)];

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].spec, .test_func = test_expand, .initial_state = (void *)&rows[i]};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        tests[G_N_ELEMENTS(rows) + i] = (struct CMUnitTest){
            .name = names[i].name, .test_func = test_is_name, .initial_state = (void *)&names[i]};
    memcpy(tests + G_N_ELEMENTS(rows) + G_N_ELEMENTS(names), others, sizeof others);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
