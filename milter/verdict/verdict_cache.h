#ifndef SPFROM_VERDICT_VERDICT_CACHE_H
#define SPFROM_VERDICT_VERDICT_CACHE_H

#include <glib.h>
#include <stdbool.h>

#include "policy/verdict.h"

/*
 * Verdicts by domain, or by address where a record asks for the sender. Bounded: the least recently
 * used goes first. It has no clock: callers bring monotonic time (base/clock.h).
 *
 * An entry is fresh for its TTL. After that it may still serve for a while, where DNS has trouble:
 * stale.
 *
 * Lock protocol: one mutex inside guards all of it. Each function takes it once, holds it for less
 * than a microsecond (verdict_cache_flush() of one domain: a look at every entry) and neither waits
 * nor calls a callback while it does.
 */
typedef struct VerdictCache VerdictCache;

/* Whom a verdict is about. */
typedef struct {
    const char *domain;     /* see base/domain_name.h */
    const char *local_part; /* at most VERDICT_KEY_LOCAL_PART_MAX octets count; NULL: every address
                               of domain */
} VerdictKey;

#define VERDICT_KEY_LOCAL_PART_MAX 64 /* octets, RFC 5321 section 4.5.3.1.1 */

typedef enum {
    VERDICT_CACHE_MISS,
    VERDICT_CACHE_FRESH,
    VERDICT_CACHE_STALE, /* and DNS had trouble just now: serve it, and don't ask */
} VerdictCacheOutcome;

typedef struct {
    VerdictCacheOutcome outcome;
    Verdict *verdict; /* a reference; with a MISS the stale one to serve should DNS have trouble, or
                         NULL */
    bool is_per_address; /* verdicts on this domain hold for one address only */
    bool
        should_renew; /* asked for often and soon over: evaluate it in the background. Said once. */
    gint64 fresh_until; /* of verdict; 0: there is none */
    guint epoch;        /* for verdict_cache_put() */
} VerdictCacheAnswer;

typedef struct {
    gint64 made;
    guint fresh; /* seconds from made */
    guint stale; /* seconds after that */
} VerdictLife;

/* How long a domain is left alone after DNS had trouble, and how long a temperror is kept (design
 * section 8). */
#define VERDICT_CACHE_QUIET 10 /* seconds */

/* Of at least 2 entries, since a verdict on one address needs two. Counted by reference. */
VerdictCache *verdict_cache_new(guint size);
VerdictCache *verdict_cache_ref(VerdictCache *cache);
void verdict_cache_unref(VerdictCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VerdictCache, verdict_cache_unref)

/* Looks up the address in key. The answer's verdict is given back with verdict_unref(). */
VerdictCacheAnswer verdict_cache_get(VerdictCache *cache, const VerdictKey *key, gint64 now);

/*
 * Keeps a reference of verdict, in place of what was there for key. Does nothing where
 * verdict_cache_flush() came after the verdict_cache_get() that said epoch: then verdict may rest
 * on what was to be forgotten.
 */
void verdict_cache_put(VerdictCache *cache, const VerdictKey *key, Verdict *verdict,
                       const VerdictLife *life, guint epoch);

/* DNS has trouble: what is there for key stays, and serves stale for VERDICT_CACHE_QUIET without
 * being asked for. */
void verdict_cache_postpone(VerdictCache *cache, const VerdictKey *key, gint64 now);

/* Forgets domain and what is below it; NULL: all. */
void verdict_cache_flush(VerdictCache *cache, const char *domain);

guint verdict_cache_count(VerdictCache *cache);
#endif
