#ifndef SPFROM_ADVICE_RECORD_EXTEND_H
#define SPFROM_ADVICE_RECORD_EXTEND_H

#include "advice/record/draft.h"
#include "advice/proof.h"

/*
 * Adds what a record lacks so that the relays pass, and no more: before the first mechanism that
 * decides against a relay, else before all or redirect. All else stays.
 *
 * draft   stays as it is
 * proof   of draft
 * failed  NULL, or set to the proof of the best trial where none passes; freed by the caller
 * Returns a new draft whose proof passes, or one that is only over the limits; NULL where there is
 * none. Added terms have is_added set.
 */
Draft *extend(const Ground *ground, const Draft *draft, const Proof *proof, Proof **failed);
#endif
