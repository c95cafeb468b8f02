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

/* For people: what became of the messages, the days, the domains by volume. English. */
void report_output_add_text(Page *page, const ReportData *data);

/*
 * The domains as CSV (RFC 4180) with a head line. A field that a spreadsheet would take for a
 * formula gets an apostrophe before it.
 */
char *report_output_csv(const ReportData *data);

/* A new object. */
json_t *report_output_json(const ReportData *data);

/*
 * The report as one HTML page, made of the parts that the web's pages are made of: no scripts,
 * nothing from elsewhere, no links.
 */
char *report_output_html(const ReportData *data, const Language *language);
#endif
