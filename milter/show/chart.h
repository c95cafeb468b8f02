#ifndef SPFROM_SHOW_CHART_H
#define SPFROM_SHOW_CHART_H

#include <glib.h>

#include "show/html.h"
#include "show/view.h"

/* What became of messages, as stacked bars: an SVG that the style sheet colours, and its numbers as
 * a table for readers who can't see it. */
typedef enum { CHART_KEPT, CHART_REWRITTEN, CHART_WOULD_REWRITE, CHART_REFUSED } ChartSeries;
#define CHART_SERIES (CHART_REFUSED + 1)

typedef struct {
    /* Wall time: the beginning of the day, or of the first of several. */
    gint64 from;
    guint64 counts[CHART_SERIES];
} ChartBar;

/*
 * bars   of ChartBar, the oldest first, a day each; drawn as weeks if days would be too thin
 * title  of the chart
 */
void chart_add(Html *html, const View *view, const char *title, const GArray *bars);

/* A part of a whole as a small bar in a table. It is decoration: the numbers must be in the table,
 * too. */
void chart_add_share(Html *html, guint64 part, guint64 whole);
#endif
