#ifndef SPFROM_ADVICE_PROOF_H
#define SPFROM_ADVICE_PROOF_H

#include <glib.h>
#include <stdbool.h>

#include "advice/record/cost.h"
#include "advice/domain_check.h"
#include "policy/settings.h"
#include "dns/dns.h"

/* What all proposals for one domain rest on. */
typedef struct {
    Settings *settings;
    Dns *dns; /* what is asked twice it answers the same */
    Deadline deadline;
    const DomainCheck *check; /* of the record found */
    CostMeter meter;
} Ground;

typedef enum {
    PROOF_PASSES,  /* for the whole relay set, and the record costs nobody too much */
    PROOF_OVER,    /* it costs too many look-ups, or void ones */
    PROOF_FAILS,   /* a relay doesn't pass, or the record is an error for somebody */
    PROOF_TROUBLE, /* DNS, or no time is left */
} ProofOutcome;

/* What comes of a record once it is published. */
typedef struct {
    ProofOutcome outcome;
    char *reason;       /* PROOF_FAILS, PROOF_OVER: English, for people */
    DomainCheck *check; /* the evaluations */
    Cost cost;
} Proof;

/* Evaluates text as the SPF record of ground's domain, with that one DNS answer replaced. Freed
 * with proof_free(); never NULL. */
Proof *proof_run(const Ground *ground, const char *text);
void proof_free(Proof *proof);

/* Would text, published as that record, let strangers from all over the Internet pass? */
bool proof_is_open(const Ground *ground, const char *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Proof, proof_free)
#endif
