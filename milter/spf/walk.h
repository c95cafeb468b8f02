#ifndef SPFROM_SPF_WALK_H
#define SPFROM_SPF_WALK_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"
#include "dns/dns.h"
#include "policy/verdict.h"
#include "spf/evaluation_context.h"
#include "spf/record.h"

/*
 * The walk over an SPF record and the records that its includes and redirects bring, for everything
 * that is asked about the record itself and not about one sender (that is evaluation_run()). It
 * goes the way of a sender that no term matches: through the terms of a record from left to right,
 * up to "all", then to its redirect. A visitor sees what comes and decides how far the walk goes.
 *
 * The walk itself has no limit but those of its EvaluationContext: a visitor has to stop at a
 * number of look-ups, or a record that includes itself never ends.
 */
typedef struct WalkTerm WalkTerm;
struct WalkTerm {
    /* The include or redirect that brought the record; NULL for terms of the domain's own. */
    const WalkTerm *opener;
    /* The domain of the record in which the term stands. */
    const char *domain;
    const Record *record;
    const RecordTerm *term;
    /* What a term with a look-up asks for. NULL if that depends on the sender (RFC 7208 section 7),
     * and for a term without a look-up. */
    const char *name;
};

typedef struct WalkVisitor WalkVisitor;

typedef struct {
    EvaluationContext *context;
    const WalkVisitor *visitor;
    gpointer data; /* the visitor's */
    guint lookups; /* terms with a look-up so far */
    guint32 ttl;   /* seconds: the smallest of all answers; G_MAXUINT32 before the first one */
    bool is_ended; /* a visitor sets it: nothing more is asked, and no term is reached */
} Walk;

struct WalkVisitor {
    /* The walk comes to a term. Returns whether to look at what it names: to look up its hosts, to
     * open its record. The walk ends a record at "all" whatever this returns. */
    bool (*reach)(Walk *walk, const WalkTerm *term);

    /* A term that was reached stands for this network, with its qualifier. May be NULL. */
    void (*network)(Walk *walk, const WalkTerm *term, const Network *network);

    /* DNS has answered a question on behalf of term. May be NULL.
     *
     * term    NULL for the record of the domain itself
     * answer  NULL if the name can't be asked for (macro_is_name()) */
    void (*answer)(Walk *walk, const WalkTerm *term, DnsType type, const DnsAnswer *answer);

    /* Something keeps a sender's evaluation from going on at term; unless the visitor ends it, the
     * walk goes on behind it.
     *
     * term    NULL for the record of the domain itself
     * result  what such a sender gets: SPF_TEMPERROR, SPF_PERMERROR, or SPF_NONE if the domain
     *         itself has no record
     * reason  English, for people */
    void (*problem)(Walk *walk, const WalkTerm *term, SpfResult result, const char *reason);

    /* All of the record that term, an include or redirect, brings has been seen. Called once for
     * each one that reach() wanted opened, also if there was no record, or the walk has ended. May
     * be NULL. */
    void (*leave)(Walk *walk, const WalkTerm *term);
};

void walk_init(Walk *walk, EvaluationContext *context, const WalkVisitor *visitor, gpointer data);

/* Looks the SPF record of domain up and walks over it. */
void walk_domain(Walk *walk, const char *domain);

/* Walks over a record that need not be published, or over one of its terms, as domain's. Its wrong
 * terms are passed over. */
void walk_record(Walk *walk, const char *domain, const Record *record);
void walk_term(Walk *walk, const char *domain, const Record *record, const RecordTerm *term);
#endif
