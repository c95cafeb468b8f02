#ifndef SPFROM_CLI_REPORT_CSV_H
#define SPFROM_CLI_REPORT_CSV_H

#include "show/report_data.h"

/*
 * The domains as CSV (RFC 4180) with a head line. A field that a spreadsheet would take for a
 * formula gets an apostrophe before it.
 */
char *report_csv(const ReportData *data);
#endif
