#include "config.h"

#include "mail/printable.h"

#include <string.h>

#define ZERO_WIDTH_JOINER 0x200d
/* Characters to step back for the beginning of a cluster; real ones have fewer. */
#define BACK_MAX 32

static bool is_between(gunichar c, gunichar first, gunichar last)
{
    return c >= first && c <= last;
}

/* Returns whether this character only turns, annotates or disturbs the text around it. */
static bool is_dropped(gunichar c)
{
    return g_unichar_iscntrl(c)                                        /* C0, DEL, C1 */
           || is_between(c, 0x202a, 0x202e)                            /* embeddings, overrides */
           || is_between(c, 0x2066, 0x2069)                            /* isolates */
           || is_between(c, 0xfff9, 0xfffb)                            /* annotations */
           || is_between(c, 0xfdd0, 0xfdef) || (c & 0xfffe) == 0xfffe; /* no characters */
}

static bool is_blank_character(gunichar c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == 0x85 ||
           c == 0x2028 || c == 0x2029;
}

/* Returns whether text is ASCII that printable_line() would leave as it is. */
static bool is_plain_line(const char *text)
{
    char before = ' ';

    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~' || (*text == ' ' && before == ' '))
            return false;
        before = *text;
    }
    return before != ' ';
}

/* The octets of visible ASCII at text. */
static gsize plain_length(const char *text)
{
    gsize length = 0;

    while (g_ascii_isgraph(text[length]))
        length++;
    return length;
}

char *printable_line(const char *text)
{
    g_autofree char *valid = NULL;
    bool is_blank_due = false;
    GString *line;

    if (is_plain_line(text))
        return g_strdup(text);
    if (!g_utf8_validate(text, -1, NULL))
        text = valid = g_utf8_make_valid(text, -1);
    line = g_string_sized_new(strlen(text) + 1);
    for (gsize length; *text != '\0'; text += length) {
        gunichar c = g_utf8_get_char(text);

        length = MAX(plain_length(text), (gsize)g_utf8_skip[(guchar)*text]);
        if (is_blank_character(c)) {
            is_blank_due = line->len > 0;
            continue;
        }
        if (is_dropped(c) || (valid != NULL && c == 0xfffd))
            continue;
        if (is_blank_due)
            g_string_append_c(line, ' ');
        is_blank_due = false;
        g_string_append_len(line, text, (gssize)length);
    }
    return g_string_free(line, FALSE);
}

static bool is_invisible(gunichar c)
{
    return g_unichar_isspace(c) || g_unichar_iszerowidth(c) ||
           g_unichar_type(c) == G_UNICODE_FORMAT || g_unichar_iscntrl(c) ||
           c == 0x00ad ||                                                 /* soft hyphen */
           is_between(c, 0x115f, 0x1160) || c == 0x3164 || c == 0xffa0 || /* Hangul fillers */
           c == 0x2800 ||
           is_between(c, 0xe0000, 0xe0fff); /* blank Braille; tags, variation selectors */
}

bool printable_is_blank(const char *text)
{
    for (; *text != '\0'; text = g_utf8_next_char(text))
        if (!is_invisible(g_utf8_get_char(text)))
            return false;
    return true;
}

/* Returns whether this character belongs to the one before it. */
static bool is_extending(gunichar c)
{
    if (c < 0x300)
        return false;
    return g_unichar_ismark(c) || c == ZERO_WIDTH_JOINER || is_between(c, 0x1f3fb, 0x1f3ff) ||
           is_between(c, 0xe0020, 0xe007f);
}

/* Returns whether a cluster begins at text + at. */
static bool is_cluster_start(const char *text, gsize at)
{
    if (at == 0)
        return true;
    if (is_extending(g_utf8_get_char(text + at)))
        return false;
    return g_utf8_get_char(g_utf8_prev_char(text + at)) != ZERO_WIDTH_JOINER;
}

static gsize character_start(const char *text, gsize at)
{
    while (at > 0 && ((guchar)text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

gsize printable_cut(const char *text, gsize length, gsize max)
{
    gsize whole;
    gsize at;

    if (length <= max)
        return length;
    at = whole = character_start(text, max);
    for (int steps = 0; steps < BACK_MAX && at > 0; steps++) {
        if (is_cluster_start(text, at))
            return at;
        at = character_start(text, at - 1);
    }
    return whole;
}

gsize printable_cluster(const char *text, gsize length, gsize max)
{
    gsize at = (gsize)(g_utf8_next_char(text) - text);

    while (at < length && !is_cluster_start(text, at)) {
        gsize next = at + (gsize)(g_utf8_next_char(text + at) - (text + at));

        if (next > max)
            break;
        at = next;
    }
    return MIN(at, length);
}
