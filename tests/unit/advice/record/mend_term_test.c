#include "config.h"

#include "advice/record/mend_term.h"

#include <string.h>

#include "unit/table.h"

/* A term that is wrong, and what it was meant as; "" for nothing. */
static const struct row {
    const char *name;
    const char *meant;
} rows[] = {
    {"ipv4:192.0.2.1", "ip4:192.0.2.1"},
    {"-ipv6:2001:db8::1", "-ip6:2001:db8::1"},
    {"ip:2001:db8::/32", "ip6:2001:db8::/32"},
    {"ip4=192.0.2.1", "ip4:192.0.2.1"},
    {"ip4:192.0.2.1/", "ip4:192.0.2.1"},
    {"ip4:192.0.2.0/255.255.255.128", "ip4:192.0.2.0/25"},
    {"ip4:192.0.2.0/255.0.255.0", "ip4:192.0.2.0"},
    {"ip4:192.0.2.64-192.0.2.127", "ip4:192.0.2.64/26"},
    {"ip4:192.0.2.0-63", "ip4:192.0.2.0/26"},
    {"ip4:192.0.2.1-192.0.2.9", ""},
    {"ip4:192.0.*.*", "ip4:192.0.0.0/16"},
    {"ip4:*.0.2.1", ""},
    {"ip4:192.0.2.256", ""},
    {"ip4:192.0.2", ""},
    {"ip4:x.org", "a:x.org"},
    {"192.0.2.1", "ip4:192.0.2.1"},
    {"mail.x.org", "a:mail.x.org"},
    {"_spf.x.org", "include:_spf.x.org"},
    {"info@x.org", ""},
    {"inlcude:x.org", "include:x.org"},
    {"?incude=x.org", "?include:x.org"},
    {"include:https://x.org/path", "include:x.org"},
    {"include:%{d}.x.org/24", ""},
    {"redirect:x.org", "redirect=x.org"},
    {"-redirect=x.org", "redirect=x.org"},
    {"a/33", "a"},
    {"a:x.org/24//129", "a:x.org"},
    {"mx:", "mx"},
    {"a:192.0.2.1/24", "ip4:192.0.2.1/24"},
    {"--all", "-all"},
    {"-~all", "~all"},
    {"-all;", "-all"},
    {"all:x", "~all"},
    {"-al", "-all"},
    {"call", ""},
    {"ale:x", ""},
    {"all.x.org", "a:all.x.org"},
    {"ip4:192.0.2.1include:x.org", "ip4:192.0.2.1 include:x.org"},
    {"include:x.org-all", "include:x.org -all"},
    {"mx-all", "mx -all"},
    {"a:x.orginclude:y.orgip4:192.0.2.1~all", "a:x.org include:y.org ip4:192.0.2.1 ~all"},
    {"ip4:192.0.2.1,192.0.2.2;mx", "ip4:192.0.2.1 ip4:192.0.2.2 mx"},
    {"include:x.org,y.org", "include:x.org include:y.org"},
    {"\"mx\"", "mx"},
    {"x-include:x.org", "-include:x.org"},
    {"@~ip4:192.0.2.1", "~ip4:192.0.2.1"},
    {"a/x.org", ""},
    {"ip4:192.0.2.1/2/28", ""},
    {"ip4:192.0.2.1:7", ""},
    {"ip4:192.0.2.1:25", ""},
    {"ip4:192.0.2.2-3", ""},
    {"include:_spf.goo@x.org", ""},
    {"include.x.org", "include:x.org"},
    {"a:include:x.org", "include:x.org"},
    {"-a:include:x.org", "-include:x.org"},
    {"+a+mx+include:x.org~all", "+a +mx +include:x.org ~all"},
    /* Pieces of an address are nobody's address. */
    {"ip4:1,92.0.2.17", ""},
    {"ip4:1\"\"92.0.2.17", ""},
    {"ip6:2001:d,b8:7::/48", ""},
    {"ip6:2001>db8:7::/48", ""},
    {"ip6:2001:db8;7::/48", ""},
    {"ip;6:2001:db8:7::/48", ""},
    {"ip4:192.0.2.a1", ""},
    {"ipv6:6:2001:db8::1", ""},
    {"ipv4:0.0.2.17", ""},
    {"include:spf.ma:il.x.org", ""},
    {"ip6:2001:db8::1,2001:db8::2", "ip6:2001:db8::1 ip6:2001:db8::2"},
    /* Nor is a name that a mechanism's name has grown to. */
    {"includex.org", ""},
    {"inlcudespf.x.org", ""},
    {"ip4x.org", ""},
    {"mx_x.org", ""},
    {"a_x.org", ""},
    {"~aa:x.org", "~a:x.org"},
    {"foo", ""},
    {"foo:x.org", ""},
    {"%", ""},
    {"-", ""},
    {":", ""},
    {"", ""},
};

static void test_mend(void **state)
{
    const struct row *row = *state;
    bool has_lost;
    g_auto(GStrv) terms = mend_term(row->name, &has_lost);
    g_autofree char *meant = g_strjoinv(" ", terms);

    assert_false(mend_term_is_right(row->name));
    assert_string_equal(meant, row->meant);
    for (char **term = terms; *term != NULL; term++)
        assert_true(mend_term_is_right(*term));
}

static const struct right_row {
    const char *name;
} right_rows[] = {
    {"a"},       {"-mx/24//64"},     {"include:_spf.x.org"}, {"exists:%{l}+x.org"}, {"a:%{d}"},
    {"foo=bar"}, {"ra=post"},        {"exp=x.org"},          {"ip6:2001:db8::/32"}, {"?all"},
    {"ptr"},     {"redirect=x.org"},
};

static void test_right(void **state)
{
    const struct right_row *row = *state;

    assert_true(mend_term_is_right(row->name));
}

static void test_long(void **state G_GNUC_UNUSED)
{
    g_autofree char *text = g_strnfill(MEND_TERM_MAX + 1, ':');
    bool has_lost = false;
    g_auto(GStrv) terms = mend_term(text, &has_lost);

    assert_null(terms[0]);
    assert_true(has_lost);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_mend);
    TABLE_ADD(tests, right_rows, test_right);
    table_add(tests, "too long", test_long, NULL);
    return table_run(tests, "mend_term");
}
