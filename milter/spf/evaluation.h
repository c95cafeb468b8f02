#ifndef SPFROM_SPF_EVALUATION_H
#define SPFROM_SPF_EVALUATION_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"
#include "policy/verdict.h"
#include "spf/evaluation_context.h"

/* What is asked: does domain authorise relay to send for local_part@domain (RFC 7208 section 4.1)?
 */
typedef struct {
    const char *domain; /* see base/domain_name.h */
    const char *
        local_part; /* of the address, any length (64 octets of it count); NULL or "": postmaster */
    const char *helo; /* for %{h}; NULL: "unknown" */
    Network relay;    /* a whole network is proven, see evaluation_run() */
} EvaluationQuestion;

/* One term that was looked up or that decided, for `spfrom check`: the tree of includes in the
 * order of evaluation. */
typedef struct {
    guint depth;   /* 0 for terms of the domain's own record */
    char *term;    /* as it stands in the record: "include:amazonses.com" */
    char *name;    /* the name it asked after expansion; NULL where it asked none */
    char *record;  /* include, redirect: the record found there; else NULL */
    guint lookups; /* look-ups that this term and everything below it cost */
    guint voids;   /* void ones among them */
    bool is_match;
} EvaluationTerm;

typedef struct {
    SpfResult result;
    char *mechanism; /* the term of the domain's own record (after a redirect, of that one's) that
                        decided, as it stands there: "~all", "include:amazonses.com"; unproven: the
                        term that depends on the address; NULL where none did (end of the record,
                        errors) */
    char *
        reason; /* permerror, temperror, unproven: what is wrong and where, for people; else NULL */
    char *record; /* the domain's own record as found, made valid UTF-8; NULL where there is none or
                     several */
    guint lookups; /* terms that cost a look-up (RFC 7208 section 4.6.4) */
    guint void_lookups;
    guint32 ttl;      /* seconds: the smallest of all answers the result rests on */
    bool uses_sender; /* %{s} or %{l} was expanded: holds for this address only */
    bool is_unproven; /* the network can't be proven: a term depends on the address; result is then
                         neutral */
    Network piece;    /* the relay, or the first piece of it that decided the result */
    GPtrArray *terms; /* of EvaluationTerm, of the evaluation that decided */
} Evaluation;

/*
 * Call once before there are threads: libspf2's handlers, and the host name that it can't bear (64
 * octets). Without it, libspf2 may end the process. Returns whether evaluations can be run; if not,
 * error says what to change.
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
Evaluation *evaluation_run(EvaluationContext *context, const EvaluationQuestion *question);
void evaluation_free(Evaluation *evaluation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Evaluation, evaluation_free)
#endif
