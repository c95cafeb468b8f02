#ifndef SPFROM_VERDICT_RELAY_SET_H
#define SPFROM_VERDICT_RELAY_SET_H

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/network.h"
#include "policy/settings.h"
#include "dns/dns.h"

/* How much of what an entry of relay_hosts stands for is known. */
typedef enum {
    RELAY_SET_WHOLE,
    RELAY_SET_TROUBLE, /* DNS did not answer all: asking again may help */
    RELAY_SET_PARTIAL, /* a pool has terms that can't be told as networks */
    RELAY_SET_WRONG,   /* nothing is there: the name does not exist, or its record is an error */
} RelaySetState;

/*
 * The relay set at one moment: relay_hosts resolved. Immutable, counted by reference, shared by
 * threads.
 *
 * A set in which an entry is not known whole is incomplete: mail may leave from an address that is
 * not in it. With relay_policy = all it authorises nobody; with any, an entry that is not known
 * whole authorises nobody (relay_set_unknown()).
 */
typedef struct RelaySet {
    gint refs;
    guint generation; /* grows with every change from one set to the next: of networks, and of which
                         entries are known whole */
    GArray *networks; /* of Network, in the order of relay_hosts; empty: not known yet, every
                         verdict is temperror */
    GArray *entries;  /* of guint: the index in settings->relay_hosts that networks[i] came from */
    GArray *states;   /* of RelaySetState, one for each of settings->relay_hosts; an entry that
                         keeps what the set before knew has its state there */
    bool is_complete; /* all states are RELAY_SET_WHOLE */
    GPtrArray *problems; /* of char *: entries that could not be looked up, and what was left out,
                            for people */
    gint64 expires; /* monotonic time at which it is to be looked up again; G_MAXINT64: never */

    /* For the next relay_set_resolve() alone. */
    Settings *settings;
    GPtrArray
        *found; /* of GArray of Network: what each entry of settings->relay_hosts stands for */
    GPtrArray *unknown; /* of char *, one for each entry: why it is not known whole; NULL: it is */
    guint failures;     /* sets in a row that DNS did not answer for */
} RelaySet;

#define RELAY_SET_NETWORKS_MAX 1000

/* What an incomplete set means, for the log. */
#define RELAY_SET_INCOMPLETE                                                                        \
    "the relay set is incomplete: mail may leave from addresses that are not known, and no domain " \
    "is vouched for"

/*
 * How long a set lasts: the smallest TTL, within these and the bounds of the verdict cache (design
 * section 8). After trouble it is RETRY_MIN, doubled with each failure up to RETRY_MAX.
 */
#define RELAY_SET_TTL_MIN 5 /* seconds, as all of these */
#define RELAY_SET_TTL_MAX 3600
#define RELAY_SET_RETRY_MIN 10
#define RELAY_SET_RETRY_MAX 60

#define RELAY_SET_ERROR (relay_set_error_quark())
typedef enum {
    RELAY_SET_ERROR_EMPTY,
    RELAY_SET_ERROR_ENTRY, /* an entry is RELAY_SET_WRONG */
    RELAY_SET_ERROR_LARGE,
} RelaySetError;
GQuark relay_set_error_quark(void);

/*
 * Looks relay_hosts up until deadline; no entry can use up the time of the others.
 * An entry for which DNS has trouble, and one that is only known in part now, keeps what it gave in
 * last (the set before, maybe of other settings, or NULL), if that was whole. Private networks are
 * left out, and so are doubles and networks within others; with relay_policy = any, where an entry
 * counts as a whole, only within one entry.
 *
 * Returns a new set, given back with relay_set_unref(): an incomplete one that expires soon if DNS
 * did not answer. NULL with error (RELAY_SET_ERROR) saying what to write if an entry is wrong,
 * nothing public is left, or there are more than RELAY_SET_NETWORKS_MAX networks.
 */
RelaySet *relay_set_resolve(Settings *settings, Dns *dns, RelaySet *last, const Clock *clock,
                            Deadline deadline, GError **error);

/*
 * Looks the entries of last up again, as they are when it expires. What was whole in last stays
 * whatever becomes of it, and a wrong entry is no error: the set is then incomplete.
 * Returns NULL with error only if there are too many networks.
 */
RelaySet *relay_set_renew(RelaySet *last, Dns *dns, const Clock *clock, Deadline deadline,
                          GError **error);

/*
 * Why the entry at position of relay_hosts is not known whole, for people: the first such one from
 * position on before end. Borrowed; NULL if all of them are.
 */
const char *relay_set_unknown(const RelaySet *set, guint position, guint end);
RelaySet *relay_set_ref(RelaySet *set);
void relay_set_unref(RelaySet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RelaySet, relay_set_unref)
#endif
