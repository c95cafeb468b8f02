#ifndef SPFROM_SHOW_PAGE_H
#define SPFROM_SHOW_PAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

/* Text for people while it is put together: with colours for a terminal, else without. */
typedef struct {
    GString *text;
    bool has_colour;
    /* For a table that has columns to spare: see page_columns(). 0: they don't matter. */
    gsize columns;
} Page;

typedef enum { PAGE_PLAIN, PAGE_STRONG, PAGE_GOOD, PAGE_BAD, PAGE_DOUBTFUL, PAGE_FAINT } PageStyle;

void page_init(Page *page, bool has_colour);
void page_clear(Page *page);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Page, page_clear)

/* Appends text from anyone, made visible by page_safe(). */
void page_add(Page *page, PageStyle style, const char *text);
void page_printf(Page *page, PageStyle style, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Appends text, then blanks up to width columns, one column a character. */
void page_add_padded(Page *page, PageStyle style, const char *text, guint width);

/* Appends our own text as it is: line ends, characters of trees. */
void page_raw(Page *page, PageStyle style, const char *text);

/*
 * The text with lines of more than so many columns broken at blanks; they go on below the text
 * behind their label. What is there to be copied stays whole: a word that is longer, a line without
 * a label that is an SPF record, and one that mends something ("mend: …"). Owned by the caller.
 */
char *page_folded(const Page *page, gsize columns);

/* The columns that lines to stream should have: 79, or those of the terminal if it is wider; 0 if
 * it is no terminal, or one of unknown size: then no line is broken. */
gsize page_columns(FILE *stream);

/* Writes the page to stream, folded to its page_columns(). */
void page_print(const Page *page, FILE *stream);

/* True if stream is a terminal that shows colours, and its user wants them (NO_COLOR, TERM=dumb).
 * */
bool page_wants_colour(FILE *stream);

/*
 * Returns text, owned by the caller, with everything in it made visible that could move a
 * terminal's cursor, hide text or turn its direction: controls as \x1b (a tab stays), other
 * invisible characters as \u202e, octets that are not UTF-8 as \xff. For HTML pages too.
 *
 * length  octets of text, NULs allowed; -1: up to its NUL
 */
char *page_safe(const char *text, gssize length);

/*
 * Writes octets of a message to stream as they are. If stream is a terminal, each line goes through
 * page_safe(). The caller asks ferror(stream) for errors.
 */
void page_write_octets(FILE *stream, const char *octets, gsize length);

/* A span as people read it, in its two largest units: "42s", "5m 10s", "2h", "3d 4h". A negative
 * one counts as 0. Owned by the caller. */
char *page_span(gint64 seconds);

/*
 * A time with how long ago it was, or will be, seen from now (seconds since 1970):
 * "2026-01-31T23:59:59Z (5m 10s ago)", "... (in 2h)". Owned by the caller. Text that is not a time
 * stays as it is.
 */
char *page_relative_time(const char *text, gint64 now);
#endif
