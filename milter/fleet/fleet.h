#ifndef SPFROM_FLEET_FLEET_H
#define SPFROM_FLEET_FLEET_H

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "fleet/fleet_store.h"
#include "fleet/fleet_values.h"
#include "policy/settings.h"

/*
 * What the hosts of a fleet tell each other through the store (design section 17). It knows keys and
 * values; connections and trouble are fleet_store.h's.
 *
 *   NAME:verdict:1:FINGERPRINT:DOMAIN       a verdict, until it ends
 *   NAME:verdict:1:FINGERPRINT:DOMAIN:HASH  one that holds for an address only
 *   NAME:flush                              a stream of the flushes, the store's clock in their ids
 *   NAME:mode                               host → the last switch that it knows
 *   NAME:hosts                              host → its sign of life
 *   NAME:return:TOKEN                       the author of a return address (returns/return_share.h)
 *   NAME:returns                            host → whether it has told all of these
 *
 * Nothing is ever read and then written back: each host writes what is its own, or what is the same
 * whoever writes it, so that no two can destroy each other's.
 *
 * Lock protocol: one lock inside guards the flushes that are known. Counted by reference; any thread
 * may call any function, but fleet_poll() belongs to one.
 */
typedef struct Fleet Fleet;

/* The store and the names that settings give; NULL if they name no store, or there can be no
 * thread. */
Fleet *fleet_new(Settings *settings);
Fleet *fleet_ref(Fleet *fleet);
void fleet_unref(Fleet *fleet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fleet, fleet_unref)

/* For what is asked besides: the store of all these keys. */
FleetStore *fleet_store(Fleet *fleet);
/* The moment until which a message that may take until deadline waits for the store. */
Deadline fleet_patience(const Fleet *fleet, Deadline deadline);

/*
 * The last flush that is known, owned by the caller: to be read before DNS is asked, and to be given
 * to fleet_verdict_put() with what came out.
 */
char *fleet_mark(Fleet *fleet);

/*
 * A verdict that another host made with the same fingerprint and that no flush has ended. local_part
 * is that of the address; a verdict on the domain goes before one on it.
 *
 * Returns false if there is none, or the store did not answer in time.
 */
bool fleet_verdict_get(Fleet *fleet, const char *fingerprint, const char *domain,
                       const char *local_part, Deadline deadline, FleetVerdict *verdict,
                       bool *is_per_address);

/* Writes a verdict without waiting. local_part is NULL if it holds for the domain. */
void fleet_verdict_put(Fleet *fleet, const char *fingerprint, const char *domain,
                       const char *local_part, const FleetVerdict *verdict);

/* Tells all hosts to forget the verdicts on domain and what is below it; NULL: all verdicts. Returns
 * false if the store is not there. */
bool fleet_flush(Fleet *fleet, const char *domain, Deadline deadline);

/* Writes made as the last switch that this host knows. */
bool fleet_switch_put(Fleet *fleet, const FleetSwitch *made, Deadline deadline);

/* Writes a sign of life. before is set to the one that it takes the place of, owned by the caller;
 * NULL: there was none. */
bool fleet_host_put(Fleet *fleet, const FleetHost *host, Deadline deadline, FleetHost **before);

/* What is new. */
typedef struct {
    bool has_switch;
    FleetSwitch last; /* the latest that any host knows */
    GPtrArray
        *flushed; /* of char *: domains of other hosts' flushes since the last poll; "": all */
} FleetNews;

/* Reads what is new. The flushes of the first poll are those of the past: none is told. Returns false
 * if the store did not answer. Cleared with fleet_news_clear(). */
bool fleet_poll(Fleet *fleet, FleetNews *news, Deadline deadline);
void fleet_news_clear(FleetNews *news);

/* All signs of life, an array of FleetHost by name; NULL if the store did not answer. */
GPtrArray *fleet_hosts(Fleet *fleet, Deadline deadline);

/* Drops a host that is gone. Returns false if the store did not answer. */
bool fleet_forget(Fleet *fleet, const char *host, Deadline deadline);
#endif
