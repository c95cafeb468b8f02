#ifndef SPFROM_TESTS_MEMORY_DNS_H
#define SPFROM_TESTS_MEMORY_DNS_H

#include <glib.h>

#include "dns/dns.h"

/*
 * A Dns for tests, filled by calls: with names that time out and records that no zone file can
 * hold. Wildcards of one label ("*.example.org") match at any depth. Names in lower case. Freed
 * with dns_free().
 */
Dns *memory_dns_new(void);

/* value as text: an address, a name, "10 mail.example.org" for MX; of TXT the text itself. All TTLs
 * are 300. */
void memory_dns_add(Dns *dns, const char *name, DnsType type, const char *value);
void memory_dns_add_data(Dns *dns, const char *name, DnsType type, guint16 preference,
                         const void *data, gsize length);
void memory_dns_add_alias(Dns *dns, const char *name, const char *target);
/* Questions of that type time out. */
void memory_dns_add_timeout(Dns *dns, const char *name, DnsType type);
/* So do all for which the name has no record. */
void memory_dns_add_timeouts(Dns *dns, const char *name);
/* The TTL of what is added from now on, and of negative answers. */
void memory_dns_set_ttl(Dns *dns, guint32 ttl);
/* How many questions were asked. */
guint memory_dns_questions(const Dns *dns);
#endif
