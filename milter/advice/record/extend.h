#ifndef SPFROM_ADVICE_RECORD_EXTEND_H
#define SPFROM_ADVICE_RECORD_EXTEND_H

#include <stdbool.h>

#include "advice/proof.h"
#include "advice/record/draft.h"

/*
 * Adds what a record lacks so that the relays pass, and no more: before the first mechanism that
 * decides against a relay, else before all or redirect. All else stays.
 *
 * The mechanisms are advice_mechanisms, or include:, a:, ip4: or ip6: for each entry of relay_hosts
 * (design section 15). "auto" is a:HOSTNAME if that name has all of its addresses, else the
 * addresses.
 *
 * draft   stays as it is
 * proof   of draft
 * failed  set to the proof of the best trial if none passes, else not set; freed by the caller
 * Returns a new draft whose proof passes, or one that is only over the limits; NULL if there is
 * none. Added terms have is_added set.
 */
Draft *extend(const Ground *ground, const Draft *draft, const Proof *proof, Proof **failed);

/* True if key (see draft_key()) is that of a mechanism that stands for relays: one of
 * advice_mechanisms, or that of an entry by name. */
bool extend_is_for_relays(Settings *settings, const Relays *relays, const char *key);
#endif
