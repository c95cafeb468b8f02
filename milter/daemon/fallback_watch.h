#ifndef SPFROM_DAEMON_FALLBACK_WATCH_H
#define SPFROM_DAEMON_FALLBACK_WATCH_H

#include <glib.h>
#include <stdbool.h>

#include "policy/verdict.h"

/*
 * The own verdicts of the fallback address and of the return address, kept fresh. If its domain doesn't authorise the relays,
 * what is rewritten fares no better than what isn't. Only a proven pass counts, whatever rewrite_on
 * says. Looked up at the start, on a reload and every few minutes, and logged when it changes.
 *
 * Lock protocol: one lock inside guards the last verdict; it is not held while DNS is waited for.
 */
typedef enum {
    FALLBACK_UNKNOWN, /* not looked up yet, or DNS has trouble */
    FALLBACK_UNAUTHORISED,
    FALLBACK_AUTHORISED,
} FallbackState;

typedef struct {
    FallbackState state;
    char *address;
    Verdict *verdict; /* NULL: not looked up yet */
    gint64 checked;   /* wall time */
} FallbackVerdict;

void fallback_verdict_clear(FallbackVerdict *fallback);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FallbackVerdict, fallback_verdict_clear)

/* Starts the thread. Returns false if there can be none. */
bool fallback_watch_start(void);

/* Looks it up soon. */
void fallback_watch_wake(void);

/* Fills fallback with the last verdict, cleared by fallback_verdict_clear(). */
void fallback_watch_get(FallbackVerdict *fallback);

/* Of how many fallback addresses of sections and domain_map the domains are looked at, the first
 * ones of very many. */
#define FALLBACK_WATCH_OTHERS_MAX 1000
/* How many others are watched. Returns those whose domain does not authorise the relays, "address
 * (result)", the first ones of many; NULL-terminated, owned by the caller. */
char **fallback_watch_get_others(guint *watched, guint *unauthorised);

/* The same of return_address; address is NULL if there is none. */
void fallback_watch_get_return(FallbackVerdict *verdict);
#endif
