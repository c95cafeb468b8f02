#ifndef SPFROM_DNS_ZONE_LOADER_H
#define SPFROM_DNS_ZONE_LOADER_H

#include <glib.h>
#include <stdbool.h>

#include "dns/dns.h"

/* One name of the file, or an ancestor of one, which exists too (RFC 4592 section 2.2.2). */
typedef struct {
    DnsAnswer *answers[DNS_TYPES]; /* by DnsType; NULL where the name has no such record */
    char *cname;                   /* else NULL */
    guint32 cname_ttl;
    char *trouble; /* else NULL */
    bool has_soa;
    guint32 negative_ttl; /* where has_soa */
} ZoneNode;

/*
 * Reads a zone file as dns_zone_file_new() describes it.
 * Returns a table of ZoneNode by name, lower case, in which every ancestor of a name is too, so
 * always the root (""); or NULL with error (DNS_ERROR_FILE) set.
 */
GHashTable *zone_load(const char *text, const char *file, GError **error);

/* Returns the name one label shorter, "" for the last label. */
const char *zone_parent(const char *name);
#endif
