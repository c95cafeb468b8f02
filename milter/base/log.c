#include "config.h"

#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Set by log_open() before there are threads; the level may change later. */
static const char *log_program = "spfrom";
static LogTarget log_target = LOG_TARGET_STDERR;
static gint log_level = LOG_INFO;
static bool is_journal;

/*
 * Is stderr the journal's stream? It takes a line's level from "<N>" before it, and adds the
 * program's name itself (sd-daemon(3), systemd.exec(5): JOURNAL_STREAM).
 */
static bool stderr_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    g_autofree char *own = NULL;
    struct stat status;

    if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
        return false;
    own = g_strdup_printf("%lu:%lu", (gulong)status.st_dev, (gulong)status.st_ino);
    return strcmp(own, stream) == 0;
}

void log_open(const char *program, LogTarget target, int level)
{
    log_program = program;
    log_target = target;
    log_set_level(level);
    is_journal = stderr_is_journal();
    if (target == LOG_TARGET_SYSLOG)
        openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
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

static struct iovec part(const char *text)
{
    return (struct iovec){.iov_base = (char *)text, .iov_len = strlen(text)};
}

/* Writes the whole line at once, so that lines of several threads don't mix. */
static void write_stderr(int level, const char *text)
{
    const char journal_level[] = {'<', (char)('0' + level), '>', '\0'};
    const struct iovec line[] = {part(is_journal ? journal_level : log_program),
                                 part(is_journal ? "" : ": "), part(text), part("\n")};

    if (writev(STDERR_FILENO, line, G_N_ELEMENTS(line)) < 0)
        return; /* there is nowhere left to report it */
}

void log_write(int level, const char *format, ...)
{
    char text[LOG_LINE_MAX];
    va_list arguments;

    if (!log_is_enabled(level))
        return;
    va_start(arguments, format);
    g_vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mask_controls(text);
    if (log_target == LOG_TARGET_SYSLOG)
        syslog(level, "%s", text);
    else
        write_stderr(level, text);
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

void log_pair(GString *line, const char *key, const char *value)
{
    gsize length = shown_length(value);

    g_string_append_c(line, ' ');
    g_string_append(line, key);
    g_string_append_c(line, '=');
    if (!needs_quotes(value, length)) {
        g_string_append_len(line, value, (gssize)length);
        return;
    }
    g_string_append_c(line, '"');
    for (gsize at = 0; at < length;)
        at += append_quoted(line, value + at, length - at);
    g_string_append_c(line, '"');
}
