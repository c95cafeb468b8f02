#ifndef SPFROM_SPF_NETWORK_PROOF_H
#define SPFROM_SPF_NETWORK_PROOF_H

#include "spf/evaluation.h"

/*
 * What holds for every address of a network, without trying each of them. The network's first
 * address is evaluated, while each network that a term compares it with is noted. If none of them
 * lies inside of the network that is to be proven, and no name depended on the address, then any
 * other address takes the same branch at each term, and by induction the same way, with the same
 * look-ups and result. Else the network is split in halves, and each is proven.
 *
 * Where a term depends on the address, a network of up to NETWORK_PROOF_TRIED_MAX addresses is
 * tried address by address; a larger one is unproven. So is one that needs more than
 * NETWORK_PROOF_EVALUATIONS_MAX evaluations, and what takes more work than one context may spend
 * (evaluation_context_spend()).
 */
#define NETWORK_PROOF_TRIED_MAX 256
#define NETWORK_PROOF_EVALUATIONS_MAX 256

/* See evaluation_run(). question->domain is a domain of at least two labels. */
Evaluation *network_proof_run(EvaluationContext *context, const EvaluationQuestion *question);
#endif
