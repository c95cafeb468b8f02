#include "config.h"

#include "dns/dns.h"

#include <string.h>

typedef struct {
    Dns dns;
    Dns *under; /* not owned */
    char *name; /* lower case */
    DnsType type;
    DnsAnswer *answer;
} Overlay;

static DnsAnswer *overlay_lookup(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    Overlay *overlay = (Overlay *)dns;

    if (type == overlay->type && strcmp(name, overlay->name) == 0)
        return dns_answer_ref(overlay->answer);
    return overlay->under->lookup(overlay->under, name, type, deadline);
}

static void overlay_flush(Dns *dns, const char *domain)
{
    dns_flush(((Overlay *)dns)->under, domain);
}

static void overlay_free(Dns *dns)
{
    Overlay *overlay = (Overlay *)dns;

    g_free(overlay->name);
    dns_answer_unref(overlay->answer);
    g_free(overlay);
}

Dns *dns_overlay_new(Dns *under, const char *name, DnsType type, DnsAnswer *answer)
{
    Overlay *overlay = g_new0(Overlay, 1);

    overlay->dns = (Dns){.lookup = overlay_lookup, .flush = overlay_flush, .free = overlay_free};
    overlay->under = under;
    overlay->name = g_ascii_strdown(name, -1);
    overlay->type = type;
    overlay->answer = dns_answer_ref(answer);
    return &overlay->dns;
}
