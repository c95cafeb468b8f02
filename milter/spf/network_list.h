#ifndef SPFROM_SPF_NETWORK_LIST_H
#define SPFROM_SPF_NETWORK_LIST_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"

/* Sets of addresses as a GArray of Network. Pure. */

/*
 * Appends to networks what of network lies in none of holes, as the fewest networks. Stops where
 * networks would have more than max; returns false then.
 */
bool network_list_add_without(GArray *networks, const Network *network, const GArray *holes,
                              guint max);

/* Brings networks into order (IPv4 first), without those that lie in others; two halves of a
 * network become that one. */
void network_list_merge(GArray *networks);
#endif
