#ifndef SPFROM_POLICY_VERDICT_H
#define SPFROM_POLICY_VERDICT_H

#include <glib.h>
#include <stdbool.h>

/* The results of check_host() (RFC 7208 section 2.6). */
typedef enum {
    SPF_NONE,
    SPF_NEUTRAL,
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_TEMPERROR,
    SPF_PERMERROR,
} SpfResult;

#define SPF_RESULTS (SPF_PERMERROR + 1)

/* "softfail" and so on. */
const char *spf_result_text(SpfResult result);
/* Returns whether text names a result, and sets it. */
bool spf_result_parse(const char *text, SpfResult *result);
/* Of two results of one domain, the one that decides (design section 12): permerror before
 * temperror … before pass. */
SpfResult spf_result_worse(SpfResult a, SpfResult b);

/* A set of results, as in rewrite_on and tempfail_on. */
typedef guint SpfResultSet;
#define SPF_RESULT_SET(result) (1u << (result))
bool spf_result_set_has(SpfResultSet set, SpfResult result);

/* Where a verdict came from, for log and metrics. */
typedef enum {
    VERDICT_SOURCE_HIT,   /* the cache */
    VERDICT_SOURCE_MISS,  /* evaluated for this caller */
    VERDICT_SOURCE_WAIT,  /* evaluated for another caller, which this one joined */
    VERDICT_SOURCE_STALE, /* an older one, since DNS has trouble */
    VERDICT_SOURCE_FLEET, /* another host of the fleet evaluated it */
    VERDICT_SOURCE_NONE,  /* nothing was looked up: domain_map, an exempt domain, no domain */
} VerdictSource;
const char *verdict_source_text(VerdictSource source);

/*
 * What SPF says of one domain for the whole relay set. Immutable once made, counted by reference,
 * shared by threads.
 */
typedef struct Verdict {
    gint refs; /* verdict_ref() and verdict_unref() only */
    SpfResult result;
    char *relay; /* the address or network that decided, as text; NULL: none did */
    /* the term that decided, as it stands in the record ("~all"); NULL: none did */
    char *mechanism;
    /* for people: why it is permerror, temperror or unproven; NULL if the result says it all */
    char *reason;
    /* reason without the names that were made of a local part; NULL if there are none in it */
    char *masked_reason;
    /* of a whole network, as a term depends on the address: not authorised, whatever result says */
    bool is_unproven;
    /* The selector by which our DKIM key is the domain's (dkim_consent): as an author it counts as
     * authorised, whatever result says, and as an envelope it does not. NULL: there is none. */
    char *dkim;
} Verdict;

/* Copies the texts, each of which may be NULL; masked_reason is NULL. Given back with
 * verdict_unref(). */
Verdict *verdict_new(SpfResult result, const char *relay, const char *mechanism,
                     const char *reason);
Verdict *verdict_ref(Verdict *verdict);
void verdict_unref(Verdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Verdict, verdict_unref)
#endif
