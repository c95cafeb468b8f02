#ifndef SPFROM_SHOW_TABLE_H
#define SPFROM_SHOW_TABLE_H

#include "show/html.h"

/*
 * Tables whose rows become small blocks where the screen is narrow: the heading of the row on a
 * line of its own, under it each cell behind the name of its column. A browser takes elements that
 * it lays out otherwise for no table any more, so their roles are written out (WAI-ARIA).
 */

/* label: the id of the heading that names the table */
void table_begin(Html *html, const char *label);
void table_add_column(Html *html, const char *name, const char *class);
void table_end_columns(Html *html);

/* A row: first its heading, then its cells; what is opened is closed by html_close(). */
void table_open_row(Html *html);
void table_open_heading(Html *html, const char *class);
void table_open_cell(Html *html, const char *column, const char *class);
/* A cell with text alone in it. */
void table_add_cell(Html *html, const char *column, const char *class, const char *text);

void table_end(Html *html);
#endif
