#include "config.h"

#include "dns/dns.h"

#include <string.h>

#include "unit/table.h"

#define STRING_255                                                                                 \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeaaaaaaaaaabbbbbbbbbbccccccccccddddddddddee" \
    "eeeeeeee"                                                                                     \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeaaaaaaaaaabbbbbbbbbbccccccccccddddddddddee" \
    "eeeeeeee"                                                                                     \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeaaaaa"

/* One zone for the tests of answers. */
static const char zone[] = "; a comment, and a line without anything\n"
                           "\n"
                           "$ORIGIN example.org.\n"
                           "$TTL 1h\n"
                           "@ IN SOA ns1 host\\.master (\n"
                           "    1 ; serial\n"
                           "    2h 3h 4w\n"
                           "    1m )\n"
                           "  IN NS ns1\n"
                           "  MX 20 b\n"
                           "  MX 10 A.example.org.\n"
                           "  MX 10 c\n"
                           "  TXT \"v=spf1 a\" \" -all\" ; not this\n"
                           "  TXT \"; (no comment)\"\n"
                           "  CAA 0 issue \"ca.example.net\"\n"
                           "A 300 IN A 192.0.2.1\n"
                           "  IN 200 A 192.0.2.2\n"
                           "a A 192.0.2.1\n"
                           "a AAAA 2001:db8::1\n"
                           "deep.down.under A 192.0.2.3\r\n"
                           "null MX 0 .\n"
                           "escapes TXT a\\032b\\\"c\\\\d\\000e \"\\\"\\013\"\n"
                           "lines TXT ( \"one \"\n"
                           "  \"two \"\n"
                           "  \"three\" )\n"
                           "long TXT " STRING_255 " " STRING_255 "\n"
                           "alias 100 CNAME a\n"
                           "alias2 7200 CNAME Alias\n"
                           "alias3 50 CNAME alias2\n"
                           "outside CNAME a.example.net.\n"
                           "dangling 10 CNAME nowhere\n"
                           "loop CNAME loop2\n"
                           "loop2 CNAME loop\n"
                           "slow TROUBLE \"no answer\"\n"
                           "slow A 192.0.2.4\n"
                           "to-slow CNAME slow\n"
                           "service._tcp SRV 0 0 25 a\n"
                           "unknown TYPE65400 \\# 2 abcd\n"
                           "*.wild TXT synthesized\n"
                           "*.wild MX 5 *.wild\n"
                           "real.wild A 192.0.2.5\n"
                           "*.slow-wild TROUBLE SERVFAIL\n"
                           "2.0.192.in-addr.arpa. PTR host\n"
                           "$ORIGIN sub\n"
                           "x PTR y\n"
                           "$ORIGIN example.net.\n"
                           "$TTL 90\n"
                           "a A 198.51.100.1\n"
                           "$ORIGIN .\n"
                           "top.level A 198.51.100.2\n";

static const struct row {
    const char *name;
    DnsType type;
    DnsStatus status;
    guint32 ttl;
    const char *records; /* joined by "|"; addresses in hexadecimal, MX with its preference */
} rows[] = {
    {"example.org", DNS_NS, DNS_FOUND, 3600, "ns1.example.org"},
    {"example.org", DNS_MX, DNS_FOUND, 3600, "10 a.example.org|10 c.example.org|20 b.example.org"},
    {"example.org", DNS_TXT, DNS_FOUND, 3600, "v=spf1 a -all|; (no comment)"},
    {"example.org", DNS_A, DNS_NO_DATA, 60, ""},
    {"Example.ORG", DNS_NS, DNS_FOUND, 3600, "ns1.example.org"},
    {"a.example.org", DNS_A, DNS_FOUND, 200,
     "c0000201|c0000202"}, /* smallest TTL; the double counts once */
    {"a.example.org", DNS_AAAA, DNS_FOUND, 3600, "20010db8000000000000000000000001"},
    {"a.example.org", DNS_TXT, DNS_NO_DATA, 60, ""},
    {"deep.down.under.example.org", DNS_A, DNS_FOUND, 3600, "c0000203"},
    {"down.under.example.org", DNS_A, DNS_NO_DATA, 60, ""}, /* an empty non-terminal exists */
    {"under.example.org", DNS_TXT, DNS_NO_DATA, 60, ""},
    {"x.under.example.org", DNS_A, DNS_NO_NAME, 60, ""},
    {"null.example.org", DNS_MX, DNS_NO_DATA, 3600, ""},
    {"escapes.example.org", DNS_TXT, DNS_FOUND, 3600, "a b\"c\\d<00>e\"<0d>"},
    {"lines.example.org", DNS_TXT, DNS_FOUND, 3600, "one two three"},
    {"long.example.org", DNS_TXT, DNS_FOUND, 3600, STRING_255 STRING_255},
    {"alias.example.org", DNS_A, DNS_FOUND, 100, "c0000201|c0000202"},
    {"alias.example.org", DNS_TXT, DNS_NO_DATA, 60, ""},
    {"alias2.example.org", DNS_A, DNS_FOUND, 100, "c0000201|c0000202"},
    {"alias3.example.org", DNS_A, DNS_FOUND, 50, "c0000201|c0000202"},
    {"outside.example.org", DNS_A, DNS_FOUND, 90, "c6336401"},
    {"dangling.example.org", DNS_A, DNS_NO_NAME, 10, ""},
    {"loop.example.org", DNS_A, DNS_TROUBLE, 0, "CNAME loop"},
    {"slow.example.org", DNS_TXT, DNS_TROUBLE, 0, "no answer"},
    {"slow.example.org", DNS_A, DNS_FOUND, 3600, "c0000204"},
    {"to-slow.example.org", DNS_TXT, DNS_TROUBLE, 0, "no answer"},
    {"service._tcp.example.org", DNS_A, DNS_NO_DATA, 60, ""},
    {"unknown.example.org", DNS_A, DNS_NO_DATA, 60, ""},
    {"any.wild.example.org", DNS_TXT, DNS_FOUND, 3600, "synthesized"},
    {"two.labels.wild.example.org", DNS_TXT, DNS_FOUND, 3600, "synthesized"},
    {"any.wild.example.org", DNS_MX, DNS_FOUND, 3600, "5 *.wild.example.org"},
    {"any.wild.example.org", DNS_A, DNS_NO_DATA, 60, ""},
    {"*.wild.example.org", DNS_TXT, DNS_FOUND, 3600, "synthesized"},
    {"wild.example.org", DNS_TXT, DNS_NO_DATA, 60, ""},
    {"real.wild.example.org", DNS_TXT, DNS_NO_DATA, 60,
     ""}, /* RFC 4592: a name that exists is not synthesized, */
    {"below.real.wild.example.org", DNS_TXT, DNS_NO_NAME, 60, ""}, /* nor one below it */
    {"any.slow-wild.example.org", DNS_TXT, DNS_TROUBLE, 0, "SERVFAIL"},
    {"2.0.192.in-addr.arpa", DNS_PTR, DNS_FOUND, 3600, "host.example.org"},
    {"x.sub.example.org", DNS_PTR, DNS_FOUND, 3600, "y.sub.example.org"},
    {"a.example.net", DNS_A, DNS_FOUND, 90, "c6336401"},
    {"example.net", DNS_A, DNS_NO_DATA, 300, ""}, /* a zone without SOA */
    {"nowhere.example.net", DNS_A, DNS_NO_NAME, 300, ""},
    {"top.level", DNS_A, DNS_FOUND, 90, "c6336402"},
    {"org", DNS_A, DNS_NO_DATA, 300, ""},
    {"com", DNS_A, DNS_NO_NAME, 300, ""},
    {"a b.example.org", DNS_A, DNS_NO_NAME, 86400, ""},
};

static void append_text(GString *text, const DnsRecord *record)
{
    for (gsize i = 0; i < record->length; i++) {
        if (g_ascii_isprint(record->data[i]))
            g_string_append_c(text, record->data[i]);
        else
            g_string_append_printf(text, "<%02x>", (guint8)record->data[i]);
    }
}

static void append_record(GString *text, const DnsRecord *record, DnsType type)
{
    if (type == DNS_MX)
        g_string_append_printf(text, "%u ", record->preference);
    if (type != DNS_A && type != DNS_AAAA) {
        append_text(text, record);
        return;
    }
    for (gsize i = 0; i < record->length; i++)
        g_string_append_printf(text, "%02x", (guint8)record->data[i]);
}

/* What a row has in records; for trouble its text. */
static char *describe(const DnsAnswer *answer, DnsType type)
{
    GString *text = g_string_new(answer->trouble);

    for (guint i = 0; i < answer->records->len; i++) {
        if (i > 0)
            g_string_append_c(text, '|');
        append_record(text, dns_answer_at(answer, i), type);
    }
    return g_string_free(text, FALSE);
}

static void test_lookup(void **state)
{
    const struct row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Dns) dns = dns_zone_file_new(zone, "test.zone", &error);
    g_autoptr(DnsAnswer) answer = NULL;
    g_autofree char *records = NULL;

    assert_null(error);
    answer = dns_lookup(dns, row->name, row->type, 0);
    records = describe(answer, row->type);
    assert_string_equal(records, row->records);
    assert_int_equal(answer->status, row->status);
    assert_int_equal(answer->ttl, row->ttl);
}

static const struct error_row {
    const char *name;
    const char *text;
    const char *error; /* what the message begins with; NULL: none */
} error_rows[] = {
    {"empty", "", NULL},
    {"comment alone", "; nothing", NULL},
    {"blanks alone", " \t\r\n  \n", NULL},
    {"no line end", "a A 192.0.2.1", NULL},
    {"no owner before", " A 192.0.2.1\n", "z:1: no record"},
    {"line is counted", "\n\n; x\na A\n", "z:4: A has"},
    {"line of an entry in parentheses", "\na SOA ( a b\n 1 2 3\n)\n", "z:2: SOA has"},
    {"line after parentheses", "a TXT (\n b\n c )\nd A x\n", "z:4: \"x\" is not an IPv4 address"},
    {"type alone", "a IN 300\n", "z:1: a record without a type"},
    {"owner alone", "a\n", "z:1: a record without a type"},
    {"unknown type", "a TXTT x\n", "z:1: \"TXTT\" is not a known type"},
    {"quoted type", "a \"A\" 192.0.2.1\n", "z:1: \"A\" is not a known type"},
    {"another class", "a CH A 192.0.2.1\n", "z:1: \"CH\" is not a known type"},
    {"unknown directive", "$INCLUDE x\n", "z:1: \"$INCLUDE\" is not known"},
    {"$TTL without value", "$TTL\n", "z:1: $ORIGIN and $TTL have one value"},
    {"TTL without unit", "$TTL 60\na A 192.0.2.1\n", NULL},
    {"TTL with units", "$TTL 1w2d3h4m5s\n", NULL},
    {"TTL with an unknown unit", "$TTL 5x\n", "z:1: \"5x\" is not a TTL"},
    {"TTL that is none", "a 1h2 A 192.0.2.1\n", NULL},
    {"TTL too large", "$TTL 2147483648\n", "z:1: \"2147483648\" is not a TTL"},
    {"TTL too large by units", "$TTL 99999999w\n", "z:1: \"99999999w\" is not a TTL"},
    {"TTL with a sign", "a 1h-1 A 192.0.2.1\n", "z:1: \"1h-1\" is not a TTL"},
    {"IPv4 address", "a A 192.0.2.256\n", "z:1: \"192.0.2.256\" is not an IPv4"},
    {"IPv6 address", "a AAAA 192.0.2.1\n", "z:1: \"192.0.2.1\" is not an IPv6"},
    {"two values", "a A 192.0.2.1 192.0.2.2\n", "z:1: A has the wrong number"},
    {"preference", "a MX mail.example.org.\n", "z:1: MX has the wrong number"},
    {"large preference", "a MX 65536 b\n", "z:1: \"65536\" is not a preference"},
    {"name with an empty label", "a..b A 192.0.2.1\n", "z:1: \"a..b\" is not a name"},
    {"name with an escape", "a\\.b A 192.0.2.1\n", "z:1: \"a.b\" is not a name"},
    {"quoted name", "\"a\" A 192.0.2.1\n", "z:1: \"a\" is not a name"},
    {"name with high octets", "m\303\274ller A 192.0.2.1\n",
     "z:1: \"m\303\274ller\" is not a name"},
    {"target with an escape", "a MX 10 a\\046b\n", "z:1: \"a.b\" is not a name"},
    {"quote not closed", "a TXT \"abc\nb A 192.0.2.1\n", "z:1: a quote"},
    {"quote not closed at the end", "a TXT \"abc", "z:1: a quote"},
    {"parenthesis not closed", "\na TXT ( abc\n", "z:2: \"(\" is not closed"},
    {"parenthesis not opened", "a TXT abc )\n", "z:1: \")\" without"},
    {"string of 256", "a TXT \"" STRING_255 "x\"\n", "z:1: a string of 256 octets"},
    {"escape over 255", "a TXT \\256\n", "z:1: a backslash is followed by"},
    {"escape of two digits", "a TXT \\25\n", "z:1: a backslash and a digit"},
    {"escape at the end", "a TXT \\", "z:1: a backslash ends"},
    {"escape at the line's end", "a TXT \"\\\n\"", "z:1: a backslash ends"},
    {"CNAME beside data", "a A 192.0.2.1\na CNAME b\n", "z:2: a can't have this CNAME"},
    {"data beside CNAME", "a CNAME b\na A 192.0.2.1\n", "z:2: a has a CNAME already"},
    {"two CNAME", "a CNAME b\na CNAME c\n", "z:2: a can't have this CNAME"},
    {"CNAME to the root", "a CNAME .\n", "z:1: a can't have this CNAME"},
    {"TROUBLE beside CNAME", "a CNAME b\na TROUBLE x\n", "z:2: a has a CNAME or TROUBLE already"},
    {"SOA minimum", "a SOA a b 1 2 3 4 x\n", "z:1: \"x\" is not a TTL"},
};

static void test_error(void **state)
{
    const struct error_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Dns) dns = dns_zone_file_new(row->text, "z", &error);

    assert_true((dns == NULL) == (error != NULL));
    if (row->error == NULL) {
        assert_null(error);
        return;
    }
    assert_non_null(error);
    assert_true(g_error_matches(error, DNS_ERROR, DNS_ERROR_FILE));
    if (!g_str_has_prefix(error->message, row->error))
        assert_string_equal(error->message, row->error);
}

/* A name of 127 labels makes 127 names; and a chain of 15 CNAME is followed, one of 16 is not. */
static void test_bounds(void **state)
{
    GString *text = g_string_new("$TTL 60\n");
    g_autoptr(Dns) dns = NULL;
    g_autoptr(DnsAnswer) deep = NULL;
    g_autoptr(DnsAnswer) followed = NULL;
    g_autoptr(DnsAnswer) refused = NULL;

    (void)state;
    for (guint i = 0; i < 126; i++)
        g_string_append(text, "a.");
    g_string_append(text, "a A 192.0.2.1\n");
    for (guint i = 0; i < 16; i++)
        g_string_append_printf(text, "link%u CNAME link%u\n", i, i + 1);
    g_string_append(text, "link16 A 192.0.2.1\n");
    dns = dns_zone_file_new(text->str, "z", NULL);
    g_string_free(text, TRUE);
    assert_non_null(dns);
    deep = dns_lookup(dns, "a.a.a.a", DNS_A, 0);
    followed = dns_lookup(dns, "link1", DNS_A, 0);
    refused = dns_lookup(dns, "link0", DNS_A, 0);
    assert_int_equal(deep->status, DNS_NO_DATA);
    assert_int_equal(followed->status, DNS_FOUND);
    assert_int_equal(refused->status, DNS_TROUBLE);
}

/* An answer tells where an alias leads to, whether there is something or not. */
static const struct alias_row {
    const char *name;
    const char *alias_of;
} alias_rows[] = {
    {"alias.example.org", "a.example.org"},
    {"alias3.example.org", "a.example.org"},
    {"dangling.example.org", "nowhere.example.org"},
    {"a.example.org", NULL},
    {"loop.example.org", NULL},
    {"nowhere.example.org", NULL},
};

static void test_alias(void **state)
{
    const struct alias_row *row = *state;
    g_autoptr(Dns) dns = dns_zone_file_new(zone, "test.zone", NULL);
    g_autoptr(DnsAnswer) a = dns_lookup(dns, row->name, DNS_A, 0);
    g_autoptr(DnsAnswer) ptr = dns_lookup(dns, row->name, DNS_PTR, 0);

    assert_int_equal(g_strcmp0(a->alias_of, row->alias_of), 0);
    assert_int_equal(g_strcmp0(ptr->alias_of, row->alias_of), 0);
}

static void test_too_many_records(void **state)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    (void)state;
    for (guint i = 0; i < 4097; i++)
        g_string_append_printf(text, "a A 10.0.%u.%u\n", i / 256, i % 256);
    assert_null(dns_zone_file_new(text->str, "z", &error));
    g_string_free(text, TRUE);
    assert_string_equal(error->message, "z:4097: a has more than 4096 records of type A");
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_lookup);
    TABLE_ADD(tests, alias_rows, test_alias);
    TABLE_ADD(tests, error_rows, test_error);
    table_add(tests, "bounds", test_bounds, NULL);
    table_add(tests, "too many records", test_too_many_records, NULL);
    return table_run(tests, "dns_zone_file");
}
