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

char *paragraph_ascii(const char *text)
{
    GString *line = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        if (g_ascii_isprint(*text))
            g_string_append_c(line, *text);
        else
            g_string_append_printf(line, "\\x%02x", (guchar)*text);
    }
    return g_string_free(line, FALSE);
}

/*
 * May the character stand in a line of ours? Not one that can't be seen, joins others, or turns the
 * direction of what stands around it.
 */
static bool is_readable(gunichar character)
{
    switch (g_unichar_get_script(character)) {
    case G_UNICODE_SCRIPT_COMMON:
    case G_UNICODE_SCRIPT_LATIN:
    case G_UNICODE_SCRIPT_GREEK:
    case G_UNICODE_SCRIPT_CYRILLIC:
        break;
    default:
        return false;
    }
    switch (g_unichar_type(character)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_SPACING_MARK:
    case G_UNICODE_ENCLOSING_MARK:
    case G_UNICODE_NON_SPACING_MARK:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return false;
    case G_UNICODE_SPACE_SEPARATOR:
        return character == ' ';
    default:
        return true;
    }
}

static char *quoted(const char *text, gsize max)
{
    GString *line = g_string_new(NULL);
    gsize columns = 0, cut = 0; /* where what fits before "..." ends */

    for (const char *at = text != NULL ? text : ""; *at != '\0';) {
        gunichar character = g_utf8_get_char_validated(at, -1);
        const char *next = character < 0x110000 ? g_utf8_next_char(at) : at + 1;
        bool is_shown = character < 0x110000 && is_readable(character);

        columns += is_shown ? width_of(character) : strlen("\\xNN") * (gsize)(next - at);
        if (columns > max) {
            g_string_truncate(line, cut);
            g_string_append(line, "...");
            break;
        }
        for (; !is_shown && at < next; at++)
            g_string_append_printf(line, "\\x%02x", (guchar)*at);
        g_string_append_len(line, at, next - at);
        at = next;
        if (columns + strlen("...") <= max)
            cut = line->len;
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
