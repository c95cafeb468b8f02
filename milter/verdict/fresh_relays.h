#ifndef SPFROM_VERDICT_FRESH_RELAYS_H
#define SPFROM_VERDICT_FRESH_RELAYS_H

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "policy/settings.h"
#include "dns/dns.h"
#include "verdict/relay_set.h"

/*
 * The relay set in force, and when it is to be looked up again.
 *
 * Lock protocol: one mutex inside guards both; it is not held while DNS is asked. Any thread may
 * call any function, but fresh_relays_refresh() belongs to one thread.
 */
typedef struct FreshRelays FreshRelays;

/*
 * Looks the relay set up, see relay_set_resolve(). Takes a reference of settings; dns and clock
 * have to live as long. Returns NULL with error (RELAY_SET_ERROR) set if relay_hosts is wrong.
 */
FreshRelays *fresh_relays_new(Settings *settings, Dns *dns, RelaySet *last, const Clock *clock,
                              Deadline deadline, GError **error);
void fresh_relays_free(FreshRelays *relays);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FreshRelays, fresh_relays_free)

/* The set in force; a reference. */
RelaySet *fresh_relays_get(FreshRelays *relays);

/* Is the set in force past its time? */
bool fresh_relays_is_due(FreshRelays *relays);

/* Makes it due. */
void fresh_relays_expire(FreshRelays *relays);

/*
 * Looks the relay set up where it is due, and logs changes. Where that fails, the last one stays.
 *
 * has_changed  set to whether networks came or went
 * Returns the microseconds until it is due again; maybe fewer than 0.
 */
gint64 fresh_relays_refresh(FreshRelays *relays, bool *has_changed);
#endif
