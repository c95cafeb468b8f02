#include "config.h"

#include "dns/dns.h"

#include "unit/table.h"

/* The Dns below keeps until when it may be waited for. */
static gint64 asked_until;
static gint flushes;

static DnsAnswer *under_lookup(Dns *dns, const char *name, DnsType type, gint64 deadline)
{
    (void)dns;
    (void)name;
    (void)type;
    asked_until = deadline;
    return dns_answer_new(DNS_NO_NAME, 30);
}

static void under_flush(Dns *dns, const char *domain)
{
    (void)dns;
    (void)domain;
    flushes++;
}

static Dns under = {.lookup = under_lookup, .flush = under_flush};

static const struct row {
    const char *name;
    gint64 deadline;
    gint64 until;
} rows[] = {
    {"before", 99, 99},
    {"at the same time", 100, 100},
    {"behind", G_MAXINT64, 100},
};

static void test_lookup(void **state)
{
    const struct row *row = *state;
    g_autoptr(Dns) dns = dns_deadline_new(&under, 100);
    g_autoptr(DnsAnswer) answer = dns_lookup(dns, "praxis.example", DNS_TXT, row->deadline);

    assert_int_equal(answer->status, DNS_NO_NAME);
    assert_int_equal(asked_until, row->until);
}

static void test_flush(void **state)
{
    g_autoptr(Dns) dns = dns_deadline_new(&under, 100);

    (void)state;
    dns_flush(dns, NULL);
    assert_int_equal(flushes, 1);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_lookup);
    table_add(tests, "flush", test_flush, NULL);
    return table_run(tests, "dns_deadline");
}
