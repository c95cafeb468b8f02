#ifndef SPFROM_CLI_REPORT_TEXT_H
#define SPFROM_CLI_REPORT_TEXT_H

#include "show/page.h"
#include "show/report_data.h"

/* The report for people: what became of the messages, the days, the domains by volume. */
void report_text_add(Page *page, const ReportData *data);
#endif
