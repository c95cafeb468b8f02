#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "spf/record.h"

/*
 * How the record was read: qualifier, kind, domain-spec and prefix lengths of each term; "!" and
 * what it is of a wrong one.
 */
static const struct row {
    const char *text;
    const char *terms;
} rows[] = {
    {"v=spf1", ""},
    {"v=spf1 ", ""},
    {"V=SPF1 -all", "-all"},
    {"v=spf1   a   -all  ", "+a -all"},
    {"v=spf1 all", "+all"},
    {"v=spf1 ?all", "?all"},
    {"v=spf1 ~ALL", "~all"},
    {"v=spf1 -all:x", "!-all:x"},
    {"v=spf1 -all/8", "!-all/8"},
    {"v=spf1 --all", "!--all"},
    {"v=spf1 -", "!-"},
    {"v=spf1 alll", "!alll"},
    {"v=spf1 =x", "!=x"},
    {"v=spf1 \"a\"", "!\"a\""},
    /* include, exists */
    {"v=spf1 include:example.org", "+include(example.org)"},
    {"v=spf1 -include:_spf.example.org.", "-include(_spf.example.org.)"},
    {"v=spf1 include", "!include"},
    {"v=spf1 include:", "!include:"},
    {"v=spf1 include:org", "!include:org"},
    {"v=spf1 include:example.123", "!include:example.123"},
    {"v=spf1 include:example.-org", "!include:example.-org"},
    {"v=spf1 include:example.xn--p1ai", "+include(example.xn--p1ai)"},
    {"v=spf1 include:example.1-2", "+include(example.1-2)"},
    {"v=spf1 include:example..", "!include:example.."},
    {"v=spf1 include:example.org/24", "!include:example.org/24"},
    {"v=spf1 include=example.org", "+modifier(example.org)"},
    {"v=spf1 exists:%{i}", "+exists(%{i})"},
    {"v=spf1 exists:%{ir}.%{v}._spf.%{d2}", "+exists(%{ir}.%{v}._spf.%{d2})"},
    {"v=spf1 exists:%{I1r.-+,/_=}.example.org", "+exists(%{I1r.-+,/_=}.example.org)"},
    {"v=spf1 exists:%{d}org", "!exists:%{d}org"},
    {"v=spf1 exists:%{d}.org", "+exists(%{d}.org)"},
    {"v=spf1 exists:a%%b%_c%-.org", "+exists(a%%b%_c%-.org)"},
    {"v=spf1 exists:%", "!exists:%"},
    {"v=spf1 exists:%a", "!exists:%a"},
    {"v=spf1 exists:%{", "!exists:%{"},
    {"v=spf1 exists:%{}", "!exists:%{}"},
    {"v=spf1 exists:%{x}", "!exists:%{x}"},
    {"v=spf1 exists:%{d", "!exists:%{d"},
    {"v=spf1 exists:%{d0}", "!exists:%{d0}"},
    {"v=spf1 exists:%{d99999999999999}", "+exists(%{d99999999999999})"},
    {"v=spf1 exists:%{dr2}", "!exists:%{dr2}"},
    {"v=spf1 exists:%{d|}", "!exists:%{d|}"},
    {"v=spf1 exists:%{c}", "!exists:%{c}"},
    {"v=spf1 exists:%{t}.example.org", "!exists:%{t}.example.org"},
    /* a, mx, ptr */
    {"v=spf1 a mx ptr", "+a +mx +ptr"},
    {"v=spf1 A:Example.ORG", "+a(Example.ORG)"},
    {"v=spf1 a:", "!a:"},
    {"v=spf1 a/24", "+a/24"},
    {"v=spf1 a/0", "+a/0"},
    {"v=spf1 a/32", "+a"},
    {"v=spf1 a/33", "!a/33"},
    {"v=spf1 a/032", "!a/032"},
    {"v=spf1 a/4294967041", "!a/4294967041"},
    {"v=spf1 a/", "!a/"},
    {"v=spf1 a//", "!a//"},
    {"v=spf1 a//64", "+a//64"},
    {"v=spf1 a//129", "!a//129"},
    {"v=spf1 mx/24//64", "+mx/24//64"},
    {"v=spf1 mx//64/24", "!mx//64/24"},
    {"v=spf1 a:example.org/24//64", "+a(example.org)/24//64"},
    {"v=spf1 a:foo:bar/baz.example.org", "+a(foo:bar/baz.example.org)"},
    {"v=spf1 a:example.org/24/25", "!a:example.org/24/25"},
    {"v=spf1 a:%{d/}/24", "+a(%{d/})/24"},
    {"v=spf1 a:192.0.2.1", "!a:192.0.2.1"},
    {"v=spf1 a24", "!a24"},
    {"v=spf1 ptr:example.org", "+ptr(example.org)"},
    {"v=spf1 ptr/24", "!ptr/24"},
    /* ip4, ip6 */
    {"v=spf1 ip4:192.0.2.0/24", "+ip4=192.0.2.0/24"},
    {"v=spf1 ip4:192.0.2.99/24", "+ip4=192.0.2.0/24"},
    {"v=spf1 ip4:192.0.2.1", "+ip4=192.0.2.1"},
    {"v=spf1 ip4:0.0.0.0/0", "+ip4=0.0.0.0/0"},
    {"v=spf1 ip4:192.0.2.1/", "!ip4:192.0.2.1/"},
    {"v=spf1 ip4:192.0.2.1/33", "!ip4:192.0.2.1/33"},
    {"v=spf1 ip4:192.0.2.1/08", "!ip4:192.0.2.1/08"},
    {"v=spf1 ip4:192.0.2.1//32", "!ip4:192.0.2.1//32"},
    {"v=spf1 ip4:192.0.2", "!ip4:192.0.2"},
    {"v=spf1 ip4:192.0.2.1.", "!ip4:192.0.2.1."},
    {"v=spf1 ip4:192.0.2.256", "!ip4:192.0.2.256"},
    {"v=spf1 ip4:192.0.02.1", "!ip4:192.0.02.1"},
    {"v=spf1 ip4:", "!ip4:"},
    {"v=spf1 ip4", "!ip4"},
    {"v=spf1 ip4/24", "!ip4/24"},
    {"v=spf1 ip4:2001:db8::1", "!ip4:2001:db8::1"},
    {"v=spf1 ip4:example.org", "!ip4:example.org"},
    {"v=spf1 ip6:2001:DB8::/32", "+ip6=2001:db8::/32"},
    {"v=spf1 ip6:::1", "+ip6=::1"},
    {"v=spf1 ip6:::/0", "+ip6=::/0"},
    {"v=spf1 ip6:::ffff:192.0.2.1", "+ip6=::ffff:192.0.2.1"},
    {"v=spf1 ip6:2001:db8::/129", "!ip6:2001:db8::/129"},
    {"v=spf1 ip6:2001:db8::1%eth0", "!ip6:2001:db8::1%eth0"},
    {"v=spf1 ip6:1.2.3.4", "!ip6:1.2.3.4"},
    {"v=spf1 ip6:fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80",
     "!ip6:fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80:fe80"},
    {"v=spf1 ipv4:192.0.2.1", "!ipv4:192.0.2.1"},
    /* modifiers */
    {"v=spf1 redirect=example.org", "+redirect(example.org)"},
    {"v=spf1 REDIRECT=%{d}.example.org", "+redirect(%{d}.example.org)"},
    {"v=spf1 redirect:example.org", "!redirect:example.org"},
    {"v=spf1 redirect=", "!redirect="},
    {"v=spf1 redirect=a.org redirect=b.org", "+redirect(a.org) !redirect=b.org"},
    {"v=spf1 redirect=a redirect=b.org", "!redirect=a !redirect=b.org"},
    {"v=spf1 -redirect=example.org", "!-redirect=example.org"},
    {"v=spf1 exp=explain.example.org -all", "+exp(explain.example.org) -all"},
    {"v=spf1 exp=a.org exp=a.org", "+exp(a.org) !exp=a.org"},
    {"v=spf1 exp=", "!exp="},
    {"v=spf1 exp=%{c}.example.org", "!exp=%{c}.example.org"},
    {"v=spf1 moose=", "+modifier"},
    {"v=spf1 m.o-o_s3=%{c}", "+modifier(%{c})"},
    {"v=spf1 moose=%x", "!moose=%x"},
    {"v=spf1 3moose=x", "!3moose=x"},
    {"v=spf1 a=x", "+modifier(x)"},
    /* octets */
    {"v=spf1 a\tmx", "!a?mx"},
    {"v=spf1 a\xc3\xa4:example.org", "!a??:example.org"},
    {"v=spf1 \x7f", "!?"},
    {"v=spf1 ip4:192.0.2.1 foo -al mx:example.org -all",
     "+ip4=192.0.2.1 !foo !-al +mx(example.org) -all"},
    {"foo -all", "!foo -all"},
    {"", ""},
};

static const char *const kinds[] = {"all", "include", "a",        "mx",  "ptr",      "ip4",
                                    "ip6", "exists",  "redirect", "exp", "modifier", "wrong"};

static void append_term(GString *text, const Record *record, const RecordTerm *term)
{
    g_autofree char *shown = record_term_text(record, term);
    char network[NETWORK_TEXT_MAX];

    if (text->len > 0)
        g_string_append_c(text, ' ');
    if (term->kind == RECORD_WRONG) {
        assert_non_null(term->problem);
        g_string_append_printf(text, "!%s", shown);
        return;
    }
    assert_null(term->problem);
    g_string_append_printf(text, "%c%s", term->qualifier, kinds[term->kind]);
    if (term->spec_length > 0)
        g_string_append_printf(text, "(%.*s)", (int)term->spec_length,
                               record->text + term->spec_offset);
    if (term->kind == RECORD_IP4 || term->kind == RECORD_IP6)
        g_string_append_printf(text, "=%s", network_text(&term->network, network));
    if (term->cidr4 != 32)
        g_string_append_printf(text, "/%u", term->cidr4);
    if (term->cidr6 != 128)
        g_string_append_printf(text, "//%u", term->cidr6);
}

static void test_parse(void **state)
{
    const struct row *row = *state;
    g_autoptr(Record) record = record_parse(row->text, strlen(row->text));
    g_autoptr(GString) terms = g_string_new(NULL);

    for (guint i = 0; i < record->terms->len; i++)
        append_term(terms, record, record_at(record, i));
    assert_string_equal(terms->str, row->terms);
    assert_int_equal(record->wrong != NULL, strchr(row->terms, '!') != NULL);
}

static void test_positions(void **state)
{
    static const char text[] = "v=spf1  a  ~include:example.org bad -all";
    g_autoptr(Record) record = record_parse(text, strlen(text));
    g_autofree char *problem = record_problem(record);

    (void)state;
    assert_int_equal(record_at(record, 0)->offset, 8);
    assert_int_equal(record_at(record, 0)->length, 1);
    assert_int_equal(record_at(record, 1)->offset, 11);
    assert_int_equal(record_at(record, 1)->length, 20);
    assert_int_equal(record_at(record, 1)->spec_offset, 20);
    assert_int_equal(record_at(record, 1)->spec_length, 11);
    assert_ptr_equal(record->wrong, record_at(record, 2));
    assert_string_equal(problem, "\"bad\" at character 33: there is no such mechanism");
}

static void test_is_spf(void **state)
{
    (void)state;
    assert_true(record_is_spf("v=spf1", 6));
    assert_true(record_is_spf("V=spF1 -all", 11));
    assert_false(record_is_spf("v=spf1-all", 10));
    assert_false(record_is_spf("v=spf10 -all", 12));
    assert_false(record_is_spf("v=spf1\0", 7));
    assert_false(record_is_spf(" v=spf1", 7));
    assert_false(record_is_spf("v=spf", 5));
    assert_false(record_is_spf("v=spf1 a", 5));
}

/* The length counts, not the NUL. */
static void test_nul(void **state)
{
    static const char text[] = "v=spf1 a:example.org\0.com -all";
    g_autoptr(Record) record = record_parse(text, sizeof text - 1);

    (void)state;
    assert_int_equal(record->length, sizeof text - 1);
    assert_int_equal(record->terms->len, 2);
    assert_ptr_equal(record->wrong, record_at(record, 0));
}

static void test_long_term(void **state)
{
    g_autoptr(GString) text = g_string_new("v=spf1 ");
    g_autoptr(Record) record = NULL;
    g_autofree char *problem = NULL;

    (void)state;
    for (int i = 0; i < 70000; i++)
        g_string_append_c(text, '(');
    record = record_parse(text->str, text->len);
    assert_int_equal(record->length, 65535);
    assert_int_equal(record->terms->len, 1);
    problem = record_problem(record);
    assert_in_range(strlen(problem), 1, RECORD_SHOWN_MAX + 100);
}

/* Many modifiers must not take a time that grows with their square. */
static void test_many_terms(void **state)
{
    g_autoptr(GString) text = g_string_new("v=spf1");
    g_autoptr(Record) record = NULL;

    (void)state;
    while (text->len < 65000)
        g_string_append(text, " exp=a.b");
    record = record_parse(text->str, text->len);
    assert_int_equal(record->terms->len, (text->len - 6) / 8);
    assert_ptr_equal(record->wrong, record_at(record, 1));
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_positions),  cmocka_unit_test(test_is_spf),
        cmocka_unit_test(test_nul),        cmocka_unit_test(test_long_term),
        cmocka_unit_test(test_many_terms),
    };
    struct CMUnitTest tests[G_N_ELEMENTS(rows) + G_N_ELEMENTS(others)];

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].text, .test_func = test_parse, .initial_state = (void *)&rows[i]};
    memcpy(tests + G_N_ELEMENTS(rows), others, sizeof others);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
