#ifndef SPFROM_SPF_EVALUATION_H
#define SPFROM_SPF_EVALUATION_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"
#include "policy/verdict.h"
#include "spf/evaluation_context.h"

/* One term that was looked up or that decided, for `spfrom check`: the tree of includes in the
 * order of evaluation. */
typedef struct {
    guint depth;   /* 0 for terms of the domain's own record */
    char *term;    /* as it stands in the record: "include:amazonses.com" */
    char *name;    /* the name that it asked for after expansion; NULL if it asked for none */
    char *record;  /* include, redirect: the record found there; else NULL */
    guint lookups; /* look-ups that this term and everything below it cost */
    guint voids;   /* void ones among them */
    bool is_match;
    /* It depends on the address, and was not asked: it matches some of the network, or nothing. */
    bool is_assumed;
} EvaluationTerm;

typedef struct {
    SpfResult result;
    /* The term that decided, as it stands in the domain's own record (after a redirect, in that
     * one): "~all", "include:amazonses.com". If the result is unproven, the term that depends on
     * the address. NULL if no term decided: at the end of the record, and in errors. */
    char *mechanism;
    /* What is wrong and where, for people, if the result is permerror, temperror or unproven; else
     * NULL. */
    char *reason;
    /* The domain's own record as found, made valid UTF-8; NULL if there is none, or several. */
    char *record;
    guint lookups; /* terms that cost a look-up (RFC 7208 section 4.6.4) */
    guint void_lookups;
    guint32 ttl; /* seconds: the smallest of all answers on which the result rests */
    /* %{s} or %{l} was expanded: the result holds for this address only. */
    bool uses_sender;
    /* %{h} was expanded: the result holds for this HELO name only. */
    bool uses_host;
    /* The network can't be proven, since a term depends on the address; result is then neutral. */
    bool is_unproven;
    Network piece;    /* the relay, or the first piece of it that decided the result */
    GPtrArray *terms; /* of EvaluationTerm, of the evaluation that decided */
} Evaluation;

/* What a term of an evaluation did. */
typedef enum {
    EVALUATION_TERM_PASSED_OVER, /* it does not match; a redirect never does */
    EVALUATION_TERM_IN_VAIN,     /* it ends the record of an include that then does not match */
    EVALUATION_TERM_MATCHES,     /* for its sake an include matches */
    EVALUATION_TERM_DECIDES,     /* the result is its own */
} EvaluationTermOutcome;
EvaluationTermOutcome evaluation_term_outcome(const Evaluation *evaluation, guint position);

/* The term of the domain's own record that evaluation came to last; NULL if there is none. */
const EvaluationTerm *evaluation_last_own_term(const Evaluation *evaluation);

/*
 * Sets libspf2's handlers, and checks that the host name is not too long for it (64 octets);
 * without that, libspf2 may end the process. To be called once before there are threads. Returns
 * whether evaluations can be run; if not, error says what to change.
 */
bool evaluation_init(GError **error);

/*
 * check_host() (RFC 7208 section 4) by libspf2, which sees only canonical records that this layer
 * writes (no record, name or address of a stranger). A relay that is a whole network is proven for
 * all of its addresses: the result holds for each of them, or is that of the first piece that does
 * not pass.
 *
 * Returns a new evaluation, freed with evaluation_free(); never NULL. DNS trouble and the deadline
 * are temperror.
 */
#define EVALUATION_PIECES_MAX 256 /* of one network, each with a result of its own */
Evaluation *evaluation_run(EvaluationContext *context, const EvaluationQuestion *question);
void evaluation_free(Evaluation *evaluation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Evaluation, evaluation_free)
#endif
