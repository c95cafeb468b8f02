#ifndef SPFROM_SHOW_REPORT_CHART_H
#define SPFROM_SHOW_REPORT_CHART_H

#include <glib.h>

/*
 * Charts as SVG. They stretch to the width of the page, so what is text stands beside them in HTML;
 * colours come from the style sheet (cli/report_style.h).
 */

/* A chart of days (LedgerDay): a column a day, kept, rewritten and refused on top of each other. */
void report_chart_days(GString *html, const GArray *days);

/* One bar, of the width whole. */
void report_chart_bar(GString *html, guint64 kept, guint64 rewritten, guint64 refused,
                      guint64 whole);
#endif
