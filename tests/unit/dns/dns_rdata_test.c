#include "config.h"

#include "dns/dns_rdata.h"

#include <string.h>

#include "unit/table.h"

#define OCTETS(text) text, sizeof(text) - 1
#define FAILS -1
#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define WIRE_63 "\77" LABEL_63

static const struct row {
    const char *name;
    DnsType type;
    const char *rdata;
    gsize length;
    int records; /* FAILS: not RDATA of that type */
    const char *data;
    gsize data_length;
} rows[] = {
    {"A", DNS_A, OCTETS("\300\0\2\1"), 1, OCTETS("\300\0\2\1")},
    {"A, short", DNS_A, OCTETS("\300\0\2"), FAILS, NULL, 0},
    {"A, long", DNS_A, OCTETS("\300\0\2\1\1"), FAILS, NULL, 0},
    {"AAAA", DNS_AAAA, OCTETS("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"), 1,
     OCTETS("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1")},
    {"AAAA of four octets", DNS_AAAA, OCTETS("\300\0\2\1"), FAILS, NULL, 0},
    {"TXT", DNS_TXT, OCTETS("\6v=spf1"), 1, OCTETS("v=spf1")},
    {"TXT, two strings", DNS_TXT, OCTETS("\3v=s\3pf1"), 1, OCTETS("v=spf1")},
    {"TXT, empty string", DNS_TXT, OCTETS("\0"), 1, OCTETS("")},
    {"TXT, NUL and high octets", DNS_TXT, OCTETS("\3a\0\377"), 1, OCTETS("a\0\377")},
    {"TXT, no string", DNS_TXT, OCTETS(""), FAILS, NULL, 0},
    {"TXT, string behind the end", DNS_TXT, OCTETS("\4abc"), FAILS, NULL, 0},
    {"TXT, second behind the end", DNS_TXT, OCTETS("\1a\1"), FAILS, NULL, 0},
    {"MX", DNS_MX, OCTETS("\1\2\2mX\7Example\3org\0"), 1, OCTETS("mx.example.org")},
    {"MX, null", DNS_MX, OCTETS("\0\0\0"), 0, NULL, 0},
    {"MX, no name", DNS_MX, OCTETS("\0\12"), FAILS, NULL, 0},
    {"MX, one octet", DNS_MX, OCTETS("\0"), FAILS, NULL, 0},
    {"MX, no octet", DNS_MX, OCTETS(""), FAILS, NULL, 0},
    {"PTR", DNS_PTR, OCTETS("\1a\3org\0"), 1, OCTETS("a.org")},
    {"NS", DNS_NS, OCTETS("\3org\0"), 1, OCTETS("org")},
    {"name with signs", DNS_PTR, OCTETS("\4_a-1\3org\0"), 1, OCTETS("_a-1.org")},
    {"name with a dot in a label", DNS_PTR, OCTETS("\3a.b\3org\0"), 0, NULL, 0},
    {"name with a backslash", DNS_PTR, OCTETS("\3a\\b\3org\0"), 0, NULL, 0},
    {"name with a blank", DNS_PTR, OCTETS("\3a b\3org\0"), 0, NULL, 0},
    {"name with a NUL", DNS_PTR, OCTETS("\3a\0b\3org\0"), 0, NULL, 0},
    {"name with a high octet", DNS_PTR, OCTETS("\2\303\274\3org\0"), 0, NULL, 0},
    {"name without its end", DNS_PTR, OCTETS("\1a\3org"), FAILS, NULL, 0},
    {"name, more behind it", DNS_PTR, OCTETS("\1a\0\0"), FAILS, NULL, 0},
    {"name, label behind the end", DNS_PTR, OCTETS("\5a\0"), FAILS, NULL, 0},
    {"name, compressed", DNS_PTR, OCTETS("\1a\300\14"), FAILS, NULL, 0},
    {"name, label of 64", DNS_PTR, OCTETS("\100" LABEL_63 "x\0"), FAILS, NULL, 0},
    {"name of 255", DNS_PTR,
     OCTETS(WIRE_63 WIRE_63 WIRE_63
            "\75aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg\0"),
     1,
     OCTETS(LABEL_63 "." LABEL_63 "." LABEL_63
                     ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg")},
    {"name of 256", DNS_PTR,
     OCTETS(WIRE_63 WIRE_63 WIRE_63
            "\76aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg\0"),
     FAILS, NULL, 0},
};

static void test_add(void **state)
{
    const struct row *row = *state;
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 60);
    g_autofree guint8 *rdata =
        g_malloc(row->length); /* so that a sanitizer sees a read behind it */
    bool is_rdata;

    if (row->length > 0)
        memcpy(rdata, row->rdata, row->length);
    is_rdata = dns_rdata_add(answer, row->type, rdata, row->length);
    assert_int_equal(is_rdata ? (int)answer->records->len : FAILS, row->records);
    if (row->records <= 0) {
        assert_int_equal(answer->records->len, 0);
        return;
    }
    assert_int_equal(dns_answer_at(answer, 0)->length, row->data_length);
    assert_memory_equal(dns_answer_at(answer, 0)->data, row->data, row->data_length);
    assert_int_equal(dns_answer_at(answer, 0)->preference, row->type == DNS_MX ? 258 : 0);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_add);
    return table_run(tests, "dns_rdata");
}
