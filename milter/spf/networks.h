#ifndef SPFROM_SPF_NETWORKS_H
#define SPFROM_SPF_NETWORKS_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"
#include "policy/verdict.h"
#include "spf/evaluation_context.h"

/* The networks that a domain's SPF record authorises. */
typedef struct {
    /* SPF_PASS, or SPF_NONE, SPF_TEMPERROR or SPF_PERMERROR: then without networks. */
    SpfResult result;
    GArray *networks; /* of Network: in order (IPv4 first), adjacent ones merged */
    /* Terms that can't be told as networks and are left out; of char *, for people. */
    GPtrArray *warnings;
    char *reason; /* for people; NULL if result is SPF_PASS */
    guint32 ttl;  /* seconds: the smallest of all answers */
    /* The qualifier of the "all" at the end of the record, or of that to which its redirect leads;
     * '\0' if there is none. */
    char all;
} Networks;

/*
 * The networks that domain's SPF record authorises, for relay_hosts = { spf:DOMAIN }: includes and
 * redirect are followed, and what another qualifier than "+" decides before is taken out. Terms
 * that can't be told as networks (exists, ptr, any macro but %{d}) are left out, with a warning. A
 * record that authorises every address, a network wider than /8 (IPv6 /16), or more than
 * networks_max networks is SPF_PERMERROR.
 *
 * Returns new networks, freed with networks_free(); never NULL.
 */
Networks *networks_find(EvaluationContext *context, const char *domain, guint networks_max);
void networks_free(Networks *networks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Networks, networks_free)

/*
 * Appends to an array of Network what of network lies in none of holes, as the fewest networks.
 * Stops if the array would have more than max; returns false then. Pure.
 */
bool networks_add_without(GArray *networks, const Network *network, const GArray *holes, guint max);

/* Brings an array of Network into order (IPv4 first), without those that lie in others; two halves
 * of a network become that one. Pure. */
void networks_merge(GArray *networks);
#endif
