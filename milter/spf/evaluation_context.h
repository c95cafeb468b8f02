#ifndef SPFROM_SPF_EVALUATION_CONTEXT_H
#define SPFROM_SPF_EVALUATION_CONTEXT_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"
#include "dns/dns.h"
#include "spf/record.h"

/* The question: does domain authorise relay to send for local_part@domain (RFC 7208 section
 * 4.1)? */
typedef struct {
    const char *domain; /* see base/domain_name.h */
    /* Of the address, any length (64 octets of it count); NULL or "": postmaster. */
    const char *local_part;
    const char *helo; /* for %{h}; NULL: "unknown" */
    Network relay;    /* a whole network is proven, see evaluation_run() */
} EvaluationQuestion;

/*
 * The DNS answers of one check, shared by the evaluations of all relays of one domain: each
 * question is asked once, with one deadline and one bound on questions, so that all relays, and all
 * pieces of a network, see the same records. Belongs to one thread.
 */
typedef struct EvaluationContext EvaluationContext;
EvaluationContext *evaluation_context_new(Dns *dns, gint64 deadline);
void evaluation_context_free(EvaluationContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EvaluationContext, evaluation_context_free)

/* Bounds of one context, so that no domain keeps more than this busy. Beyond them every question is
 * DNS_TROUBLE. */
#define EVALUATION_QUESTIONS_MAX 4096
#define EVALUATION_OCTETS_MAX (16 * 1024 * 1024) /* of all answers together */

/* What stands at a name as its SPF record. Lives as long as the context. */
typedef struct {
    const DnsAnswer *answer; /* of the TXT question */
    guint count;             /* SPF records among its records */
    Record *record;          /* the only one; NULL if there is none, or several */
} FoundRecord;

/* The answer to a question, which lives as long as the context. name is lower case, and one that
 * macro_is_name() allows. */
const DnsAnswer *evaluation_context_ask(EvaluationContext *context, const char *name, DnsType type);
const FoundRecord *evaluation_context_record(EvaluationContext *context, const char *name);

/*
 * Bounds the work of all evaluations of one context together, so that no record keeps a CPU busy:
 * what records and answers there are counts once for each network that they are compared with. A
 * unit is the comparison of two networks, about 10 ns. A thousand networks in the relay set, with
 * the record of a pool as large, take 5 million.
 *
 * Returns whether units are left; evaluations then end, unproven.
 */
bool evaluation_context_spend(EvaluationContext *context, gsize units);
#define EVALUATION_WORK_MAX 12000000
#define EVALUATION_WORK_RECORD 500 /* units of opening a record, whatever stands in it */
#define EVALUATION_WORK_QUESTION 20
#define EVALUATION_WORK_OCTETS 16 /* octets of a record that cost one unit */

/* Returns whether the deadline is over: for work that needs no more answers, but time. */
bool evaluation_context_is_late(const EvaluationContext *context);
#endif
