#ifndef SPFROM_WEB_LAYOUT_H
#define SPFROM_WEB_LAYOUT_H

#include "show/html.h"
#include "show/view.h"
#include "web/request.h"

/*
 * The frame of every page: head, links to the other pages, the search field, the choice of
 * language. The content comes between the two calls, as children of <main>.
 *
 * request  what the page answers; the links to the page in another language are made of it
 * title    of the page, without the program's name
 */
void layout_begin(Html *html, const View *view, const Request *request, const char *title);
/* Returns the whole page, owned by the caller. */
char *layout_end(Html *html, const View *view);

/* A page that says one thing, an error for example. detail may be NULL. */
char *layout_notice_page(const View *view, const Request *request, const char *title,
                         const char *text, const char *detail);

/* Links to the same page over other spans of time. */
void layout_periods(Html *html, const View *view, const Request *request);

/* There is no outgoing mail in the ledger for this time: says what to do next. */
void layout_nothing_seen(Html *html, const View *view);

/* A button that copies the text of the element source, which the script shows. */
void layout_copy_button(Html *html, const View *view, const char *source, const char *text);

/* A mode as a badge; mode may be NULL. class: "badge", or "result" for a small one. */
void layout_mode(Html *html, const char *mode, const char *class);

/* A box with a sentence in it; kind is "good", "bad", "doubtful" or "plain". */
void layout_notice(Html *html, const char *kind, const char *text, const char *detail);
#endif
