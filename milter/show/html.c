#include "config.h"

#include "show/html.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "show/assets.h"
#include "show/page.h"

void html_init(Html *html)
{
    html->text = g_string_new("<!DOCTYPE html>\n");
    html->open = g_ptr_array_new();
}

void html_clear(Html *html)
{
    if (html->text != NULL)
        g_string_free(html->text, TRUE);
    html->text = NULL;
    g_clear_pointer(&html->open, g_ptr_array_unref);
}

char *html_finish(Html *html)
{
    while (html->open->len > 0)
        html_close(html);
    g_string_append_c(html->text, '\n');
    return g_string_free(g_steal_pointer(&html->text), FALSE);
}

static void append(Html *html, const char *text, gsize length)
{
    g_autofree char *visible = page_safe(text, (gssize)length);
    g_autofree char *escaped = g_markup_escape_text(visible, -1);

    g_string_append(html->text, escaped);
}

static void begin(Html *html, const char *element, va_list attributes, const char *end)
{
    const char *name;

    g_string_append_c(html->text, '<');
    g_string_append(html->text, element);
    while ((name = va_arg(attributes, const char *)) != NULL) {
        const char *value = va_arg(attributes, const char *);

        if (value == NULL)
            continue;
        g_string_append_c(html->text, ' ');
        g_string_append(html->text, name);
        g_string_append(html->text, "=\"");
        append(html, value, strlen(value));
        g_string_append_c(html->text, '"');
    }
    g_string_append(html->text, end);
}

void html_open(Html *html, const char *element, ...)
{
    va_list attributes;

    va_start(attributes, element);
    begin(html, element, attributes, ">");
    va_end(attributes);
    g_ptr_array_add(html->open, (gpointer)element);
}

/* The slash means nothing in HTML, and ends the element in SVG. */
void html_empty(Html *html, const char *element, ...)
{
    va_list attributes;

    va_start(attributes, element);
    begin(html, element, attributes, "/>");
    va_end(attributes);
}

void html_close(Html *html)
{
    if (html->open->len == 0)
        return;
    g_string_append_printf(html->text, "</%s>",
                           (const char *)html->open->pdata[html->open->len - 1]);
    g_ptr_array_set_size(html->open, (gint)html->open->len - 1);
}

void html_element(Html *html, const char *element, const char *text, ...)
{
    va_list attributes;

    va_start(attributes, text);
    begin(html, element, attributes, ">");
    va_end(attributes);
    html_text(html, text);
    g_string_append_printf(html->text, "</%s>", element);
}

void html_text(Html *html, const char *text)
{
    append(html, text, strlen(text));
}

void html_lines(Html *html, const char *text)
{
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        append(html, text, (gsize)(end - text));
        g_string_append_c(html->text, '\n');
    }
    html_text(html, text);
}

void html_printf(Html *html, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    html_text(html, text);
}

void html_open_head(Html *html, const char *language, const char *title)
{
    html_open(html, "html", "lang", language, NULL);
    html_open(html, "head", NULL);
    html_empty(html, "meta", "charset", "utf-8", NULL);
    html_element(html, "title", title, NULL);
    html_empty(html, "meta", "name", "viewport", "content", "width=device-width, initial-scale=1",
               NULL);
    html_empty(html, "meta", "name", "color-scheme", "content", "light dark", NULL);
}

void html_add_style(Html *html)
{
    for (const Asset *asset = show_assets; asset->name != NULL; asset++)
        if (g_str_has_suffix(asset->name, ".css"))
            g_string_append_printf(html->text, "<style>\n%s</style>", asset->text);
}

void html_open_table(Html *html, const char *label)
{
    html_open(html, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-labelledby",
              label, NULL);
    html_open(html, "table", "class", "stack", "role", "table", "aria-labelledby", label, NULL);
    html_open(html, "thead", "role", "rowgroup", NULL);
    html_open(html, "tr", "role", "row", NULL);
}

void html_add_column(Html *html, const char *name, const char *class)
{
    html_element(html, "th", name, "scope", "col", "role", "columnheader", "class", class, NULL);
}

void html_open_column(Html *html, const char *class, const char *sort)
{
    html_open(html, "th", "scope", "col", "role", "columnheader", "class", class, "aria-sort", sort,
              NULL);
}

void html_end_columns(Html *html)
{
    html_close(html);
    html_close(html);
    html_open(html, "tbody", "role", "rowgroup", NULL);
}

void html_open_row(Html *html)
{
    html_open(html, "tr", "role", "row", NULL);
}

void html_open_row_heading(Html *html, const char *class)
{
    html_open(html, "th", "scope", "row", "role", "rowheader", "class", class, NULL);
}

void html_open_cell(Html *html, const char *column, const char *class)
{
    html_open(html, "td", "role", "cell", "data-column", column, "class", class, NULL);
}

void html_add_cell(Html *html, const char *column, const char *class, const char *text)
{
    html_open_cell(html, column, class);
    html_text(html, text);
    html_close(html);
}

void html_close_table(Html *html)
{
    html_close(html);
    html_close(html);
    html_close(html);
}
