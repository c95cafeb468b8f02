#include "config.h"

#include "show/paragraph.h"

#include <stdbool.h>
#include <string.h>

#include "base/domain_name.h"

static gsize width_of(gunichar character)
{
    if (g_unichar_iszerowidth(character))
        return 0;
    return g_unichar_iswide(character) ? 2 : 1;
}

/* The state of a page while paragraph_append() adds lines. */
typedef struct {
    GString *page;
    const char *others;
    gsize column;
    /* The line has nothing but its prefix. */
    bool is_empty;
} Line;

static void break_line(Line *line)
{
    g_string_append_c(line->page, '\n');
    g_string_append(line->page, line->others);
    line->column = strlen(line->others);
    line->is_empty = true;
}

static void put_character(Line *line, const char *at)
{
    gsize width = width_of(g_utf8_get_char(at));

    if (line->column + width > PARAGRAPH_WIDTH)
        break_line(line);
    g_string_append_len(line->page, at, g_utf8_next_char(at) - at);
    line->column += width;
    line->is_empty = false;
}

static void put_word(Line *line, const char *word, gsize length)
{
    gsize width = 0;

    for (const char *at = word; at < word + length; at = g_utf8_next_char(at))
        width += width_of(g_utf8_get_char(at));
    if (!line->is_empty && line->column + 1 + width > PARAGRAPH_WIDTH)
        break_line(line);
    else if (!line->is_empty)
        put_character(line, " ");
    for (const char *at = word; at < word + length; at = g_utf8_next_char(at))
        put_character(line, at);
}

void paragraph_append(GString *page, const char *text, const char *first, const char *others)
{
    Line line = {.page = page, .others = others, .column = strlen(first), .is_empty = true};

    g_string_append(page, first);
    while (*(text += strspn(text, " ")) != '\0') {
        gsize length = strcspn(text, " ");

        put_word(&line, text, length);
        text += length;
    }
    g_string_append_c(page, '\n');
}

/* Appends text as ASCII to line until line has max octets or more. */
static void append_ascii(GString *line, const char *text, gsize max)
{
    for (; *text != '\0' && line->len < max; text++) {
        if (g_ascii_isprint(*text))
            g_string_append_c(line, *text);
        else
            g_string_append_printf(line, "\\x%02x", (guchar)*text);
    }
}

char *paragraph_ascii(const char *text)
{
    GString *line = g_string_new(NULL);

    append_ascii(line, text, G_MAXSIZE);
    return g_string_free(line, FALSE);
}

static char *quoted(const char *text, gsize max)
{
    GString *line = g_string_new(NULL);

    append_ascii(line, text != NULL ? text : "", max + 1);
    if (line->len > max) {
        g_string_truncate(line, max - strlen("..."));
        g_string_append(line, "...");
    }
    return g_string_free(line, FALSE);
}

char *paragraph_quoted(const char *text)
{
    return quoted(text, PARAGRAPH_QUOTED_MAX);
}

char *paragraph_record(const char *text)
{
    return quoted(text, PARAGRAPH_RECORD_MAX);
}

char *paragraph_domain(const char *domain)
{
    char *shown = domain_name_shown(domain);

    return shown != NULL ? shown : paragraph_quoted(domain);
}
