#ifndef SPFROM_DAEMON_FLEET_AGENT_H
#define SPFROM_DAEMON_FLEET_AGENT_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "fleet/fleet.h"
#include "policy/settings.h"
#include "verdict/verdicts.h"

/*
 * This host in its fleet (design section 17): a thread that learns switches and flushes of the other
 * hosts, tells them those of this one, also when the store was away or was emptied, and writes this
 * host's sign of life.
 *
 * Lock protocol: one lock inside guards the fleet in force, the list of hosts, and the flushes that
 * the store does not know yet. It is not held while the store is waited for.
 */

/* Is fleet_password_file right? The error begins with FILE:LINE; a SETUP_ERROR_CONFIGURATION. */
bool fleet_agent_check(Settings *settings, GError **error);

/* Takes over what settings say of the fleet: the same goes on if they say the same. Call for each
 * settings, before they are in force. Returns false if there can be no thread. */
bool fleet_agent_configure(Settings *settings);

/* Shares verdicts that nobody else has yet with the fleet, if there is one. */
void fleet_agent_share(Verdicts *verdicts);

/* Learns what the others know, so that the first message finds it, if the store is there; then starts
 * the thread. Returns false if there can be none. */
bool fleet_agent_start(void);

/* Ends it, and tells the others that this host stops as it is meant to. */
void fleet_agent_stop(void);

/* The fleet in force, a new reference; NULL: this host is alone. */
Fleet *fleet_agent_fleet(void);

/* Tells all hosts the last switch, or to flush verdicts (fleet_flush()). Returns false if the store is
 * away: they will learn of it later. True if this host is alone. */
bool fleet_agent_tell_switch(void);
bool fleet_agent_tell_flush(const char *domain);

/* In short. */
typedef struct {
    bool is_there; /* else there is no fleet, and nothing else is set */
    FleetStoreState store;
    guint hosts;
    char **unseen;    /* names of hosts that were not seen for a minute */
    char **differing; /* of those whose configuration, relay set or key differs */
    char **doubled;   /* of those that have another one's name */
} FleetAgentStatus;
void fleet_agent_status(FleetAgentStatus *status);
void fleet_agent_status_clear(FleetAgentStatus *status);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FleetAgentStatus, fleet_agent_status_clear)

/* The answer to "fleet" on the control socket. forget is a host to be dropped, or NULL. */
json_t *fleet_agent_report(const char *forget);
#endif
