#include "config.h"

#include "dns/dns_message.h"

#include <string.h>

#include "unit/table.h"

#define OCTETS(text) text, sizeof(text) - 1
#define ONE "\0\1\0\0\0\0\0\0" /* one question, no records */
#define QUERY "\22\64\1\0"
#define A_ORG "\1a\3org\0\0\20\0\1" /* TXT IN */
#define TEXT_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define LABEL_63 "\77" TEXT_63

/* A copy that ends where it ends, so that a sanitizer sees a read behind it. */
static guint8 *copy(const char *octets, gsize length)
{
    guint8 *copied = g_malloc(length);

    if (length > 0)
        memcpy(copied, octets, length);
    return copied;
}

static const struct question_row {
    const char *name;
    const char *octets;
    gsize length;
    const char *asked; /* NULL: no question */
} question_rows[] = {
    {"question", OCTETS(QUERY ONE A_ORG), "a.org"},
    {"question with EDNS", OCTETS(QUERY "\0\1\0\0\0\0\0\1" A_ORG "\0\0\51\4\320\0\0\0\0\0\0"),
     "a.org"},
    {"upper case", OCTETS(QUERY ONE "\1A\3ORG\0\0\20\0\1"), "a.org"},
    {"root", OCTETS(QUERY ONE "\0\0\2\0\1"), ""},
    {"odd octets", OCTETS(QUERY ONE "\3a.\\\3o\0g\0\0\20\0\1"), "a??.o?g"},
    {"longest name",
     OCTETS(QUERY ONE LABEL_63 LABEL_63 LABEL_63
            "\75aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg\0\0\20\0\1"),
     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg."
     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg."
     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg."
     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg"},
    {"name too long",
     OCTETS(QUERY ONE LABEL_63 LABEL_63 LABEL_63
            "\76aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg\0\0\20\0\1"),
     NULL},
    {"compressed", OCTETS(QUERY ONE "\1a\300\14\0\20\0\1"), NULL},
    {"label behind the end", OCTETS(QUERY ONE "\77a"), NULL},
    {"name without its end", OCTETS(QUERY ONE "\1a\3org"), NULL},
    {"class cut off", OCTETS(QUERY ONE "\1a\3org\0\0\20\0"), NULL},
    {"header alone", OCTETS(QUERY ONE), NULL},
    {"no question", OCTETS(QUERY "\0\0\0\0\0\0\0\0"), NULL},
    {"two questions", OCTETS(QUERY "\0\2\0\0\0\0\0\0" A_ORG A_ORG), NULL},
    {"an answer", OCTETS("\22\64\201\200" ONE A_ORG), NULL},
    {"cut header", OCTETS("\22\64\1"), NULL},
    {"nothing", OCTETS(""), NULL},
};

static void test_question(void **state)
{
    const struct question_row *row = *state;
    g_autofree guint8 *octets = copy(row->octets, row->length);
    char name[DNS_NAME_MAX + 1];

    assert_int_equal(dns_message_is_question(octets, row->length, name), row->asked != NULL);
    if (row->asked != NULL)
        assert_string_equal(name, row->asked);
}

static const struct kind_row {
    const char *name;
    const char *octets;
    gsize length;
    DnsMessageKind kind;
} kind_rows[] = {
    {"no records", OCTETS("\22\64\201\200" ONE A_ORG), DNS_MESSAGE_GOOD},
    {"a record", OCTETS("\22\64\201\200\0\1\0\1\0\0\0\0" A_ORG "\300\14\0\20\0\1\0\0\0\74\0\2\1x"),
     DNS_MESSAGE_GOOD},
    {"other case", OCTETS("\22\64\201\200" ONE "\1A\3Org\0\0\20\0\1"), DNS_MESSAGE_GOOD},
    {"NXDOMAIN", OCTETS("\22\64\201\203" ONE A_ORG), DNS_MESSAGE_GOOD},
    {"truncated", OCTETS("\22\64\203\200" ONE A_ORG), DNS_MESSAGE_TRUNCATED},
    {"SERVFAIL", OCTETS("\22\64\201\202" ONE A_ORG), DNS_MESSAGE_FAILURE},
    {"SERVFAIL, truncated", OCTETS("\22\64\203\202" ONE A_ORG), DNS_MESSAGE_FAILURE},
    {"REFUSED", OCTETS("\22\64\201\205" ONE A_ORG), DNS_MESSAGE_FAILURE},
    {"FORMERR without the question", OCTETS("\22\64\200\1\0\0\0\0\0\0\0\0"), DNS_MESSAGE_FAILURE},
    {"NOERROR without the question", OCTETS("\22\64\200\0\0\0\0\0\0\0\0\0"), DNS_MESSAGE_BROKEN},
    {"NXDOMAIN without the question", OCTETS("\22\64\200\3\0\0\0\0\0\0\0\0"), DNS_MESSAGE_BROKEN},
    {"another name", OCTETS("\22\64\201\200" ONE "\1b\3org\0\0\20\0\1"), DNS_MESSAGE_BROKEN},
    {"a longer name", OCTETS("\22\64\201\200" ONE "\1a\4orga\0\0\20\0\1"), DNS_MESSAGE_BROKEN},
    {"another type", OCTETS("\22\64\201\200" ONE "\1a\3org\0\0\1\0\1"), DNS_MESSAGE_BROKEN},
    {"the question itself", OCTETS(QUERY ONE A_ORG), DNS_MESSAGE_BROKEN},
    {"another opcode", OCTETS("\22\64\251\200" ONE A_ORG), DNS_MESSAGE_BROKEN},
    {"the id alone", OCTETS("\22\64"), DNS_MESSAGE_BROKEN},
    {"garbage behind the id", OCTETS("\22\64\377\377\377\377\377\377\377\377\377\377\377"),
     DNS_MESSAGE_BROKEN},
    {"another id", OCTETS("\22\65\201\200" ONE A_ORG), DNS_MESSAGE_STRANGE},
    {"one octet", OCTETS("\22"), DNS_MESSAGE_STRANGE},
    {"nothing", OCTETS(""), DNS_MESSAGE_STRANGE},
};

static void test_kind(void **state)
{
    const struct kind_row *row = *state;
    g_autofree guint8 *octets = copy(row->octets, row->length);
    static const guint8 question[] = QUERY ONE A_ORG;

    assert_int_equal(dns_message_kind(octets, row->length, question, sizeof question - 1),
                     row->kind);
}

static void test_fail(void **state)
{
    static const guint8 question[] = QUERY "\0\1\0\0\0\0\0\1" A_ORG "\0\0\51\4\320\0\0\0\0\0\0";
    static const char wanted[] = "\22\64\201\202" ONE A_ORG;
    g_autoptr(GByteArray) answer = g_byte_array_new();

    (void)state;
    dns_message_fail(answer, question, sizeof question - 1);
    assert_int_equal(answer->len, sizeof wanted - 1);
    assert_memory_equal(answer->data, wanted, sizeof wanted - 1);
}

#define FAILS -1

static const struct rdata_row {
    const char *name;
    DnsType type;
    const char *rdata;
    gsize length;
    int records; /* FAILS: not RDATA of that type */
    const char *data;
    gsize data_length;
} rdata_rows[] = {
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
    {"name, label of 64", DNS_PTR, OCTETS("\100" TEXT_63 "x\0"), FAILS, NULL, 0},
    {"name of 255", DNS_PTR,
     OCTETS(LABEL_63 LABEL_63 LABEL_63
            "\75aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg\0"),
     1,
     OCTETS(TEXT_63 "." TEXT_63 "." TEXT_63
                    ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg")},
    {"name of 256", DNS_PTR,
     OCTETS(LABEL_63 LABEL_63 LABEL_63
            "\76aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg\0"),
     FAILS, NULL, 0},
};

static void test_rdata(void **state)
{
    const struct rdata_row *row = *state;
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 60);
    g_autofree guint8 *rdata = copy(row->rdata, row->length);
    bool is_rdata = dns_message_add_rdata(answer, row->type, rdata, row->length);

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

    TABLE_ADD(tests, question_rows, test_question);
    TABLE_ADD(tests, kind_rows, test_kind);
    table_add(tests, "SERVFAIL for a question", test_fail, NULL);
    TABLE_ADD(tests, rdata_rows, test_rdata);
    return table_run(tests, "dns_message");
}
