#ifndef SPFROM_SPF_RELAY_LOOKUP_H
#define SPFROM_SPF_RELAY_LOOKUP_H

#include <glib.h>
#include <stdbool.h>

#include "policy/relay_entry.h"
#include "spf/dns.h"

/* What one entry of relay_hosts stands for now. */
typedef struct {
    GArray *networks;    /* of Network, public ones only */
    bool has_trouble;    /* DNS did not answer all: asking again may help */
    guint32 ttl;         /* seconds; G_MAXUINT32: for good */
    GPtrArray *problems; /* of char *, for people; there is one at least where networks is empty */
} RelayLookup;

#define RELAY_LOOKUP_FOREVER G_MAXUINT32

/*
 * Looks entry up (design section 7), with at most networks_max networks.
 *
 * hostname  the host whose addresses "auto" stands for, besides those of the interfaces
 * deadline  clock_system's monotonic time
 * Returns a new value, freed with relay_lookup_free(); never NULL.
 */
RelayLookup *relay_lookup_run(const RelayEntry *entry, const char *hostname, guint networks_max,
                              Dns *dns, gint64 deadline);
void relay_lookup_free(RelayLookup *lookup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RelayLookup, relay_lookup_free)
#endif
