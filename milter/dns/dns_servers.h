#ifndef SPFROM_DNS_DNS_SERVERS_H
#define SPFROM_DNS_DNS_SERVERS_H

#include <glib.h>
#include <sys/socket.h>

#include "dns/dns.h"

typedef struct {
    struct sockaddr_storage address;
    socklen_t length; /* octets of address */
} DnsServer;

/*
 * Reads options' servers or, where there are none, those of its resolv_conf, in their order; at
 * most DNS_SERVERS_MAX. Returns an array of DnsServer, at least one; NULL with error (DNS_ERROR)
 * set.
 */
#define DNS_SERVERS_MAX 16
GArray *dns_servers_read(const DnsUnboundOptions *options, GError **error);
#endif
