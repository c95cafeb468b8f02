#include "config.h"

#include "dns/dns.h"

typedef struct {
    Dns dns;
    Dns *under; /* not owned */
    Deadline deadline;
} DnsDeadline;

static DnsAnswer *deadline_lookup(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    DnsDeadline *limit = (DnsDeadline *)dns;

    return limit->under->lookup(limit->under, name, type, MIN(deadline, limit->deadline));
}

static void deadline_flush(Dns *dns, const char *domain)
{
    dns_flush(((DnsDeadline *)dns)->under, domain);
}

static void deadline_free(Dns *dns)
{
    g_free(dns);
}

Dns *dns_deadline_new(Dns *under, Deadline deadline)
{
    DnsDeadline *limit = g_new0(DnsDeadline, 1);

    limit->dns = (Dns){.lookup = deadline_lookup, .flush = deadline_flush, .free = deadline_free};
    limit->under = under;
    limit->deadline = deadline;
    return &limit->dns;
}
