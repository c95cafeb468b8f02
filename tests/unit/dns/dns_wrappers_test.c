#include "config.h"

#include "dns/dns_wrappers.h"

#include <string.h>

#include "unit/dns/scripted_dns.h"
#include "unit/table.h"

/* The Dns below an overlay answers NXDOMAIN and keeps what it was asked to flush. */
static char flushed[64];

static DnsAnswer *none_lookup(Dns *dns, const char *name, DnsType type, gint64 deadline)
{
    (void)dns;
    (void)name;
    (void)type;
    (void)deadline;
    return dns_answer_new(DNS_NO_NAME, 30);
}

static void none_flush(Dns *dns, const char *domain)
{
    (void)dns;
    g_strlcpy(flushed, domain, sizeof flushed);
}

static Dns none_under = {.lookup = none_lookup, .flush = none_flush};

static Dns *new_overlay(void)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 60);

    dns_answer_add(answer, 0, "v=spf1 -all", strlen("v=spf1 -all"));
    return dns_overlay_new(&none_under, "Praxis.Example.org", DNS_TXT, answer);
}

static const struct row {
    const char *name;
    DnsType type;
    DnsStatus status;
} rows[] = {
    {"praxis.example.org", DNS_TXT, DNS_FOUND},     {"PRAXIS.example.ORG", DNS_TXT, DNS_FOUND},
    {"praxis.example.org", DNS_A, DNS_NO_NAME},     {"example.org", DNS_TXT, DNS_NO_NAME},
    {"a.praxis.example.org", DNS_TXT, DNS_NO_NAME},
};

static void test_lookup(void **state)
{
    const struct row *row = *state;
    g_autoptr(Dns) overlay = new_overlay();
    g_autoptr(DnsAnswer) answer = dns_lookup(overlay, row->name, row->type, 0);

    assert_int_equal(answer->status, row->status);
    assert_int_equal(answer->ttl, row->status == DNS_FOUND ? 60 : 30);
}

/* The overlay's own reference is enough, and an answer outlives the overlay. */
static void test_answer_outlives_overlay(void **state)
{
    Dns *overlay = new_overlay();
    g_autoptr(DnsAnswer) answer = dns_lookup(overlay, "praxis.example.org", DNS_TXT, 0);

    (void)state;
    dns_free(overlay);
    assert_string_equal(dns_answer_at(answer, 0)->data, "v=spf1 -all");
}

static void test_overlay_over_overlay(void **state)
{
    g_autoptr(Dns) first = new_overlay();
    g_autoptr(DnsAnswer) none = dns_answer_new(DNS_NO_DATA, 10);
    g_autoptr(Dns) second = dns_overlay_new(first, "example.org", DNS_TXT, none);
    g_autoptr(DnsAnswer) of_first = dns_lookup(second, "praxis.example.org", DNS_TXT, 0);
    g_autoptr(DnsAnswer) of_second = dns_lookup(second, "example.org", DNS_TXT, 0);

    (void)state;
    assert_int_equal(of_first->status, DNS_FOUND);
    assert_int_equal(of_second->status, DNS_NO_DATA);
}

static void test_flush_goes_through(void **state)
{
    g_autoptr(Dns) overlay = new_overlay();

    (void)state;
    dns_flush(overlay, "example.org");
    assert_string_equal(flushed, "example.org");
}

/* The Dns below a memo counts what it is asked, and has trouble the first time. */
static guint asked;

static DnsAnswer *once_lookup(Dns *dns G_GNUC_UNUSED, const char *name G_GNUC_UNUSED,
                              DnsType type G_GNUC_UNUSED, gint64 deadline G_GNUC_UNUSED)
{
    return asked++ == 0 ? dns_answer_new_trouble("first") : dns_answer_new(DNS_NO_NAME, 30);
}

static Dns once_under = {.lookup = once_lookup};

static DnsStatus status_of(Dns *memo, const char *name, DnsType type)
{
    g_autoptr(DnsAnswer) answer = dns_lookup(memo, name, type, 0);

    return answer->status;
}

static void test_asks_once(void **state G_GNUC_UNUSED)
{
    g_autoptr(Dns) memo = dns_memo_new(&once_under);

    asked = 0;
    assert_int_equal(status_of(memo, "a.example.org", DNS_A), DNS_TROUBLE);
    assert_int_equal(status_of(memo, "A.example.org", DNS_A), DNS_TROUBLE); /* kept, too */
    assert_int_equal(status_of(memo, "a.example.org", DNS_TXT), DNS_NO_NAME);
    assert_int_equal(status_of(memo, "b.example.org", DNS_A), DNS_NO_NAME);
    assert_int_equal(asked, 3);
    dns_flush(memo, NULL);
    assert_int_equal(status_of(memo, "a.example.org", DNS_A), DNS_NO_NAME);
    assert_int_equal(asked, 4);
}

static void test_is_bounded(void **state G_GNUC_UNUSED)
{
    g_autoptr(Dns) memo = dns_memo_new(&once_under);

    asked = 0;
    for (guint i = 0; i < DNS_MEMO_MAX + 10; i++) {
        g_autofree char *name = g_strdup_printf("a%u.example.org", i);

        status_of(memo, name, DNS_A);
    }
    assert_int_equal(asked, DNS_MEMO_MAX);
    assert_int_equal(status_of(memo, "a1.example.org", DNS_A), DNS_NO_NAME);
    assert_int_equal(status_of(memo, "new.example.org", DNS_A), DNS_TROUBLE);
}

static void assert_status(Dns *dns, const char *name, DnsType type, DnsStatus want)
{
    g_autoptr(DnsAnswer) answer = dns_lookup(dns, name, type, G_MAXINT64);

    assert_int_equal(answer->status, want);
}

static void test_counts(void **state G_GNUC_UNUSED)
{
    DnsCounts counts = {.answered = 0};
    Dns *under = scripted_dns_new();
    g_autoptr(Dns) dns = dns_counted_new(under, &counts);

    scripted_dns_set(under, "a.example A 60 192.0.2.1\nb.example ! 0");
    for (guint i = 0; i < 2; i++)
        assert_status(dns, "a.example", DNS_A, DNS_FOUND);
    assert_status(dns, "a.example", DNS_TXT, DNS_NO_DATA);
    assert_status(dns, "c.example", DNS_A, DNS_NO_NAME);
    assert_true(counts.answered > 0);
    assert_int_equal(counts.troubled, 0);
    for (guint i = 0; i < 3; i++)
        assert_status(dns, "b.example", DNS_A, DNS_TROUBLE);
    assert_int_equal(counts.outcomes[DNS_FOUND], 2);
    assert_int_equal(counts.outcomes[DNS_NO_DATA], 1);
    assert_int_equal(counts.outcomes[DNS_NO_NAME], 1);
    assert_int_equal(counts.outcomes[DNS_TROUBLE], 3);
    assert_true(counts.troubled >= counts.answered);
    dns_flush(dns, NULL);
    assert_int_equal(scripted_dns_flushes(under), 1);
}

static void test_close(void **state G_GNUC_UNUSED)
{
    DnsCounts counts = {.answered = 0};
    Dns *under = scripted_dns_new();
    g_autoptr(Dns) dns = dns_counted_new(under, &counts);

    scripted_dns_set(under, "a.example A 60 192.0.2.1");
    dns_close(dns);
    assert_status(dns, "a.example", DNS_A, DNS_TROUBLE);
    assert_int_equal(scripted_dns_asked(under, NULL), 0);
    assert_int_equal(counts.outcomes[DNS_TROUBLE], 0);
}

static void test_counts_questions(void **state G_GNUC_UNUSED)
{
    DnsCounts counts = {.answered = 0};
    Dns *under = scripted_dns_new();
    g_autoptr(Dns) dns = dns_counted_new(under, &counts);
    g_autoptr(DnsQuestion) question = NULL;

    scripted_dns_set(under, "a.example A 60 192.0.2.1");
    question = dns_question_new(dns, "a.example", DNS_A, G_MAXINT64);
    dns_question_free(dns_question_new(dns, "b.example", DNS_A, G_MAXINT64));
    assert_int_equal(scripted_dns_asked(under, NULL), 2);
    for (guint i = 0; i < 2; i++)
        assert_int_equal(dns_question_answer(question)->status, DNS_FOUND);
    assert_int_equal(counts.outcomes[DNS_FOUND], 1);
    assert_int_equal(counts.outcomes[DNS_NO_NAME], 0);
    dns_close(dns);
    dns_question_free(question);
    question = dns_question_new(dns, "a.example", DNS_A, G_MAXINT64);
    assert_int_equal(dns_question_answer(question)->status, DNS_TROUBLE);
    assert_int_equal(scripted_dns_asked(under, NULL), 2);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_lookup);
    table_add(tests, "answer outlives overlay", test_answer_outlives_overlay, NULL);
    table_add(tests, "overlay over overlay", test_overlay_over_overlay, NULL);
    table_add(tests, "flush goes through", test_flush_goes_through, NULL);
    table_add(tests, "a memo asks once", test_asks_once, NULL);
    table_add(tests, "a memo is bounded", test_is_bounded, NULL);
    table_add(tests, "counts by status", test_counts, NULL);
    table_add(tests, "counts questions under way once they are answered", test_counts_questions,
              NULL);
    table_add(tests, "asks nobody once it is closed", test_close, NULL);
    return table_run(tests, "dns_wrappers");
}
