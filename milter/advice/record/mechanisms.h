#ifndef SPFROM_ADVICE_RECORD_MECHANISMS_H
#define SPFROM_ADVICE_RECORD_MECHANISMS_H

#include <glib.h>
#include <stdbool.h>

#include "advice/domain_check.h"
#include "policy/settings.h"
#include "dns/dns.h"

/*
 * What a record needs to authorise the relays (design section 15): advice_mechanisms, or for each
 * entry of relay_hosts include:, a:, ip4: or ip6:. "auto" is a:HOSTNAME where its addresses are all
 * there, else the addresses.
 */

/* Mechanisms that authorise the relays of an entry. */
typedef struct {
    GPtrArray *texts; /* of char * */
    bool is_missing;  /* the entry does not pass as a whole */
} EntryMechanisms;

/*
 * One for each entry of check->relays that has networks, in their order. Returns an array of
 * EntryMechanisms, to be given back with g_ptr_array_unref().
 */
GPtrArray *mechanisms_derive(Settings *settings, Dns *dns, gint64 deadline,
                             const DomainCheck *check);

/* Is key (advice/draft.h) that of a mechanism which stands for relays: of advice_mechanisms, or of
 * an entry by name? */
bool mechanisms_has(Settings *settings, const Relays *relays, const char *key);
#endif
