#include "config.h"

#include "show/table.h"

void table_begin(Html *html, const char *label)
{
    html_open(html, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-labelledby",
              label, NULL);
    html_open(html, "table", "class", "stack", "role", "table", "aria-labelledby", label, NULL);
    html_open(html, "thead", "role", "rowgroup", NULL);
    html_open(html, "tr", "role", "row", NULL);
}

void table_add_column(Html *html, const char *name, const char *class)
{
    html_element(html, "th", name, "scope", "col", "role", "columnheader", "class", class, NULL);
}

void table_end_columns(Html *html)
{
    html_close(html);
    html_close(html);
    html_open(html, "tbody", "role", "rowgroup", NULL);
}

void table_open_row(Html *html)
{
    html_open(html, "tr", "role", "row", NULL);
}

void table_open_heading(Html *html, const char *class)
{
    html_open(html, "th", "scope", "row", "role", "rowheader", "class", class, NULL);
}

void table_open_cell(Html *html, const char *column, const char *class)
{
    html_open(html, "td", "role", "cell", "data-column", column, "class", class, NULL);
}

void table_add_cell(Html *html, const char *column, const char *class, const char *text)
{
    table_open_cell(html, column, class);
    html_text(html, text);
    html_close(html);
}

void table_end(Html *html)
{
    html_close(html);
    html_close(html);
    html_close(html);
}
