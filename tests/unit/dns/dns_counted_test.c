#include "config.h"

#include "dns/dns_counted.h"

#include "unit/table.h"
#include "unit/dns/scripted_dns.h"

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

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "counts by status", test_counts, NULL);
    table_add(tests, "asks nobody once it is closed", test_close, NULL);
    return table_run(tests, "dns_counted_test");
}
