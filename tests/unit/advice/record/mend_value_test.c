#include "config.h"

#include "advice/record/mend_value.h"

#include <string.h>

#include "unit/table.h"

/* A value, and the network and the domain that it was meant as; NULL: none. */
static const struct row {
    const char *name;
    const char *network;
    const char *domain;
    bool is_bare;
} rows[] = {
    {"192.0.2.1", "ip4:192.0.2.1", NULL, true},
    {"192.0.002.1/24", "ip4:192.0.2.1/24", NULL, true},
    {"192.0.2.0/255.255.255.128", "ip4:192.0.2.0/25", NULL, true},
    {"192.0.2.0/255.0.255.0", "ip4:192.0.2.0", NULL, true},
    {"192.0.2.*", "ip4:192.0.2.0/24", NULL, true},
    {"192.*.2.*", NULL, NULL, false},
    {"192.0.2.0-255", "ip4:192.0.2.0/24", NULL, true},
    {"192.0.2.0-192.0.2.254", NULL, NULL, false},
    {"192.0.2.1/3", "ip4:192.0.2.1", NULL, true},
    {"127.0.0.1", NULL, NULL, false},
    {"192.0.2", NULL, NULL, false},
    {"[2001:db8::1]", "ip6:2001:db8::1", NULL, true},
    {"2001:db8::/32", "ip6:2001:db8::/32", NULL, true},
    {"fe80::1", NULL, NULL, false},
    {"x.org", NULL, "x.org", true},
    {": x.org.", NULL, "x.org", false},
    {"http://x.org/a/path", NULL, "x.org", false},
    {"x.org/24", NULL, "x.org", false},
    {"x.org:25", NULL, "x.org", false},
    {"info@x.org", NULL, "x.org", false},
    {"goo@gle.org", NULL, NULL, false},
    {"goo/gle.org", NULL, NULL, false},
    {"org", NULL, NULL, false},
    {"x..org", NULL, NULL, false},
    {"x.7", NULL, NULL, false},
    {"%{d}.x.org", NULL, "%{d}.x.org", true},
    {"", NULL, NULL, false},
};

static void assert_meant(const char *meant, const char *wanted)
{
    assert_string_equal(meant != NULL ? meant : "none", wanted != NULL ? wanted : "none");
}

static void test_meant(void **state)
{
    const struct row *row = *state;
    g_autofree char *network = mend_value_network(row->name);
    g_autofree char *domain = mend_value_domain(row->name);

    assert_meant(network, row->network);
    assert_meant(domain, row->domain);
    assert_int_equal(mend_value_is_bare(row->name), row->is_bare);
}

static void test_labels(void **state G_GNUC_UNUSED)
{
    assert_int_equal(mend_value_count_labels("mail.x.org"), 3);
    assert_int_equal(mend_value_count_labels("x.org"), 2);
    assert_int_equal(mend_value_count_labels("org"), 0);
    assert_int_equal(mend_value_count_labels("x org"), 0);
}

static void test_long(void **state G_GNUC_UNUSED)
{
    g_autofree char *zeros = g_strnfill(400, '0');
    g_autofree char *text = g_strconcat(zeros, ".x.org", NULL);
    g_autofree char *domain = mend_value_domain(text);

    assert_null(domain);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_meant);
    table_add(tests, "labels", test_labels, NULL);
    table_add(tests, "too long", test_long, NULL);
    return table_run(tests, "mend_value");
}
