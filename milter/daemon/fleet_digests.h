#ifndef SPFROM_DAEMON_FLEET_DIGESTS_H
#define SPFROM_DAEMON_FLEET_DIGESTS_H

#include <glib.h>

#include "policy/settings.h"
#include "verdict/relay_set.h"

/*
 * What this host is like, in digests (fleet_digest()) by which the hosts of a fleet tell in what they
 * differ (design section 17) without telling each other what they have.
 */

/* name of a key → digest of its value, but for the keys in which hosts differ by nature; of a file
 * that a key names its content counts. All sections are one: "domain". */
GHashTable *fleet_digests_new(Settings *settings);

char *fleet_digests_relays(const RelaySet *set);

/* The digest of a digest: nothing of the key itself leaves this host. "" if there is no key. */
char *fleet_digests_return_key(Settings *settings);
#endif
