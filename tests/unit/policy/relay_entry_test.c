#include "config.h"

#include "policy/relay_entry.h"

#include "unit/table.h"

static const struct entry_row {
    const char *name; /* the text */
    RelayEntryKind kind;
    const char *text; /* of the entry */
} entry_rows[] = {
    {"auto", RELAY_ENTRY_AUTO, "auto"},
    {"192.0.2.25", RELAY_ENTRY_NETWORK, "192.0.2.25"},
    {"192.0.2.0/28", RELAY_ENTRY_NETWORK, "192.0.2.0/28"},
    {"2001:db8::25", RELAY_ENTRY_NETWORK, "2001:db8::25"},
    {"2001:db8::/64", RELAY_ENTRY_NETWORK, "2001:db8::/64"},
    {"::ffff:192.0.2.25", RELAY_ENTRY_NETWORK, "192.0.2.25"},
    {"10.0.0.0/8", RELAY_ENTRY_NETWORK, "10.0.0.0/8"},
    {"2000::/16", RELAY_ENTRY_NETWORK, "2000::/16"},
    {"mail.example.net", RELAY_ENTRY_HOST, "mail.example.net"},
    {"Mail.Example.NET.", RELAY_ENTRY_HOST, "mail.example.net"},
    {"relay.müller.example", RELAY_ENTRY_HOST, "relay.xn--mller-kva.example"},
    {"relay", RELAY_ENTRY_HOST, "relay"},
    {"1.example", RELAY_ENTRY_HOST, "1.example"},
    {"automatic.example", RELAY_ENTRY_HOST, "automatic.example"},
    {"spf:amazonses.com", RELAY_ENTRY_SPF, "spf:amazonses.com"},
    {"spf:AmazonSES.com.", RELAY_ENTRY_SPF, "spf:amazonses.com"},
    {"spf:_spf.example.net", RELAY_ENTRY_SPF, "spf:_spf.example.net"},
};

static void test_entry(void **state)
{
    const struct entry_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(RelayEntry) entry = relay_entry_parse(row->name, &error);
    g_autofree char *text = NULL;

    assert_null(error);
    assert_int_equal(entry->kind, row->kind);
    assert_int_equal(entry->domain != NULL,
                     row->kind == RELAY_ENTRY_HOST || row->kind == RELAY_ENTRY_SPF);
    text = relay_entry_text(entry);
    assert_string_equal(text, row->text);
}

static const struct error_row {
    const char *name; /* the text */
    RelayEntryError code;
    const char *message;
} error_rows[] = {
    {"192.0.2.1/28", RELAY_ENTRY_ERROR_NETWORK,
     "\"192.0.2.1/28\" is not a network; write it like 192.0.2.0/28"},
    {"192.0.2.256", RELAY_ENTRY_ERROR_NETWORK,
     "\"192.0.2.256\" is not a network; write it like 192.0.2.0/28"},
    {"25", RELAY_ENTRY_ERROR_NETWORK, "\"25\" is not a network; write it like 192.0.2.0/28"},
    {"mail.example.net/24", RELAY_ENTRY_ERROR_NETWORK,
     "\"mail.example.net/24\" is not a network; write it like 192.0.2.0/28"},
    {"[2001:db8::25]", RELAY_ENTRY_ERROR_NETWORK,
     "\"[2001:db8::25]\" is not a network; write it like 192.0.2.0/28"},
    {"smtp:mail.example.net", RELAY_ENTRY_ERROR_NETWORK,
     "\"smtp:mail.example.net\" is not a network; write it like 192.0.2.0/28"},
    {"0.0.0.0/0", RELAY_ENTRY_ERROR_WIDE,
     "\"0.0.0.0/0\" is too wide for a relay; write a network of at least /8"},
    {"10.0.0.0/7", RELAY_ENTRY_ERROR_WIDE,
     "\"10.0.0.0/7\" is too wide for a relay; write a network of at least /8"},
    {"::ffff:0:0/96", RELAY_ENTRY_ERROR_WIDE,
     "\"::ffff:0:0/96\" is too wide for a relay; write a network of at least /8"},
    {"2000::/15", RELAY_ENTRY_ERROR_WIDE,
     "\"2000::/15\" is too wide for a relay; write a network of at least /16"},
    {"", RELAY_ENTRY_ERROR_DOMAIN, "\"\" is not a domain; write it like mail.example.net"},
    {"spf:", RELAY_ENTRY_ERROR_DOMAIN, "\"\" is not a domain; write it like mail.example.net"},
    {"spf:a b", RELAY_ENTRY_ERROR_DOMAIN,
     "\"a b\" is not a domain; write it like mail.example.net"},
    {"mail..example.net", RELAY_ENTRY_ERROR_DOMAIN,
     "\"mail..example.net\" is not a domain; write it like mail.example.net"},
    {"bounce@example.net", RELAY_ENTRY_ERROR_DOMAIN,
     "\"bounce@example.net\" is not a domain; write it like mail.example.net"},
};

static void test_error(void **state)
{
    const struct error_row *row = *state;
    g_autoptr(GError) error = NULL;

    assert_null(relay_entry_parse(row->name, &error));
    assert_string_equal(error->message, row->message);
    assert_true(g_error_matches(error, RELAY_ENTRY_ERROR, row->code));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, entry_rows, test_entry);
    TABLE_ADD(tests, error_rows, test_error);
    return table_run(tests, "relay_entry");
}
