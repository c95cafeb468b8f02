#include "config.h"

#include "show/page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

static const char *const style_codes[] = {
    [PAGE_PLAIN] = "",   [PAGE_STRONG] = "1",      [PAGE_GOOD] = "1;32",
    [PAGE_BAD] = "1;31", [PAGE_DOUBTFUL] = "1;33", [PAGE_FAINT] = "2"};

void page_init(Page *page, bool has_colour)
{
    page->text = g_string_new(NULL);
    page->has_colour = has_colour;
    page->columns = 0;
}

void page_clear(Page *page)
{
    g_string_free(page->text, TRUE);
}

void page_raw(Page *page, PageStyle style, const char *text)
{
    if (page->has_colour && style != PAGE_PLAIN && *text != '\0')
        g_string_append_printf(page->text, "\033[%sm%s\033[0m", style_codes[style], text);
    else
        g_string_append(page->text, text);
}

void page_add(Page *page, PageStyle style, const char *text)
{
    g_autofree char *safe = page_safe(text, -1);

    page_raw(page, style, safe);
}

void page_printf(Page *page, PageStyle style, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    page_add(page, style, text);
}

void page_add_padded(Page *page, PageStyle style, const char *text, guint width)
{
    g_autofree char *safe = page_safe(text, -1);
    glong columns = g_utf8_strlen(safe, -1);

    page_raw(page, style, safe);
    for (; columns < (glong)width; columns++)
        g_string_append_c(page->text, ' ');
}

bool page_wants_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    if (!isatty(fileno(stream)) || (no_colour != NULL && no_colour[0] != '\0'))
        return false;
    return terminal != NULL && strcmp(terminal, "dumb") != 0;
}

static bool is_visible(gunichar character)
{
    GUnicodeType type = g_unichar_type(character);

    return g_unichar_isprint(character) && type != G_UNICODE_LINE_SEPARATOR &&
           type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

char *page_safe(const char *text, gssize length)
{
    const char *at = text;
    const char *end = text + (length >= 0 ? (gsize)length : strlen(text));
    GString *visible = g_string_sized_new((gsize)(end - at));

    while (at < end) {
        gunichar character = g_utf8_get_char_validated(at, end - at);

        if (*at == '\0' || character >= 0x110000) {
            g_string_append_printf(visible, "\\x%02x", (guint8)*at++);
            continue;
        }
        if (is_visible(character) || character == '\t')
            g_string_append_unichar(visible, character);
        else
            g_string_append_printf(visible, character < 0x80 ? "\\x%02x" : "\\u%04x", character);
        at = g_utf8_next_char(at);
    }
    return g_string_free(visible, FALSE);
}

static void write_line(FILE *stream, const char *line, gsize length, bool is_ended)
{
    g_autofree char *safe = NULL;

    if (is_ended && length > 0 && line[length - 1] == '\r')
        length--;
    safe = page_safe(line, (gssize)length);
    fputs(safe, stream);
    if (is_ended)
        putc('\n', stream);
}

void page_write_octets(FILE *stream, const char *octets, gsize length)
{
    const char *end = octets + length;

    if (!isatty(fileno(stream))) {
        fwrite(octets, 1, length, stream);
        return;
    }
    while (octets < end) {
        const char *line_end = memchr(octets, '\n', (gsize)(end - octets));
        const char *next = line_end != NULL ? line_end + 1 : end;

        write_line(stream, octets, (gsize)((line_end != NULL ? line_end : end) - octets),
                   line_end != NULL);
        octets = next;
    }
}

char *page_span(gint64 seconds)
{
    static const struct {
        gint64 seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    size_t first = 0;
    gint64 left = MAX(seconds, 0);
    gint64 second;

    while (first + 1 < G_N_ELEMENTS(units) && left < units[first].seconds)
        first++;
    if (first + 1 == G_N_ELEMENTS(units))
        return g_strdup_printf("%" G_GINT64_FORMAT "s", left);
    second = left % units[first].seconds / units[first + 1].seconds;
    left /= units[first].seconds;
    if (second == 0)
        return g_strdup_printf("%" G_GINT64_FORMAT "%s", left, units[first].name);
    return g_strdup_printf("%" G_GINT64_FORMAT "%s %" G_GINT64_FORMAT "%s", left, units[first].name,
                           second, units[first + 1].name);
}

char *page_relative_time(const char *text, gint64 now)
{
    gint64 time = clock_rfc3339_parse(text) / CLOCK_SECOND;
    g_autofree char *span = page_span(ABS(now - time));

    if (time == 0)
        return g_strdup(text != NULL ? text : "-");
    return time > now ? g_strdup_printf("%s (in %s)", text, span)
                      : g_strdup_printf("%s (%s ago)", text, span);
}

#define COLUMNS 79
#define INDENT_MAX 30 /* columns of a label; a wider one is none */

/* Octets of a colour's escape sequence at text; 0: there is none. */
static gsize escape_length(const char *text)
{
    return text[0] == '\033' && text[1] == '[' ? strcspn(text, "m") + 1 : 0;
}

/* Where the text behind the label of a line begins: behind the first blanks, two or more, that stand
 * behind a word. */
static gsize label_width(const char *line, const char *end)
{
    gsize column = 0;
    gsize blanks = 0;
    bool has_word = false;

    while (line < end && column < INDENT_MAX) {
        gsize escape = escape_length(line);

        if (escape > 0) {
            line += MIN(escape, (gsize)(end - line));
            continue;
        }
        if (*line != ' ' && has_word && blanks > 1)
            return column;
        blanks = *line == ' ' ? blanks + 1 : 0;
        has_word = has_word || *line != ' ';
        if (*line == ' ' && !has_word && column >= 4)
            has_word = true; /* a line that goes on without a label */
        line = g_utf8_next_char(line);
        column++;
    }
    return 2;
}

static void fold_line(GString *text, const char *line, const char *end, gsize columns)
{
    gsize indent = label_width(line, end);
    gsize column = 0;
    gsize break_at = 0; /* in text, of the last blank; 0: none */
    gsize since = 0;    /* columns behind it */

    while (line < end) {
        gsize escape = escape_length(line);
        const char *next = escape > 0 ? MIN(line + escape, end) : g_utf8_next_char(line);

        if (*line == ' ' && column > indent) {
            break_at = text->len;
            since = 0;
        }
        g_string_append_len(text, line, next - line);
        line = next;
        if (escape > 0)
            continue;
        column++;
        since++;
        if (column > columns && break_at > 0) {
            g_autofree char *blanks = g_strnfill(indent, ' ');

            text->str[break_at] = '\n';
            g_string_insert(text, (gssize)break_at + 1, blanks);
            column = indent + since - 1;
            break_at = 0;
        }
    }
}

/* A record, or what mends something: a command, a line for the DNS. */
static bool is_to_be_copied(const char *line)
{
    const char *text = line + strspn(line, " ");

    return g_str_has_prefix(line + escape_length(line), "v=spf1") ||
           g_str_has_prefix(text, "mend: ") || g_str_has_prefix(text, "do: publish in the DNS: ");
}

char *page_folded(const Page *page, gsize columns)
{
    GString *text = g_string_sized_new(page->text->len + 256);
    const char *line = page->text->str;

    while (*line != '\0') {
        const char *end = strchrnul(line, '\n');

        if (is_to_be_copied(line))
            g_string_append_len(text, line, end - line);
        else
            fold_line(text, line, end, columns);
        if (*end == '\n')
            g_string_append_c(text, *end++);
        line = end;
    }
    return g_string_free(text, FALSE);
}

gsize page_columns(FILE *stream)
{
    struct winsize size = {.ws_col = 0};

    if (!isatty(fileno(stream)) || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col > 0 ? MAX(size.ws_col, COLUMNS) : 0;
}

void page_print(const Page *page, FILE *stream)
{
    gsize columns = page_columns(stream);
    g_autofree char *folded = columns > 0 ? page_folded(page, columns) : NULL;

    fputs(folded != NULL ? folded : page->text->str, stream);
}
