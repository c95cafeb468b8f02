#ifndef SPFROM_SHOW_CHART_H
#define SPFROM_SHOW_CHART_H

#include <glib.h>

#include "show/html.h"
#include "show/view.h"

/* What became of messages, as stacked bars: an SVG that the stylesheet colours, with its numbers as
 * a table for those who can't see it. */
typedef enum { CHART_KEPT, CHART_REWRITTEN, CHART_WOULD_REWRITE, CHART_REFUSED } ChartSeries;
#define CHART_SERIES (CHART_REFUSED + 1)

typedef struct {
    gint64 from; /* wall time: of a day, or of the first of several */
    guint64 counts[CHART_SERIES];
} ChartBar;

/*
 * bars   of ChartBar, the oldest first, a day each; so many that they would be too thin are drawn
 *        as weeks
 * title  of the chart
 */
void chart_add(Html *html, const View *view, const char *title, const GArray *bars);

/* A part of a whole as a small bar in a table's cell, which says nothing that is not there in
 * numbers too. */
void chart_add_share(Html *html, guint64 part, guint64 whole);
#endif
