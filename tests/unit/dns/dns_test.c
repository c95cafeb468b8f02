#include "config.h"

#include "dns/dns.h"

#include <string.h>

#include "unit/table.h"

#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static const struct name_row {
    const char *name;
    bool is_name;
} name_rows[] = {
    {"example.org", true},
    {"EXAMPLE.org", true},
    {"org", true},
    {"_dmarc.example.org", true},
    {"*.example.org", true},
    {"a/b.example.org", true},
    {"a;b\"(c)@$.example.org", true},
    {"", false},
    {".", false},
    {"example.org.", false},
    {".example.org", false},
    {"a..b", false},
    {"a b.example.org", false},
    {"a\tb.example.org", false},
    {"m\303\274ller.example.org", false},
    {"a\177.example.org", false},
    {"a\\.b.example.org", false},
    {"a\\032b.example.org", false},
    {LABEL_63 ".org", true},
    {LABEL_63 "h.org", false},
    {LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, false}, /* 255 octets */
    {LABEL_63 "." LABEL_63 "." LABEL_63
              ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffh",
     true}, /* 253 */
    {LABEL_63 "." LABEL_63 "." LABEL_63
              ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffffh",
     false},
};

/* A Dns that answers with the name it was asked for, and counts. */
static guint questions;

static DnsAnswer *echo_lookup(Dns *dns, const char *name, DnsType type, gint64 deadline)
{
    DnsAnswer *answer = dns_answer_new(DNS_FOUND, 60);

    (void)dns;
    (void)type;
    (void)deadline;
    questions++;
    dns_answer_add(answer, 0, name, strlen(name));
    return answer;
}

static void test_name(void **state)
{
    const struct name_row *row = *state;
    Dns echo = {.lookup = echo_lookup};
    g_autofree char *lower = g_ascii_strdown(row->name, -1);
    g_autoptr(DnsAnswer) answer = NULL;

    assert_int_equal(dns_is_name(row->name), row->is_name);
    questions = 0;
    answer = dns_lookup(&echo, row->name, DNS_A, 0);
    assert_int_equal(questions, row->is_name ? 1 : 0);
    assert_int_equal(answer->status, row->is_name ? DNS_FOUND : DNS_NO_NAME);
    if (row->is_name)
        assert_string_equal(dns_answer_at(answer, 0)->data, lower);
    else
        assert_true(answer->ttl > 0);
}

static void test_records_are_in_order(void **state)
{
    static const guint16 added[] = {20, 10, 0, 10, 65535, 20};
    static const char *const wanted = "cbdafe"; /* by preference, and as added within one */
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 60);

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(added); i++) {
        char name = (char)('a' + i);

        dns_answer_add(answer, added[i], &name, 1);
    }
    assert_int_equal(answer->records->len, strlen(wanted));
    for (guint i = 0; i < answer->records->len; i++)
        assert_int_equal(dns_answer_at(answer, i)->data[0], wanted[i]);
}

static void test_data_ends_with_a_nul(void **state)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 60);

    (void)state;
    dns_answer_add(answer, 0, "a\0bcd", 3);
    dns_answer_add(answer, 0, NULL, 0);
    assert_int_equal(dns_answer_at(answer, 0)->length, 3);
    assert_memory_equal(dns_answer_at(answer, 0)->data, "a\0b", 4);
    assert_int_equal(dns_answer_at(answer, 1)->length, 0);
    assert_string_equal(dns_answer_at(answer, 1)->data, "");
}

static void test_trouble(void **state)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new_trouble("SERVFAIL");

    (void)state;
    assert_int_equal(answer->status, DNS_TROUBLE);
    assert_int_equal(answer->ttl, 0);
    assert_string_equal(answer->trouble, "SERVFAIL");
    assert_int_equal(answer->records->len, 0);
}

static void test_flush_is_optional(void **state)
{
    Dns echo = {.lookup = echo_lookup};

    (void)state;
    dns_flush(&echo, "example.org");
    dns_free(NULL);
}

/* What answers at once is only asked when the answer is wanted, and once. */
static void test_question(void **state G_GNUC_UNUSED)
{
    Dns echo = {.lookup = echo_lookup};
    g_autoptr(DnsQuestion) question = dns_question_new(&echo, "A.example", DNS_A, 0);
    g_autoptr(DnsQuestion) none = dns_question_new(&echo, "a..b", DNS_A, 0);

    questions = 0;
    dns_question_free(dns_question_new(&echo, "b.example", DNS_A, 0));
    assert_int_equal(questions, 0);
    for (guint i = 0; i < 2; i++)
        assert_string_equal(dns_answer_at(dns_question_answer(question), 0)->data, "a.example");
    assert_int_equal(questions, 1);
    assert_int_equal(dns_question_answer(none)->status, DNS_NO_NAME);
    assert_int_equal(questions, 1);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, name_rows, test_name);
    table_add(tests, "records are in order", test_records_are_in_order, NULL);
    table_add(tests, "data ends with a nul", test_data_ends_with_a_nul, NULL);
    table_add(tests, "trouble", test_trouble, NULL);
    table_add(tests, "flush is optional", test_flush_is_optional, NULL);
    table_add(tests, "a question", test_question, NULL);
    return table_run(tests, "dns");
}
