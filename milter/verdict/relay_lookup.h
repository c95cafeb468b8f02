#ifndef SPFROM_VERDICT_RELAY_LOOKUP_H
#define SPFROM_VERDICT_RELAY_LOOKUP_H

#include <glib.h>
#include <stdbool.h>

#include "policy/relay_entry.h"
#include "dns/dns.h"

/* How much of what an entry of relay_hosts stands for is known. */
typedef enum {
    RELAY_LOOKUP_WHOLE,
    RELAY_LOOKUP_TROUBLE, /* DNS did not answer all: asking again may help */
    RELAY_LOOKUP_PARTIAL, /* a pool has terms that can't be told as networks */
    RELAY_LOOKUP_WRONG,   /* nothing is there: the name does not exist, or its record is an error */
} RelayLookupState;

/* What one entry of relay_hosts stands for now. */
typedef struct {
    GArray
        *networks; /* of Network, public ones only; with another state than WHOLE what is known */
    RelayLookupState state;
    guint32 ttl;         /* seconds; G_MAXUINT32: for good */
    GPtrArray *problems; /* of char *, for people; there is one at least where networks is empty,
                            and where state is not WHOLE */
} RelayLookup;

#define RELAY_LOOKUP_FOREVER G_MAXUINT32

/*
 * Looks entry up (design section 7), with at most networks_max networks. A private address or
 * network that is written out is left out, and the entry is WHOLE: no mail reaches a receiver from
 * there. A name or a pool that has only such addresses is WRONG: we don't know from where its mail
 * does.
 *
 * hostname  the host whose addresses "auto" stands for, besides those of the interfaces
 * Returns a new value, freed with relay_lookup_free(); never NULL.
 */
RelayLookup *relay_lookup_run(const RelayEntry *entry, const char *hostname, guint networks_max,
                              Dns *dns, Deadline deadline);
void relay_lookup_free(RelayLookup *lookup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RelayLookup, relay_lookup_free)
#endif
