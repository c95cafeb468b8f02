#ifndef SPFROM_SPF_CHECK_HOST_H
#define SPFROM_SPF_CHECK_HOST_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"
#include "policy/verdict.h"
#include "spf/evaluation_context.h"
#include "spf/record.h"

/*
 * One check_host() (RFC 7208 section 4) for one address, from the side of the DNS. libspf2 runs it
 * (libspf2.h) and sees only what this file makes: a canonical record, which holds nothing but
 * qualifiers, mechanism names and aliases, such as "v=spf1 include:t1._spfrom a:t2._spfrom -all".
 * Macros, limits, look-ups and the comparison of addresses are ours; in what order terms count,
 * what an include or a redirect means, and what comes out is libspf2's.
 *
 * When something ends the check (a wrong record, a limit, DNS trouble), the result is forced:
 * libspf2 then gets DNS trouble as every answer and unwinds at once.
 */
/* Limits of RFC 7208 section 4.6.4. */
#define CHECK_LOOKUPS_MAX 10 /* terms that cost a look-up */
#define CHECK_VOIDS_MAX 2    /* void look-ups */
#define CHECK_HOSTS_MAX 10   /* hosts of one mx, names of one address */

/* The first TXT, ten terms with ten hosts each, and the names of the relay, once. */
#define CHECK_QUESTIONS_MAX 122

/* Seconds that a result lives if there was DNS trouble that does not end the check: a name of the
 * relay could not be looked up. */
#define CHECK_TROUBLE_TTL 10

/* A term that may be looked up or that decides. Its index is its alias; index 0 is the question
 * itself. */
typedef struct {
    /* The record in which the term stands, and the term there; NULL for the question. */
    const Record *holder;
    const RecordTerm *term;
    /* Index of the term that brought that record. */
    guint parent;
    /* What the term asked for after expansion; NULL before. */
    char *name;
    /* Include, redirect, question: what stands at name; NULL before. */
    const FoundRecord *found;
    guint first, count; /* the terms of found->record */
    /* mx: of DnsRecord, borrowed, in the order in which they are asked for; NULL before. */
    GPtrArray *hosts;
    guint voids;
    /* Evaluation reached the term. */
    bool is_begun;
    /* Evaluation came no further in this record, since the check ended at the term or below it. */
    bool is_end;
    bool is_match;
    /* Depends on the address, and was taken for no match. */
    bool is_assumed;
} CheckTerm;

/* Whether the result holds for more than the one address, for the proof over a network
 * (evaluation.c). */
typedef enum {
    CHECK_HOLDS,   /* for the whole network */
    CHECK_SPLITS,  /* a term tells addresses of the network apart */
    CHECK_DEPENDS, /* a term, the one at depending, depends on the address itself */
    CHECK_TIRES,   /* unknown: all evaluations together are too much work */
} CheckReach;

typedef struct {
    EvaluationContext *context;
    const EvaluationQuestion *question;
    const Network *network; /* what the result is wanted for */
    Network address;        /* its first address, which is evaluated */
    GArray *terms;          /* of CheckTerm */
    /* Names of the address for %{p}, borrowed; NULL before they are wanted. */
    GPtrArray *validated;
    guint begun; /* index of the term that evaluation reached last */
    guint lookups, voids, questions;
    guint32 ttl; /* the smallest so far; G_MAXUINT32 before the first answer */
    bool uses_sender;
    bool uses_host;
    CheckReach reach;
    guint depending; /* CHECK_DEPENDS: index of the term */
    /* A term that depends on the address, and that can only give a pass, counts as no match. The
     * result then holds for the addresses that no such term matches; the others pass. */
    bool assumes;
    guint assumed; /* index of the first such term; 0 if there is none */
    /* The check has ended: result is set, and reason if the result is an error. */
    bool is_forced;
    SpfResult result;
    char *reason;
} Check;

void check_init(Check *check, EvaluationContext *context, const EvaluationQuestion *question,
                const Network *network);
void check_clear(Check *check);
CheckTerm *check_term(const Check *check, guint index);

/*
 * The record that an include, a redirect or the question itself finds, in canonical form. Owned by
 * the caller; NULL if there is none, or if the result is forced.
 */
char *check_open_record(Check *check, guint index);

/* Returns whether this term (a, exists, ptr) matches. Always false if the result is forced. */
bool check_match(Check *check, guint index);

/* The number of hosts of an mx term, and whether one of them matches. */
guint check_hosts(Check *check, guint index);
bool check_match_host(Check *check, guint index, guint host);

/* Reads an address record, of type DNS_A or DNS_AAAA, as the network of length bits around it. An IPv4
 * address in an AAAA record stays IPv6: it is compared with IPv6 addresses only. */
bool check_network_of(const DnsRecord *record, DnsType type, guint8 length, Network *network);

/* Ends the check with result and a reason for people. The first such call counts. */
void check_force(Check *check, SpfResult result, const char *format, ...) G_GNUC_PRINTF(3, 4);
#endif
