#ifndef SPFROM_CLI_REPORT_HTML_H
#define SPFROM_CLI_REPORT_HTML_H

#include "show/report_data.h"

/*
 * The report as one HTML page: no scripts, nothing from elsewhere, light and dark, readable on a
 * phone. Whatever is in the ledger is escaped.
 */
char *report_html(const ReportData *data);
#endif
