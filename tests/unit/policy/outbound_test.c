#include "config.h"

#include "policy/outbound.h"

#include "unit/table.h"

/* A client as the MTA tells of it. */
typedef struct {
    const char *address; /* NULL: local submission */
    bool is_authenticated;
    const char *daemon_name;
} Client;

static const struct ours_row {
    const char *name;
    const char *rules; /* joined by " " */
    Client client;
    bool is_ours;
} ours_rows[] = {
    {"authenticated", "authenticated", {"198.51.100.7", true, NULL}, true},
    {"not authenticated", "authenticated", {"198.51.100.7", false, NULL}, false},
    {"not authenticated, in the house", "authenticated", {"10.0.0.7", false, NULL}, false},
    {"a stranger", "private", {"198.51.100.7", false, NULL}, false},
    {"a stranger that is authenticated", "private", {"198.51.100.7", true, NULL}, false},
    {"RFC 1918", "private", {"10.0.0.7", false, NULL}, true},
    {"RFC 1918, the second", "private", {"172.16.0.7", false, NULL}, true},
    {"RFC 1918, the third", "private", {"192.168.0.7", false, NULL}, true},
    {"loopback", "private", {"127.0.0.1", false, NULL}, true},
    {"IPv6 loopback", "private", {"::1", false, NULL}, true},
    {"unique local", "private", {"fd00::7", false, NULL}, true},
    {"link-local", "private", {"fe80::7", false, NULL}, true},
    {"mapped RFC 1918", "private", {"::ffff:10.0.0.7", false, NULL}, true},
    {"a mapped stranger", "private", {"::ffff:198.51.100.7", false, NULL}, false},
    {"CGNAT is shared with strangers", "private", {"100.64.0.7", false, NULL}, false},
    {"local submission", "private", {NULL, false, NULL}, true},
    {"local submission, other rules", "authenticated 0.0.0.0/0 ::/0", {NULL, false, NULL}, false},
    {"in the network", "203.0.113.0/24", {"203.0.113.9", false, NULL}, true},
    {"outside of the network", "203.0.113.0/24", {"203.0.114.9", false, NULL}, false},
    {"mapped in the network", "203.0.113.0/24", {"::ffff:203.0.113.9", false, NULL}, true},
    {"in the network, which is mapped",
     "::ffff:203.0.113.0/120",
     {"203.0.113.9", false, NULL},
     true},
    {"one address", "203.0.113.9", {"203.0.113.9", false, NULL}, true},
    {"IPv6 network", "2001:db8::/32", {"2001:db8::7", false, NULL}, true},
    {"the daemon", "daemon:submission", {"198.51.100.7", false, "submission"}, true},
    {"another daemon", "daemon:submission", {"198.51.100.7", false, "smtpd"}, false},
    {"a longer name of a daemon", "daemon:smtp", {"198.51.100.7", false, "smtpd"}, false},
    {"no name of a daemon", "daemon:submission", {"198.51.100.7", false, NULL}, false},
    {"all", "all", {"198.51.100.7", false, NULL}, true},
    {"one of several", "authenticated private 203.0.113.0/24", {"203.0.113.9", false, NULL}, true},
    {"none of several",
     "authenticated private 203.0.113.0/24",
     {"198.51.100.7", false, "x"},
     false},
};

static GPtrArray *rules_of(const char *text)
{
    g_auto(GStrv) texts = g_strsplit(text, " ", -1);
    GPtrArray *rules = g_ptr_array_new_with_free_func((GDestroyNotify)outbound_rule_free);

    for (guint i = 0; texts[i] != NULL; i++) {
        OutboundRule *rule = outbound_rule_parse(texts[i], NULL);

        assert_non_null(rule);
        g_ptr_array_add(rules, rule);
    }
    return rules;
}

static void test_ours(void **state)
{
    const struct ours_row *row = *state;
    g_autoptr(GPtrArray) rules = rules_of(row->rules);
    OutboundClient client = {.has_address = row->client.address != NULL,
                             .is_authenticated = row->client.is_authenticated,
                             .daemon_name = row->client.daemon_name};

    if (client.has_address)
        assert_true(network_parse(row->client.address, &client.address, NULL));
    assert_int_equal(outbound_is_ours(rules, &client), row->is_ours);
}

static const struct error_row {
    const char *name; /* the text */
} error_rows[] = {
    {""},       {"everything"},   {"Private"},          {"daemon:"},
    {"daemon"}, {"192.0.2.1/24"}, {"mail.example.net"}, {"192.0.2.0/33"},
};

static void test_error(void **state)
{
    const struct error_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *wanted =
        g_strdup_printf("\"%s\" says of no message that it is outgoing; write authenticated, "
                        "private, all, daemon:NAME or a network like 203.0.113.0/24",
                        row->name);

    assert_null(outbound_rule_parse(row->name, &error));
    assert_true(g_error_matches(error, OUTBOUND_ERROR, OUTBOUND_ERROR_SYNTAX));
    assert_string_equal(error->message, wanted);
}

static const struct mailer_row {
    const char *name; /* the mailer */
    bool is_local;
} mailer_rows[] = {
    {"local", true},       {"virtual", true},
    {"lmtp", true},        {"lmtp:unix:private/dovecot", true},
    {"local:", true},      {"smtp", false},
    {"relay", false},      {"locals", false},
    {"loca", false},       {"", false},
    {":local", false},     {"Local", false},
    {"smtp:local", false}, {"error", false},
};

static void test_mailer(void **state)
{
    const struct mailer_row *row = *state;
    const char *const mailers[] = {"local", "virtual", "lmtp", NULL};
    const char *const none[] = {NULL};

    assert_int_equal(outbound_is_local_mailer(mailers, row->name), row->is_local);
    assert_false(outbound_is_local_mailer(none, row->name));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, ours_rows, test_ours);
    TABLE_ADD(tests, error_rows, test_error);
    TABLE_ADD(tests, mailer_rows, test_mailer);
    return table_run(tests, "outbound");
}
