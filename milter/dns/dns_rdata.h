#ifndef SPFROM_DNS_DNS_RDATA_H
#define SPFROM_DNS_DNS_RDATA_H

#include <glib.h>
#include <stdbool.h>

#include "dns/dns.h"

/* The number that stands for type in a DNS message (RFC 1035 section 3.2.2). */
guint16 dns_rdata_type(DnsType type);

/*
 * Adds one record's RDATA, as a stranger's server sent it, to answer. Its names are in wire form,
 * uncompressed. A name that dns_is_name() refuses, and the root, add nothing. Returns whether it is
 * the RDATA of a record of that type.
 */
bool dns_rdata_add(DnsAnswer *answer, DnsType type, const guint8 *rdata, gsize length);
#endif
