#ifndef SPFROM_ADVICE_RECORD_COST_H
#define SPFROM_ADVICE_RECORD_COST_H

#include <glib.h>
#include <stdbool.h>

#include "advice/record/draft.h"
#include "base/deadline.h"
#include "dns/dns.h"
#include "spf/record.h"

/*
 * What a record costs a sender that none of its terms matches: the most that it can cost anybody.
 * An evaluation for one relay ends as soon as a term decides (RFC 7208 section 4.6.4).
 */
#define COST_LOOKUPS_MAX 100 /* counted no further: a bomb of includes ends here */

typedef struct {
    Dns *dns;
    Deadline deadline;
    bool has_ip4, has_ip6; /* which families of senders count for void look-ups */
} CostMeter;

typedef struct {
    guint lookups;        /* those of includes and redirects among them */
    guint voids4, voids6; /* void ones for a sender by IPv4, by IPv6 */
    bool has_trouble;     /* DNS did not answer all: there may be more */
    bool is_void;         /* it finds nothing: it can match no address */
    char *broken; /* why an evaluation that reaches it ends in permerror, English; else NULL */
} Cost;

void cost_clear(Cost *cost);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cost, cost_clear)

/* The void look-ups that count for the meter's senders. */
guint cost_voids(const CostMeter *meter, const Cost *cost);
bool cost_is_over(const CostMeter *meter, const Cost *cost);

/* What one term of domain's own record costs; given back with cost_clear(). */
void cost_term(const CostMeter *meter, const char *domain, const Record *record,
               const RecordTerm *term, Cost *cost);

/*
 * What the whole record costs: its terms up to all, and the redirect. Beside all a redirect never
 * counts (RFC 7208 section 6.1), but some receivers count one look-up for it, and so does this.
 */
void cost_record(const CostMeter *meter, const char *domain, const Record *record, Cost *cost);

#define COST_NETWORKS_MAX 100 /* that may stand in the place of one term */

/*
 * The networks that a term of domain's own record stands for today, as terms that need no look-up,
 * with its qualifier; of a redirect those of the record there, and its all. NULL-terminated, owned
 * by the caller; NULL if they can't be told: exists, ptr, macros, too many, DNS trouble.
 */
char **cost_flatten(const CostMeter *meter, const char *domain, const DraftTerm *term);

/*
 * The networks of a term "mx" that names more mail servers than an evaluation may look up (RFC 7208
 * section 4.6.4), as terms with its qualifier. NULL-terminated, owned by the caller; empty if they
 * can't be told: DNS trouble, or too many. NULL if it is no such term. hosts is set to how many.
 */
char **cost_flatten_many_hosts(const CostMeter *meter, const char *domain, const DraftTerm *term,
                               guint *hosts);
#endif
