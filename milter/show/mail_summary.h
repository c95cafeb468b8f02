#ifndef SPFROM_SHOW_MAIL_SUMMARY_H
#define SPFROM_SHOW_MAIL_SUMMARY_H

#include <glib.h>

#include "ledger/ledger_report.h"
#include "show/chart.h"
#include "show/html.h"
#include "show/view.h"

/* What the ledger knows of outgoing mail, as parts of the web's pages and of `spfrom report
 * --html`. */

typedef enum {
    /* For a page that links to more. */
    MAIL_SUMMARY_SHORT = 1,
    /* For a page that stands alone. */
    MAIL_SUMMARY_FULL = 2,
} MailSummaryDetail;

/* The sum of the days, which are of LedgerDay. */
LedgerCounts mail_summary_total(const GArray *days);

/* A number with its title; detail may be NULL. */
void mail_summary_add_tile(Html *html, const char *title, const char *number, const char *detail);

/* The tiles of a report, as children of the element that is open. */
void mail_summary_add_tiles(Html *html, const View *view, const LedgerReport *report,
                            MailSummaryDetail detail);

/* A bar of a chart: the messages of a day. */
ChartBar mail_summary_bar(guint32 day, const LedgerCounts *counts);

/* A chart of the days, which are of LedgerDay. */
void mail_summary_add_chart(Html *html, const View *view, const GArray *days);

/* The name of a domain, with a link if view has links. Mail without a domain is named in words. */
void mail_summary_add_domain_name(Html *html, const View *view, const char *name);

/* An SPF result as a word in a colour, and a result of the ledger. */
void mail_summary_add_result(Html *html, const char *result);
void mail_summary_add_ledger_result(Html *html, const View *view, guint result);

/* The word for a result of the ledger: those of SPF are the same in all languages. */
const char *mail_summary_result_text(const View *view, guint result);

/*
 * A table of domains, which are of LedgerDomain.
 *
 * label  the id of the heading that names the table
 */
void mail_summary_add_domains(Html *html, const View *view, const GPtrArray *domains,
                              const char *label, MailSummaryDetail detail);

/* A section with the first max of the newly authorised domains, which are of LedgerDomain. */
void mail_summary_add_authorised(Html *html, const View *view, const GPtrArray *domains, guint max);

/* The same of the domains that are no longer authorised; nothing if there is none. */
void mail_summary_add_broken(Html *html, const View *view, const GPtrArray *domains, guint max);

/* "No longer authorised since 31 Jan 2026, before that since 1 Jan 2026.": owned by the caller. */
char *mail_summary_broken_text(const View *view, const LedgerDomain *domain);
#endif
