#include "config.h"

#include "web/host_names.h"

#include "unit/table.h"

static const struct row {
    const char *name; /* the Host field */
    const char *local;
    bool is_ours;
} rows[] = {
    {"localhost", "127.0.0.1", true},
    {"localhost:8895", "127.0.0.1", true},
    {"LOCALHOST.:1", "127.0.0.1", true},
    {"127.0.0.1:8895", "127.0.0.1", true},
    {"127.1.2.3", "127.0.0.1", true},
    {"[::1]:8895", "127.0.0.1", true},
    {"192.0.2.7:8895", "192.0.2.7", true},
    {"[2001:db8::7]:8895", "2001:db8::7", true},
    {"[2001:DB8:0::7]", "2001:db8::7", true},
    {"spfrom.example.org", "192.0.2.7", true},
    {"SPFrom.Example.ORG:443", "192.0.2.7", true},
    {"192.0.2.8", "192.0.2.7", false},
    {"evil.example", "127.0.0.1", false},
    {"localhost.evil.example", "127.0.0.1", false},
    {"evil.example:127.0.0.1", "127.0.0.1", false},
    {"127.0.0.1.evil.example", "127.0.0.1", false},
    {"xspfrom.example.org", "127.0.0.1", false},
    {"127.0.0.0/8", "127.0.0.1", false},
    {"[::1", "::1", false},
    {"[::1]x", "::1", false},
    {"2001:db8::7", "2001:db8::7", false},
    {"", "127.0.0.1", false},
    {":8895", "127.0.0.1", false},
    {".", "127.0.0.1", false},
    {"localhost:80x", "127.0.0.1", false},
    {"a@localhost", "127.0.0.1", false},
};

static void test_host(void **state)
{
    static const char *const names[] = {"other.example.org", "spfrom.example.org", NULL};
    const struct row *row = *state;

    assert_int_equal(host_name_is_ours(row->name, row->local, names), row->is_ours);
}

static void test_no_field(void **state)
{
    (void)state;
    assert_false(host_name_is_ours(NULL, "127.0.0.1", NULL));
    assert_true(host_name_is_ours("localhost", "127.0.0.1", NULL));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_host);
    table_add(tests, "no field", test_no_field, NULL);
    return table_run(tests, "host_names");
}
