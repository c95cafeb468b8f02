#ifndef SPFROM_CLI_REPORT_OUTPUT_H
#define SPFROM_CLI_REPORT_OUTPUT_H

#include <glib.h>
#include <jansson.h>

#include "base/language.h"
#include "ledger/ledger_report.h"
#include "show/page.h"

/* What `spfrom report` shows, in whatever form: all of it read at one moment. */
typedef struct {
    /* Wall time. */
    gint64 now;
    LedgerPeriod period;
    const LedgerReport *ledger;
} ReportData;

/* For people: what became of the messages, the days, the domains by volume. English. If the page has
 * too few columns for the table of domains, the days on which they were seen are left out. */
void report_output_add_text(Page *page, const ReportData *data);

/* The same of one domain: its days with mail, oldest first (ledger_report_history()). English. */
void report_output_add_history(Page *page, LedgerPeriod period, const LedgerDomain *domain,
                               const GArray *history);

/* A new object. */
json_t *report_output_json(const ReportData *data);

/*
 * The report as one HTML page, made of the same parts as the pages of the web. It has no scripts,
 * no links, and needs no other file. Owned by the caller.
 */
char *report_output_html(const ReportData *data, const Language *language);
#endif
