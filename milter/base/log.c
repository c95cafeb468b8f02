#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/log_output.h"
#include "base/log_queue.h"

static gint log_level = LOG_INFO; /* by g_atomic_int_*() only */

void log_open(const char *program, LogTarget target, int level)
{
    log_output_open(program, target);
    log_set_level(level);
}

void log_set_level(int level)
{
    g_atomic_int_set(&log_level, level);
}

bool log_is_enabled(int level)
{
    return level <= g_atomic_int_get(&log_level);
}

/*
 * Would character, written as it is, change what a reader of the line sees beyond itself: controls
 * (C0, DEL, C1), line and paragraph separators, and the invisible ones (zero-width, bidi marks and
 * overrides)?
 */
static bool is_control(gunichar character)
{
    switch (g_unichar_type(character)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_UNASSIGNED:
        return true;
    default:
        return false;
    }
}

/*
 * The number of octets of the character at text, which is not empty, of which left are there; 0
 * where it is no UTF-8 or a control.
 */
static gsize shown_octets(const char *text, gsize left)
{
    gunichar character;

    if (g_ascii_isprint(*text))
        return 1;
    character = g_utf8_get_char_validated(text, (gssize)left);
    if (character == (gunichar)-1 || character == (gunichar)-2 || is_control(character))
        return 0;
    return (gsize)(g_utf8_next_char(text) - text);
}

/* Puts a "?" in place of each octet that can't be shown, and of a character that was cut at the
 * end. */
static void mask_controls(char *text)
{
    gsize left = strlen(text);

    while (left > 0) {
        gsize octets = shown_octets(text, left);

        if (octets == 0) {
            *text = '?';
            octets = 1;
        }
        text += octets;
        left -= octets;
    }
}

G_GNUC_PRINTF(2, 0) static void write_line(int level, const char *format, va_list arguments)
{
    char text[LOG_LINE_MAX];

    if (!log_is_enabled(level))
        return;
    g_vsnprintf(text, sizeof text, format, arguments);
    mask_controls(text);
    log_queue_put(level, text);
}

void log_write(int level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(level, format, arguments);
    va_end(arguments);
}

/*
 * What libmilter and others say by syslog(3), which waits for a daemon that does not read. These
 * take the C library's place, since names of the program go before those of libraries.
 */
void log_write_library(int priority, const char *format, ...) __asm__("syslog") G_GNUC_PRINTF(2, 3);
void log_write_library_checked(int priority, int flag, const char *format,
                               ...) __asm__("__syslog_chk") G_GNUC_PRINTF(3, 4);

G_GNUC_PRINTF(2, 0)
static void write_library_line(int priority, const char *format, va_list arguments)
{
    int error = errno;

    write_line(LOG_PRI(priority), format, arguments);
    errno = error;
}

void log_write_library(int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_library_line(priority, format, arguments);
    va_end(arguments);
}

void log_write_library_checked(int priority, int flag G_GNUC_UNUSED, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_library_line(priority, format, arguments);
    va_end(arguments);
}

/* Would the character at text, of so many octets, end a value that is not quoted, or look like part
 * of the line's own syntax? */
static bool is_syntax(const char *text, gsize octets)
{
    if (octets > 1)
        return g_unichar_isspace(g_utf8_get_char(text));
    switch (*text) {
    case ' ':
    case '"':
    case '=':
    case '\\':
        return true;
    default:
        return false;
    }
}

static bool needs_quotes(const char *value, gsize length)
{
    if (length == 0)
        return true;
    for (gsize at = 0; at < length;) {
        gsize octets = shown_octets(value + at, length - at);

        if (octets == 0 || is_syntax(value + at, octets))
            return true;
        at += octets;
    }
    return false;
}

/* Appends the character at value, quoted. Returns how many octets it took. */
static gsize append_quoted(GString *line, const char *value, gsize left)
{
    gsize octets = shown_octets(value, left);

    if (octets == 0) {
        g_string_append_printf(line, "\\x%02x", (guchar)*value);
        return 1;
    }
    if (*value == '"' || *value == '\\')
        g_string_append_c(line, '\\');
    g_string_append_len(line, value, (gssize)octets);
    return octets;
}

/* The length of value, or of its first LOG_VALUE_MAX octets without a character that is cut. */
static gsize shown_length(const char *value)
{
    gsize length = strnlen(value, LOG_VALUE_MAX + 1);
    const char *start;

    if (length <= LOG_VALUE_MAX)
        return length;
    start = g_utf8_find_prev_char(value, value + LOG_VALUE_MAX);
    if (start != NULL && start + g_utf8_skip[(guchar)*start] > value + LOG_VALUE_MAX)
        return (gsize)(start - value);
    return LOG_VALUE_MAX;
}

void log_value(GString *line, const char *value)
{
    gsize length = shown_length(value);

    if (!needs_quotes(value, length)) {
        g_string_append_len(line, value, (gssize)length);
        return;
    }
    g_string_append_c(line, '"');
    for (gsize at = 0; at < length;)
        at += append_quoted(line, value + at, length - at);
    g_string_append_c(line, '"');
}

void log_pair(GString *line, const char *key, const char *value)
{
    g_string_append_c(line, ' ');
    g_string_append(line, key);
    g_string_append_c(line, '=');
    log_value(line, value);
}
