#include "config.h"

#include "spf/dns_counted.h"

typedef struct {
    Dns dns;
    Dns *under;
    guint64 *counts;
    gint is_closed; /* g_atomic_int_*() only */
} DnsCounted;

static DnsAnswer *counted_lookup(Dns *dns, const char *name, DnsType type, gint64 deadline)
{
    DnsCounted *counted = (DnsCounted *)dns;
    DnsAnswer *answer;

    if (g_atomic_int_get(&counted->is_closed))
        return dns_answer_new_trouble("not asked: the program stops");
    answer = dns_lookup(counted->under, name, type, deadline);
    __atomic_fetch_add(&counted->counts[answer->status], 1, __ATOMIC_RELAXED);
    return answer;
}

static void counted_flush(Dns *dns, const char *domain)
{
    dns_flush(((DnsCounted *)dns)->under, domain);
}

static void counted_free(Dns *dns)
{
    DnsCounted *counted = (DnsCounted *)dns;

    dns_free(counted->under);
    g_free(counted);
}

Dns *dns_counted_new(Dns *under, guint64 counts[DNS_STATUSES])
{
    DnsCounted *counted = g_new0(DnsCounted, 1);

    counted->dns = (Dns){counted_lookup, counted_flush, counted_free};
    counted->under = under;
    counted->counts = counts;
    return &counted->dns;
}

void dns_counted_close(Dns *counted)
{
    g_atomic_int_set(&((DnsCounted *)counted)->is_closed, 1);
}
