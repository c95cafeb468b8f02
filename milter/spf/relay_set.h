#ifndef SPFROM_SPF_RELAY_SET_H
#define SPFROM_SPF_RELAY_SET_H

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/network.h"
#include "policy/settings.h"
#include "spf/dns.h"

/* The relay set at one moment: relay_hosts resolved. Immutable, counted by reference, shared by
 * threads. */
typedef struct RelaySet {
    gint refs;
    guint generation; /* grows with every change of networks from one set to the next */
    GArray *networks; /* of Network, in the order of relay_hosts; empty: not known yet, every
                         verdict is temperror */
    GArray *entries;  /* of guint: the index in settings->relay_hosts that networks[i] came from */
    GPtrArray *problems; /* of char *: entries that could not be looked up, and what was left out,
                            for people */
    gint64 expires; /* monotonic time at which it is to be looked up again; G_MAXINT64: never */

    /* For the next relay_set_resolve() alone. */
    Settings *settings;
    GPtrArray
        *found;     /* of GArray of Network: what each entry of settings->relay_hosts stands for */
    guint failures; /* sets in a row that DNS did not answer for */
} RelaySet;

#define RELAY_SET_NETWORKS_MAX 1000

/*
 * How long a set lasts: the smallest TTL, within these and the bounds of the verdict cache (design
 * section 8). After trouble it is RETRY_MIN, doubled with each failure up to RETRY_MAX.
 */
#define RELAY_SET_TTL_MIN 5 /* seconds, as all of these */
#define RELAY_SET_TTL_MAX 3600
#define RELAY_SET_RETRY_MIN 10
#define RELAY_SET_RETRY_MAX 60

#define RELAY_SET_ERROR (relay_set_error_quark())
typedef enum { RELAY_SET_ERROR_EMPTY, RELAY_SET_ERROR_LARGE } RelaySetError;
GQuark relay_set_error_quark(void);

/*
 * Looks relay_hosts up, within check_timeout, of which no entry can take the share of the others.
 * Where an entry gives no network now, for whatever cause, those that it gave in last (the set
 * before, maybe of other settings, or NULL) stay. Private networks are left out, and so are doubles
 * and networks within others; with relay_policy = any, where an entry counts as a whole, only
 * within one entry.
 *
 * Returns a new set, given back with relay_set_unref(). Where DNS answered and nothing public is
 * left, or there are more than RELAY_SET_NETWORKS_MAX networks, NULL with error (RELAY_SET_ERROR)
 * saying what to write; where DNS did not answer, an empty set that expires soon.
 */
RelaySet *relay_set_resolve(Settings *settings, Dns *dns, RelaySet *last, const Clock *clock,
                            GError **error);
RelaySet *relay_set_ref(RelaySet *set);
void relay_set_unref(RelaySet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RelaySet, relay_set_unref)
#endif
