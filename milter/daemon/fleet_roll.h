#ifndef SPFROM_DAEMON_FLEET_ROLL_H
#define SPFROM_DAEMON_FLEET_ROLL_H

#include <glib.h>
#include <stdbool.h>

#include "fleet/fleet_values.h"

/*
 * Who is in the fleet: the signs of life of all hosts, when each was seen by this host's clock, and in
 * what the hosts differ (design section 17). Not for several threads at once.
 */
typedef struct FleetRoll FleetRoll;

#define FLEET_ROLL_SEEN (60 * G_GINT64_CONSTANT(1000000)) /* microseconds that a sign counts for */

FleetRoll *fleet_roll_new(void);
void fleet_roll_free(FleetRoll *roll);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FleetRoll, fleet_roll_free)

/*
 * Takes over hosts, an array of FleetHost, as all that there are now.
 *
 * wall       this host's clock; each host writes its own, which may be wrong: what counts is when a
 *            sign changed
 * monotonic  the same moment
 */
void fleet_roll_take(FleetRoll *roll, GPtrArray *hosts, gint64 wall, gint64 monotonic);

typedef struct {
    const FleetHost *host; /* the roll's, up to the next fleet_roll_take() */
    gint64 age;            /* microseconds since it was seen */
    bool is_seen;          /* within FLEET_ROLL_SEEN */
    GPtrArray *differs;    /* of char *: names of keys, "relay set", "return key"; sorted */
} FleetRollRow;

/* Returns an array of FleetRollRow, by name. Of values that differ, those that more than half of the
 * hosts have count as right; if there are none, all differ. Only hosts that are there are compared. */
GPtrArray *fleet_roll_rows(const FleetRoll *roll, gint64 monotonic);
#endif
