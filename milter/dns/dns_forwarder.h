#ifndef SPFROM_DNS_DNS_FORWARDER_H
#define SPFROM_DNS_DNS_FORWARDER_H

#include <glib.h>

#include "dns/dns_servers.h"

/*
 * The way from libunbound to the DNS servers: a forwarder on loopback, of one thread, that
 * libunbound has as its only server. libunbound validates and keeps answers; when a question is
 * asked again, and of whom, is decided here, since libunbound's way with lost packets, slow names
 * and several servers differs from version to version, and takes a name whose servers are silent
 * for a silent server.
 *
 * A question goes to the first server. Without an answer it goes to the next, or again, after 0.5
 * s, and again after 0.6 s, 0.72 s and so on: 6 times within 5 s. All servers that were asked are
 * listened to until the question's time is over, and the first good answer counts. After SERVFAIL,
 * REFUSED or the like the next server is asked at once. A truncated answer is asked for by TCP. A
 * server that was silent to three questions since it last answered is asked behind the others,
 * never left out. libunbound always has an answer: at the end of the question's time SERVFAIL.
 *
 * So that one domain's silent names leave room to others, a domain (by the Public Suffix List) has
 * at most as many questions under way as there is room left; more of them wait.
 */
typedef struct DnsForwarder DnsForwarder;

/*
 * servers  of DnsServer, at least one; taken
 * timeout  seconds for one question
 * Returns NULL with error (DNS_ERROR_LIBRARY) set where loopback can't be listened on.
 */
DnsForwarder *dns_forwarder_new(GArray *servers, guint timeout, GError **error);
void dns_forwarder_free(DnsForwarder *forwarder);

/* "127.0.0.1@PORT" */
const char *dns_forwarder_address(const DnsForwarder *forwarder);

/* The longest that a question waits for its answer: milliseconds. */
guint dns_forwarder_patience(const DnsForwarder *forwarder);

/* How many questions it holds at a time: one more has SERVFAIL at once. */
#define DNS_FORWARDER_QUESTIONS 4096

/* Becomes readable where dns_forwarder_serve() has something to do. */
int dns_forwarder_fd(const DnsForwarder *forwarder);

/* Does all that can be done without waiting. Returns when it has to be called again in any case:
 * monotonic time, G_MAXINT64 for never. */
gint64 dns_forwarder_serve(DnsForwarder *forwarder);
#endif
