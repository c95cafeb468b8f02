#include "config.h"

#include "dns/dns_counted.h"

#include "base/clock.h"

typedef struct {
    Dns dns;
    Dns *under;
    DnsCounts *counts;
    gint is_closed; /* g_atomic_int_*() only */
} DnsCounted;

static void count(DnsCounts *counts, DnsStatus status)
{
    gint64 *last = status == DNS_TROUBLE ? &counts->troubled : &counts->answered;

    __atomic_fetch_add(&counts->outcomes[status], 1, __ATOMIC_RELAXED);
    __atomic_store_n(last, clock_monotonic(&clock_system), __ATOMIC_RELAXED);
}

static DnsAnswer *counted_lookup(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    DnsCounted *counted = (DnsCounted *)dns;
    DnsAnswer *answer;

    if (g_atomic_int_get(&counted->is_closed))
        return dns_answer_new_trouble("not asked: the program stops");
    answer = dns_lookup(counted->under, name, type, deadline);
    count(counted->counts, answer->status);
    return answer;
}

static void counted_flush(Dns *dns, const char *domain)
{
    dns_flush(((DnsCounted *)dns)->under, domain);
}

static void counted_close(Dns *dns)
{
    DnsCounted *counted = (DnsCounted *)dns;

    g_atomic_int_set(&counted->is_closed, 1);
    dns_close(counted->under);
}

static void counted_free(Dns *dns)
{
    DnsCounted *counted = (DnsCounted *)dns;

    dns_free(counted->under);
    g_free(counted);
}

Dns *dns_counted_new(Dns *under, DnsCounts *counts)
{
    DnsCounted *counted = g_new0(DnsCounted, 1);

    counted->dns = (Dns){.lookup = counted_lookup,
                         .flush = counted_flush,
                         .close = counted_close,
                         .free = counted_free};
    counted->under = under;
    counted->counts = counts;
    return &counted->dns;
}
