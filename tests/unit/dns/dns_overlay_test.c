#include "config.h"

#include "dns/dns.h"

#include <string.h>

#include "unit/table.h"

/* The Dns below answers NXDOMAIN and keeps what it was asked to flush. */
static char flushed[64];

static DnsAnswer *under_lookup(Dns *dns, const char *name, DnsType type, gint64 deadline)
{
    (void)dns;
    (void)name;
    (void)type;
    (void)deadline;
    return dns_answer_new(DNS_NO_NAME, 30);
}

static void under_flush(Dns *dns, const char *domain)
{
    (void)dns;
    g_strlcpy(flushed, domain, sizeof flushed);
}

static Dns under = {.lookup = under_lookup, .flush = under_flush};

static Dns *new_overlay(void)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 60);

    dns_answer_add(answer, 0, "v=spf1 -all", strlen("v=spf1 -all"));
    return dns_overlay_new(&under, "Praxis.Example.org", DNS_TXT, answer);
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

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_lookup);
    table_add(tests, "answer outlives overlay", test_answer_outlives_overlay, NULL);
    table_add(tests, "overlay over overlay", test_overlay_over_overlay, NULL);
    table_add(tests, "flush goes through", test_flush_goes_through, NULL);
    return table_run(tests, "dns_overlay");
}
