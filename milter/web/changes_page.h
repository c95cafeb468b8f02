#ifndef SPFROM_WEB_CHANGES_PAGE_H
#define SPFROM_WEB_CHANGES_PAGE_H

#include "advice/watch_rows.h"
#include "show/view.h"
#include "web/request.h"

/* Changes on the page, and the days after which one is not shown any more. */
#define CHANGES_PAGE_MAX 200
#define CHANGES_PAGE_DAYS 400

/*
 * What `spfrom watch` found at the domains (design section 21), and when.
 *
 * summary  what its last run saw; broken since WATCH_BROKEN_DAYS ago
 * changes  of WatchChange, the latest first; NULL with problem, which says why they can't be read
 */
char *changes_page(const View *view, const Request *request, const WatchSummary *summary,
                   const GPtrArray *changes, const char *problem);
#endif
