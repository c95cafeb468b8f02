#ifndef SPFROM_LEDGER_LEDGER_REPORT_H
#define SPFROM_LEDGER_LEDGER_REPORT_H

#include <glib.h>
#include <stdbool.h>

#include "ledger/ledger.h"

/*
 * Questions to a ledger that was opened with ledger_open_read_only(). Periods are days, the first
 * and the last included: ledger_day_of(now) is today. All return NULL (or false) with error
 * (DATABASE_FAILURE) set if the file can't be read.
 */
typedef struct {
    guint32 from, to;
} LedgerPeriod;

/* days days that end with that of now. */
LedgerPeriod ledger_period_of(gint64 now, guint days);

/* Messages by action. */
typedef struct {
    guint64 by[LEDGER_ACTIONS];
} LedgerCounts;

/* Those that a decision was made for: all but inbound and local. */
guint64 ledger_counts_decided(const LedgerCounts *counts);
/* rewrite and would-rewrite. */
guint64 ledger_counts_rewritten(const LedgerCounts *counts);

typedef struct {
    guint32 day;
    LedgerCounts counts;
} LedgerDay;

/* One domain. Times are wall time in microseconds, 0: never. */
typedef struct {
    char *name;          /* or LEDGER_NO_DOMAIN, LEDGER_OTHER_DOMAINS */
    guint result;        /* of the message that was seen last in the period */
    LedgerCounts counts; /* of the period */
    guint64 returned;    /* messages of the period that came back to the domain's authors */
    guint64 by_dkim;     /* messages of the period whose author stayed for a DKIM key of ours */
    gint64 first, last;  /* seen, in the period or not */
    bool
        is_authorised; /* the last result that says anything was pass or LEDGER_DKIM (temperror says
                            nothing) */
    gint64
        authorised_since;  /* 0 unless is_authorised: the first pass after the last other result */
    bool was_unauthorised; /* before that: with is_authorised, its owner has mended the record */
    gint64 unauthorised_since; /* it was authorised and is not any more: the first other result
                                  after the last pass; else 0 */
    gint64 authorised_before;  /* with unauthorised_since: since when it had been; 0: not known */
} LedgerDomain;
void ledger_domain_free(LedgerDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerDomain, ledger_domain_free)

/* How many domains each list of a report has at most; the rest is left out. */
#define LEDGER_ALL G_MAXUINT
typedef struct {
    guint by_messages, by_rewritten, newly_authorised, no_longer_authorised;
} LedgerLimits;

/* The outgoing mail of a period, read in one pass. The lists are of LedgerDomain. */
typedef struct {
    GArray *days;                /* of LedgerDay: each day of the period, those without mail too */
    guint64 domains;             /* how many domains had mail, whatever the limits */
    guint64 by_dkim;             /* the messages of all domains' by_dkim */
    GPtrArray *by_messages;      /* most messages first */
    GPtrArray *by_rewritten;     /* most rewritten ones first, domains without any left out */
    GPtrArray *newly_authorised; /* authorised since a day of the period, and not before: the
                                    latest first */
    GPtrArray *no_longer_authorised; /* unauthorised since a day of the period: the latest first */
} LedgerReport;

LedgerReport *ledger_report_read(Ledger *ledger, LedgerPeriod period, const LedgerLimits *limits,
                                 GError **error);
void ledger_report_free(LedgerReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerReport, ledger_report_free)

/* The order of a list, each with what comes first unless is_reversed. */
typedef enum {
    LEDGER_BY_MESSAGES,  /* most messages */
    LEDGER_BY_REWRITTEN, /* most rewritten ones */
    LEDGER_BY_NAME,      /* a */
    LEDGER_BY_RESULT,    /* as in SpfResult */
    LEDGER_BY_LAST,      /* seen last */
} LedgerOrder;
#define LEDGER_ORDERS (LEDGER_BY_LAST + 1)

/* Which domains with outgoing mail are wanted, and which part of their list. */
typedef struct {
    /* NULL: all are. */
    bool (*wants)(const LedgerDomain *domain, gconstpointer data);
    gconstpointer data; /* for wants */
    LedgerOrder order;
    bool is_reversed;
    guint first; /* domains of the list that are left out before */
    guint limit; /* and how many follow at most */
} LedgerSearch;

typedef struct {
    guint64 seen;       /* domains that had mail */
    guint64 matching;   /* those that were wanted */
    GPtrArray *domains; /* of LedgerDomain: the part */
} LedgerFound;

LedgerFound *ledger_report_search(Ledger *ledger, LedgerPeriod period, const LedgerSearch *search,
                                  GError **error);
void ledger_found_free(LedgerFound *found);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerFound, ledger_found_free)

/* Returns one domain, or NULL: with error, or without if it was never seen. */
LedgerDomain *ledger_report_domain(Ledger *ledger, const char *name, LedgerPeriod period,
                                   GError **error);

/*
 * Returns the domain that somebody may have meant who typed name, which was never seen: one that
 * differs in a letter or two, of several the closest, of these the one that was seen last. NULL:
 * there is none, name was seen itself, or with error.
 */
char *ledger_report_similar(Ledger *ledger, const char *name, GError **error);

/* One day of one domain: messages by action, and by result. */
typedef struct {
    guint32 day;
    LedgerCounts counts;
    guint64 results[LEDGER_RESULTS];
    guint64 returned[RETURN_KINDS]; /* messages that came back, by ReturnKind */
} LedgerDomainDay;

/* Returns a GArray of LedgerDomainDay: the days of the period on which the domain was seen, or
 * something came back to it, the oldest first. */
GArray *ledger_report_history(Ledger *ledger, const char *name, LedgerPeriod period,
                              GError **error);
#endif
