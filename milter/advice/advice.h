#ifndef SPFROM_ADVICE_ADVICE_H
#define SPFROM_ADVICE_ADVICE_H

#include <glib.h>
#include <stdbool.h>

#include "advice/domain_check.h"
#include "advice/mail_providers.h"
#include "advice/words/point.h"
#include "policy/settings.h"
#include "dns/dns.h"

/*
 * What the owner of a domain should publish (design section 15), without a sentence in it: kind,
 * record and points say what letters and pages put in words.
 */
/* Where several fit, the first one counts. */
typedef enum {
    ADVICE_PROVIDER, /* a mail provider's domain: its users can't publish */
    ADVICE_UNKNOWN,  /* DNS trouble: try again */
    ADVICE_NODOMAIN, /* the domain does not exist */
    ADVICE_MERGE,    /* several SPF records, united */
    ADVICE_REPAIR,   /* an error in the record, mended */
    ADVICE_REDUCE,   /* too many look-ups, as it is or once extended */
    ADVICE_OK,       /* nothing to do */
    ADVICE_EXTEND,   /* one record, to which mechanisms are added */
    ADVICE_PUBLISH,  /* no record */
} AdviceKind;

/* "publish", "extend" … as in design section 15. */
const char *advice_kind_text(AdviceKind kind);

typedef struct {
    AdviceKind kind;
    bool has_unknown_relays; /* ADVICE_UNKNOWN: it is our relays that are not known */
    char *domain;            /* as in DomainCheck; A-label */
    char *organizational;    /* the domain that somebody registered: domain, or a parent of it */
    char *label;       /* where in the zone of organizational: "@", or "mail" of mail.example.org */
    bool is_subdomain; /* domain and organizational differ */
    char *record; /* what to publish, ASCII: proven, it passes for the whole relay set within the
                     limits. NULL: nothing is to be published, or nothing could be proven
                     (POINT_UNPROVEN) */
    char **added; /* the mechanisms in record that were not there before, in its order;
                     NULL-terminated, never NULL */
    char **found; /* the SPF records as found, made valid UTF-8; NULL-terminated, never NULL */
    GPtrArray *points;   /* of Point */
    char **name_servers; /* of organizational, lower case, sorted; NULL-terminated, never NULL */
} Advice;

/*
 * Works out what domain should publish, within check_timeout; every record is evaluated before it
 * is returned, with that one DNS answer replaced. What is not known by then is ADVICE_UNKNOWN.
 *
 * check      of the same settings and dns
 * providers  NULL: none
 * Returns new advice, freed with advice_free(); never NULL.
 */
Advice *advice_new(Settings *settings, Dns *dns, const DomainCheck *check,
                   const MailProviders *providers);
void advice_free(Advice *advice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Advice, advice_free)

/* The first point of that kind, or NULL. */
const Point *advice_point(const Advice *advice, PointKind kind);

const Point *advice_point_at(const Advice *advice, guint position);
#endif
