#ifndef SPFROM_DNS_UNBOUND_CONTEXT_H
#define SPFROM_DNS_UNBOUND_CONTEXT_H

#include <glib.h>
#include <unbound.h>

#include "dns/dns.h"
#include "dns/dns_forwarder.h"

/*
 * A libunbound context, set up for asynchronous questions to forwarder as its only server; none of
 * it can be changed later. The bounds on TTLs are of the whole process in libunbound: those of the
 * newest context hold for all. Returns it, to be given back with unbound_context_free(); NULL with
 * error (DNS_ERROR) set.
 */
struct ub_ctx *unbound_context_new(const DnsUnboundOptions *options, const DnsForwarder *forwarder,
                                   GError **error);

/* Not while another thread is in a function of libunbound with it. context may be NULL. */
void unbound_context_free(struct ub_ctx *context);
#endif
