#ifndef SPFROM_ADVICE_LEDGER_REPORT_H
#define SPFROM_ADVICE_LEDGER_REPORT_H

#include <glib.h>
#include <stdbool.h>

#include "advice/ledger.h"

/*
 * Questions to a ledger that was opened with ledger_open_read_only(). Periods are days, the first
 * and the last included: ledger_day_of(now) is today. All return NULL (or false) with error
 * (LEDGER_FAILURE) set where the file can't be read.
 */
typedef struct {
    guint32 from, to;
} LedgerPeriod;

/* days days that end with that of now. */
LedgerPeriod ledger_period_of(gint64 now, guint days);

/* Messages by action. */
typedef struct {
    guint64 by[MESSAGE_ACTIONS];
} LedgerCounts;

/* Those that a decision was made for: all but inbound and local. */
guint64 ledger_counts_decided(const LedgerCounts *counts);
/* rewrite and would-rewrite. */
guint64 ledger_counts_rewritten(const LedgerCounts *counts);

typedef struct {
    guint32 day;
    LedgerCounts counts;
} LedgerDay;

/* Returns a GArray of LedgerDay: each day of the period, those without mail too. */
GArray *ledger_report_days(Ledger *ledger, LedgerPeriod period, GError **error);

/* One domain. Times are wall time in microseconds, 0: never. */
typedef struct {
    char *name;          /* or LEDGER_NO_DOMAIN, LEDGER_OTHER_DOMAINS */
    guint result;        /* of the message that was seen last in the period */
    LedgerCounts counts; /* of the period */
    gint64 first, last;  /* seen, in the period or not */
    bool is_authorised;  /* the last result that says anything was pass (temperror says nothing) */
    gint64
        authorised_since;  /* 0 unless is_authorised: the first pass after the last other result */
    bool was_unauthorised; /* before that: with is_authorised, its owner has mended the record */
} LedgerDomain;
void ledger_domain_free(LedgerDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerDomain, ledger_domain_free)

typedef enum {
    LEDGER_ORDER_MESSAGES,  /* most messages first */
    LEDGER_ORDER_REWRITTEN, /* most rewritten ones first, domains without any left out */
} LedgerOrder;

/* Returns the domains of the period's outgoing mail, at most limit (0: all): a GPtrArray of
 * LedgerDomain. */
GPtrArray *ledger_report_domains(Ledger *ledger, LedgerPeriod period, LedgerOrder order,
                                 guint limit, GError **error);

/* How many domains ledger_report_domains() has without a limit, in LEDGER_ORDER_MESSAGES. */
bool ledger_report_count(Ledger *ledger, LedgerPeriod period, guint64 *domains, GError **error);

/* Returns those that are authorised, since a day of the period, and were not before: the latest
 * first, at most limit (0: all). */
GPtrArray *ledger_report_newly_authorised(Ledger *ledger, LedgerPeriod period, guint limit,
                                          GError **error);

/* Returns one domain, or NULL: with error, or without where it was never seen. */
LedgerDomain *ledger_report_domain(Ledger *ledger, const char *name, LedgerPeriod period,
                                   GError **error);

/* One day of one domain: messages by action, and by result. */
typedef struct {
    guint32 day;
    LedgerCounts counts;
    guint64 results[LEDGER_RESULTS];
} LedgerDomainDay;

/* Returns a GArray of LedgerDomainDay: the days of the period on which the domain was seen, the
 * oldest first. */
GArray *ledger_report_history(Ledger *ledger, const char *name, LedgerPeriod period,
                              GError **error);
#endif
