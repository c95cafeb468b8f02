#ifndef SPFROM_ADVICE_DNS_HOSTERS_H
#define SPFROM_ADVICE_DNS_HOSTERS_H

#include <glib.h>
#include <stdbool.h>

/*
 * Who keeps a domain's records, as its name servers tell it. A line of the list is a suffix of name
 * servers' names and the name of the hoster: "rzone.de Strato". One "*" in a suffix stands for
 * letters, digits and hyphens: "awsdns-*.com Amazon Route 53". Once read, it is only read, from any
 * thread.
 */
typedef struct DnsHosters DnsHosters;

DnsHosters *dns_hosters_new(void);
void dns_hosters_free(DnsHosters *hosters);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsHosters, dns_hosters_free)

/* Adds the lines of text, in place of earlier ones with the same suffix. Returns false with error
 * (LIST_FILE_ERROR, DOMAIN_NAME_ERROR) set, its message with FILE:LINE. */
bool dns_hosters_add(DnsHosters *hosters, const char *text, const char *file, GError **error);

/*
 * Reads conf/dns-hosters as it is installed, then the administrator's file of that name (see
 * base/installation.h), if there is one. Returns NULL with error set.
 */
DnsHosters *dns_hosters_read(const char *configuration, GError **error);

/*
 * The hoster with the longest suffix of name_server, on whole labels; NULL: not known. Case and a
 * trailing dot don't matter. The result belongs to hosters.
 */
const char *dns_hosters_find(const DnsHosters *hosters, const char *name_server);

/* The hoster of all of name_servers; NULL where one is not known or they are of several, or there
 * is none. */
const char *dns_hosters_of_all(const DnsHosters *hosters, const char *const *name_servers,
                               gsize count);

guint dns_hosters_count(const DnsHosters *hosters);
#endif
