#ifndef SPFROM_WEB_PARTS_H
#define SPFROM_WEB_PARTS_H

#include <glib.h>

#include "ledger/ledger_report.h"
#include "show/chart.h"
#include "show/html.h"
#include "show/view.h"
#include "web/request.h"

/* Parts of pages that more than one has. */

ChartBar parts_bar(guint32 day, const LedgerCounts *counts);

/* The links to the same over another time. */
void parts_add_periods(Html *html, const View *view);

/* A link to the domain's page; what is no domain of somebody's (see advice/ledger.h) is named. */
void parts_add_domain_link(Html *html, const View *view, const char *name);

/* A table of LedgerDomain. label: the id of its heading. */
void parts_add_domains(Html *html, const View *view, const GPtrArray *domains, const char *label);

/* An SPF result as a word in a colour; "unchecked" too. */
void parts_add_result(Html *html, const char *result);
#endif
