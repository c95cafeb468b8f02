#ifndef SPFROM_SHOW_VIEW_H
#define SPFROM_SHOW_VIEW_H

#include <glib.h>
#include <stdbool.h>

#include "base/language.h"

/* The reader of a page: what all of its parts need to know besides their data. */
typedef struct {
    /* NULL: English. */
    const Language *language;
    /* Wall time. */
    gint64 now;
    /*
     * Returns the link to the page of a domain, owned by the caller. NULL if the page stands alone:
     * then a domain's name is text.
     */
    char *(*domain_link)(const char *domain);
    /* The host is one of a fleet, whose page is linked to. */
    bool has_fleet;
    /* `spfrom watch` has run, and the page of changes is linked to. */
    bool has_changes;
    /* Letters were sent, and their page is linked to. */
    bool has_letters;
} View;

/* Returns the English text in the language of view. */
const char *view_say(const View *view, const char *text);

/* "12,345" or "12.345"; "12.3 %" or "12,3 %". Owned by the caller, as are those below. */
char *view_number(const View *view, guint64 number);
char *view_percent(const View *view, guint64 part, guint64 whole);

/*
 * Local time: "31 Jan 2026" or "31.01.2026"; "31 Jan" or "31.01."; "31 Jan 2026, 23:59" or
 * "31.01.2026, 23:59".
 */
char *view_date(const View *view, gint64 wall);
char *view_day(const View *view, gint64 wall);
char *view_time(const View *view, gint64 wall);
#endif
