#ifndef SPFROM_WEB_REQUEST_H
#define SPFROM_WEB_REQUEST_H

#include <glib.h>
#include <stdbool.h>

#include "advice/advice.h"
#include "ledger/ledger_report.h"

/* What a request target (RFC 9112 section 3.2) asks for; all that can be asked is here. */
typedef enum {
    ROUTE_OVERVIEW, /* /             days */
    ROUTE_DOMAINS,  /* /domains?q=   subject: NULL, or what the names have in them; days, list */
    ROUTE_CSV,      /* /domains.csv  the same, all pages of it */
    ROUTE_FLEET,    /* /fleet */
    ROUTE_CHANGES,  /* /changes */
    ROUTE_LETTERS,  /* /letters */
    ROUTE_DOMAIN,   /* /domain/NAME  subject: a name, or any other text */
    ROUTE_LETTER,   /* /letter/NAME  subject: the same */
    ROUTE_SEARCH,   /* /search?q=    subject: what was typed, maybe "" */
    ROUTE_METRICS,  /* /metrics      has_up */
    ROUTE_HEALTH,   /* /healthz */
    ROUTE_ASSET,    /* /assets/NAME  subject */
    ROUTE_NOTHING,
} Route;

/* Octets of a target and of its subject. More is answered with 414. */
#define REQUEST_TARGET_MAX 4096
#define REQUEST_SUBJECT_MAX 1024

/* Which part of the list of domains is asked for. */
typedef struct {
    /* ?result=: of LEDGER_RESULTS; LEDGER_RESULTS: any. */
    guint result;
    /* ?advice=; ADVICE_KINDS: any. */
    AdviceKind advice;
    /* ?sort=messages, or the other way round ?sort=-messages. */
    LedgerOrder order;
    bool is_reversed;
    /* ?page=, from 1. */
    guint page;
} RequestList;

#define REQUEST_PAGE_MAX 1000000

/* The word for an order in ?sort=. */
const char *request_order_text(LedgerOrder order);

typedef struct {
    Route route;
    /* Decoded; any octets but NUL. NULL if the route has none. */
    char *subject;
    /* The subject has more than REQUEST_SUBJECT_MAX octets. */
    bool is_too_long;
    /* ?lang=: one of language_codes, else NULL. */
    const char *language;
    /* ?days=: one of REQUEST_DAYS, the first by default. */
    guint days;
    RequestList list;
    /* /metrics in Prometheus' older format, see request_note_accept(). */
    bool is_prometheus;
    /* /metrics?up=1: with spfrom_up, and never an error. */
    bool has_up;
} Request;

#define REQUEST_DAYS                                                                               \
    {                                                                                              \
        30, 7, 90, 365                                                                             \
    }

/* Reads a target. Never NULL: a target that is not ours is ROUTE_NOTHING. Freed with
 * request_free(). */
Request *request_parse(const char *target);
void request_free(Request *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Request, request_free)

/* Reads an Accept field (RFC 9110 section 12.5.1; NULL: none): a scraper that names plain text and
 * not OpenMetrics gets Prometheus' older format. */
void request_note_accept(Request *request, const char *accept);

/* The target of a domain's page, owned by the caller. */
char *request_domain_target(const char *domain);

/* The target that asks for the same in another language (or NULL: without one) and over so many
 * days, owned by the caller. */
char *request_target(const Request *request, const char *language, guint days);

/* Which of language_codes (base/language.h) the reader wants. */

/* Returns the code that an Accept-Language field (RFC 9110 section 12.5.4) likes best; English
 * if accepted is NULL or names none of ours. */
const char *request_language_negotiate(const char *accepted);

/* Returns the code in the Cookie field that request_language_cookie() made; NULL if there is
 * none. */
const char *request_language_of_cookies(const char *cookies);

/* Returns the value of a Set-Cookie field that keeps code for a year, owned by the caller. */
char *request_language_cookie(const char *code);
#endif
