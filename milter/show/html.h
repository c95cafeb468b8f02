#ifndef SPFROM_SHOW_HTML_H
#define SPFROM_SHOW_HTML_H

#include <glib.h>

/*
 * The one writer of HTML and of the SVG in it. It opens and closes elements and escapes text and
 * the values of attributes, and there is no way around it: a page is well-formed whatever a record
 * or a name holds. Names of elements and attributes are the program's own words.
 */
typedef struct {
    GString *text;
    /* Of const char *: the elements that are open. */
    GPtrArray *open;
} Html;

/* Writes the document type. */
void html_init(Html *html);
void html_clear(Html *html);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Html, html_clear)

/* Opens <html> and <head> with what each page of ours has in it; the caller closes them. */
void html_open_head(Html *html, const char *language, const char *title);

/* The style sheet of all pages within this one, so that it needs no other file. */
void html_add_style(Html *html);

/* Closes what is open. Returns the page, owned by the caller, who clears html. */
char *html_finish(Html *html);

/*
 * Opens an element with its attributes: pairs of name and value up to a NULL. A pair whose value is
 * NULL is left out. An attribute without a value gets "".
 */
void html_open(Html *html, const char *element, ...) G_GNUC_NULL_TERMINATED;

/* Writes an element without content and end: input, meta, rect. */
void html_empty(Html *html, const char *element, ...) G_GNUC_NULL_TERMINATED;

/* Closes the element that was opened last. */
void html_close(Html *html);

/* Writes an element with nothing but text in it. */
void html_element(Html *html, const char *element, const char *text, ...) G_GNUC_NULL_TERMINATED;

/*
 * Writes text from anyone. Octets that are not UTF-8, controls, and characters that hide text or
 * turn its direction become visible (page_safe()). So do line ends, but html_lines() keeps
 * an LF.
 */
void html_text(Html *html, const char *text);
void html_lines(Html *html, const char *text);
void html_printf(Html *html, const char *format, ...) G_GNUC_PRINTF(2, 3);

/*
 * Tables whose rows become small blocks if the screen is narrow: the heading of the row on a line
 * of its own, under it each cell behind the name of its column. A browser no longer takes elements
 * for a table that it lays out otherwise, so their roles are written out (WAI-ARIA).
 *
 * First come the columns, then the rows, each with its heading and its cells.
 *
 * label  the id of the heading that names the table
 * class  may be NULL
 */
void html_open_table(Html *html, const char *label);
void html_add_column(Html *html, const char *name, const char *class);

/* A column whose name the caller writes and closes. sort: "ascending" or "descending", NULL: the
 * table is not sorted by it. */
void html_open_column(Html *html, const char *class, const char *sort);
void html_end_columns(Html *html);
void html_close_table(Html *html);

/* Closed by html_close(). */
void html_open_row(Html *html);
void html_open_row_heading(Html *html, const char *class);
void html_open_cell(Html *html, const char *column, const char *class);

/* A cell with nothing but text in it. */
void html_add_cell(Html *html, const char *column, const char *class, const char *text);
#endif
