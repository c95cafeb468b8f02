#ifndef SPFROM_SHOW_VIEW_H
#define SPFROM_SHOW_VIEW_H

#include <glib.h>

#include "base/language.h"
#include "show/html.h"

/* For whom a page is made: what all pages need to know besides their data. */
typedef struct {
    const Language *language;
    const struct Request *request; /* for the links to the same in another language or over another time */
    gint64 now;             /* wall time */
} View;

/* text, which is English, in the language of view. */
const char *view_say(const View *view, const char *text);

/* "12,345" or "12.345"; "12.3 %". Owned by the caller, as those below. */
char *view_number(const View *view, guint64 number);
char *view_percent(const View *view, guint64 part, guint64 whole);

/* "31 Jan 2026" or "31.01.2026", without the year, and with hours and minutes; local time. */
char *view_date(const View *view, gint64 wall);
char *view_day(const View *view, gint64 wall);
char *view_time(const View *view, gint64 wall);
#endif
