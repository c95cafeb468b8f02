#include "config.h"

#include "dns/dns.h"

#include "dns/zone_loader.h"

#define NEGATIVE_TTL_DEFAULT 300 /* seconds, where no SOA says */
#define CNAMES_MAX 16            /* followed for one question */

/* Nothing changes after it was loaded: there is no lock. */
typedef struct {
    Dns dns;
    GHashTable *nodes; /* see zone_load() */
} ZoneFile;

/* The name itself, or the wildcard of its closest encloser (RFC 4592 section 3.3.1), or NULL. */
static const ZoneNode *find_node(const ZoneFile *zone, const char *name)
{
    const ZoneNode *node = g_hash_table_lookup(zone->nodes, name);
    char wildcard[DNS_NAME_MAX + 3];
    const char *encloser = name;

    if (node != NULL)
        return node;
    do
        encloser = zone_parent(encloser);
    while (!g_hash_table_contains(zone->nodes, encloser));
    g_snprintf(wildcard, sizeof wildcard, *encloser != '\0' ? "*.%s" : "*%s", encloser);
    return g_hash_table_lookup(zone->nodes, wildcard);
}

/* By the SOA of the zone that name is in (RFC 2308 section 5). */
static guint32 negative_ttl_of(const ZoneFile *zone, const char *name)
{
    for (;; name = zone_parent(name)) {
        const ZoneNode *node = g_hash_table_lookup(zone->nodes, name);

        if (node != NULL && node->has_soa)
            return node->negative_ttl;
        if (*name == '\0')
            return NEGATIVE_TTL_DEFAULT;
    }
}

/* The answer for an alias that leads to name, whose own answer is given. */
static DnsAnswer *answer_for_alias(const DnsAnswer *answer, const char *name, guint32 ttl)
{
    DnsAnswer *copy = dns_answer_new(answer->status, MIN(answer->ttl, ttl));

    copy->alias_of = g_strdup(name);
    copy->takes_no_mail = answer->takes_no_mail;
    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *record = dns_answer_at(answer, i);

        dns_answer_add(copy, record->preference, record->data, record->length);
    }
    return copy;
}

/* The answer for a name whose CNAME, if any, was followed; NULL: it has one, see node->cname. */
static DnsAnswer *answer_at(const ZoneFile *zone, const char *name, DnsType type,
                            const ZoneNode *node)
{
    if (node == NULL)
        return dns_answer_new(DNS_NO_NAME, negative_ttl_of(zone, name));
    if (node->answers[type] != NULL)
        return dns_answer_ref(node->answers[type]);
    if (node->trouble != NULL)
        return dns_answer_new_trouble(node->trouble);
    if (node->cname == NULL)
        return dns_answer_new(DNS_NO_DATA, negative_ttl_of(zone, name));
    return NULL;
}

static DnsAnswer *zone_file_lookup(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    const ZoneFile *zone = (const ZoneFile *)dns;
    guint32 ttl = G_MAXUINT32;

    (void)deadline; /* nothing here waits */
    for (guint i = 0; i < CNAMES_MAX; i++) {
        const ZoneNode *node = find_node(zone, name);
        g_autoptr(DnsAnswer) answer = answer_at(zone, name, type, node);

        if (answer != NULL && (i == 0 || answer->status == DNS_TROUBLE))
            return g_steal_pointer(&answer);
        if (answer != NULL)
            return answer_for_alias(answer, name, ttl);
        ttl = MIN(ttl, node->cname_ttl);
        name = node->cname;
    }
    return dns_answer_new_trouble("CNAME loop");
}

static void zone_file_free(Dns *dns)
{
    ZoneFile *zone = (ZoneFile *)dns;

    g_hash_table_unref(zone->nodes);
    g_free(zone);
}

Dns *dns_zone_file_new(const char *text, const char *file, GError **error)
{
    GHashTable *nodes = zone_load(text, file, error);
    ZoneFile *zone;

    if (nodes == NULL)
        return NULL;
    zone = g_new0(ZoneFile, 1);
    zone->dns = (Dns){.lookup = zone_file_lookup, .free = zone_file_free};
    zone->nodes = nodes;
    return &zone->dns;
}
