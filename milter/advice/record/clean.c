#include "config.h"

#include "advice/record/clean.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    gunichar character;
    char ascii;
} replacements[] = {
    {0x2028, ' '}, {0x2029, ' '}, {0x00ad, '\0'}, {0x2212, '-'}, {0x2043, '-'},  {0x02d7, '-'},
    {0x2796, '-'}, {0x00af, '-'}, {0x02dc, '~'},  {0x223c, '~'}, {0x2053, '~'},  {0x301c, '~'},
    {0x3030, '~'}, {0x02f7, '~'}, {0x223d, '~'},  {0x2795, '+'}, {0x2032, '\''}, {0x00b4, '\''},
    {0x2033, '"'}, {0x2236, ':'}, {0x2044, '/'},  {0x2215, '/'}, {0x3002, '.'},  {0xff61, '.'},
};

/* Characters as web addresses and pages write them, and strings that a program joins. */
static const struct {
    const char *text;
    char ascii;
} encoded[] = {
    {"%20", ' '},    {"&nbsp;", ' '}, {"&#160;", ' '},  {"&quot;", '"'},
    {"&#34;", '"'},  {"&#39;", '\''}, {"&ndash;", '-'}, {"&#8211;", '-'},
    {"&shy;", '\0'}, {"\"+\"", '"'},  {"\" + \"", '"'},
};

/* '\0': left out */
static char ascii_of_type(gunichar character)
{
    switch (g_unichar_type(character)) {
    case G_UNICODE_SPACE_SEPARATOR:
        return ' ';
    case G_UNICODE_DASH_PUNCTUATION:
        return '-';
    case G_UNICODE_INITIAL_PUNCTUATION:
    case G_UNICODE_FINAL_PUNCTUATION:
    case G_UNICODE_OPEN_PUNCTUATION:
    case G_UNICODE_CLOSE_PUNCTUATION:
        return '"';
    case G_UNICODE_FORMAT:
        return '\0';
    default:
        return g_unichar_isalnum(character) ? *CLEAN_LETTER : *CLEAN_UNKNOWN;
    }
}

static char ascii_of(gunichar character)
{
    if (character == '\t' || character == '\r' || character == '\n')
        return ' ';
    if (character < ' ' || character == 0x7f)
        return *CLEAN_CONTROL;
    if (character < 0x80)
        return (char)character;
    if (character >= 0xff01 && character <= 0xff5e) /* full width */
        return (char)(character - 0xff01 + '!');
    for (gsize i = 0; i < G_N_ELEMENTS(replacements); i++)
        if (replacements[i].character == character)
            return replacements[i].ascii;
    return ascii_of_type(character);
}

/* The character at text, and how many octets of ASCII it has if it is encoded, else 0. */
static char character_at(const char *text, gsize *length)
{
    for (gsize i = 0; i < G_N_ELEMENTS(encoded); i++) {
        *length = strlen(encoded[i].text);
        if (strncmp(text, encoded[i].text, *length) == 0)
            return encoded[i].ascii;
    }
    *length = 0;
    return ascii_of(g_utf8_get_char(text));
}

static void add(Clean *clean, char octet, guint place)
{
    g_string_append_c(clean->text, octet);
    g_array_append_val(clean->places, place);
}

/* Is it a slash that fell over: "192.0.2.0\24"? "192.0.2.1\28" may have been 192.0.2.128. */
static bool is_slash(const char *text, gsize at)
{
    gsize length = strspn(text + at + 1, "0123456789");
    gsize begin = at;
    guint64 octet;

    while (begin > 0 && g_ascii_isdigit(text[begin - 1]))
        begin--;
    if (text[at] != '\\' || length == 0 || begin == at ||
        (text[at + 1 + length] != '\0' && text[at + 1 + length] != ' '))
        return false;
    octet = g_ascii_strtoull(text + begin, NULL, 10);
    return octet == 0 || octet * (length == 1 ? 10 : 100) > 255;
}

static void right_slashes(GString *text)
{
    for (gsize i = 1; i < text->len; i++)
        if (is_slash(text->str, i))
            text->str[i] = '/';
}

static Clean empty(void)
{
    return (Clean){g_string_new(NULL), g_array_new(FALSE, FALSE, sizeof(guint))};
}

void clean_init(Clean *clean, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    guint place = 1;

    *clean = empty();
    for (const char *at = valid; *at != '\0';) {
        gsize length;
        char octet = character_at(at, &length);

        if (octet != '\0')
            add(clean, octet, place);
        at = length > 0 ? at + length : g_utf8_next_char(at);
        place += length > 0 ? (guint)length : 1;
    }
    right_slashes(clean->text);
}

void clean_clear(Clean *clean)
{
    g_string_free(clean->text, TRUE);
    g_array_unref(clean->places);
}
/*
 * The length of "all" at the beginning of text, with blanks between its letters; 0: none, or the
 * beginning of something else. "a ll" is only that behind a sign: else "a" is a term.
 */
static gsize all_length(const char *text, bool has_sign)
{
    gsize length = 0;

    for (const char *letter = "all"; *letter != '\0'; letter++) {
        length += letter[0] != 'a' ? strspn(text + length, " ") : 0;
        if (g_ascii_tolower(text[length++]) != *letter)
            return 0;
    }
    if (text[1] == ' ' && !has_sign)
        return 0;
    if (text[length] == '.')
        return text[length + 1] == '\0' || text[length + 1] == ' ' ? length : 0;
    return g_ascii_isalnum(text[length]) || strchr("_:=/-" CLEAN_LETTER, text[length]) != NULL
               ? (text[length] == '\0' ? length : 0)
               : length;
}

/* What stands between two words, the second of which may have a sign in it that nobody reads. */
typedef struct {
    gsize length;
    gsize sign;      /* where the first sign stands, or what may have been one */
    bool is_regular; /* nothing is to be done */
    char qualifier;
    gsize all_length; /* the word behind it is "all" */
} Gap;

static char softest_of(const char *text, gsize count)
{
    static const char soft_first[] = "?~-+";

    for (const char *at = soft_first; *at != '\0'; at++)
        if (memchr(text, *at, count) != NULL)
            return *at;
    return '\0';
}

/* The gap at text, of length octets; has_word: what stands before it may be the word's. */
static Gap gap_of(const char *text, gsize length, bool has_word)
{
    Gap gap = {.length = length};
    const char *tail = text + length;
    gsize unknown = strcspn(text, CLEAN_SIGNS "!" CLEAN_UNKNOWN);
    bool is_break = !has_word || strcspn(text, " " CLEAN_SEPARATORS) < length;
    bool has_sign, is_signed;

    if (length == 0)
        return (Gap){.all_length = all_length(text, false), .is_regular = true};
    while (tail > text && tail[-1] != ' ')
        tail--;
    gap.qualifier = softest_of(text, length);
    has_sign = gap.qualifier != '\0' && gap.qualifier != '+';
    gap.all_length = all_length(text + length, has_sign);
    gap.sign = MIN(unknown, length);
    length -= (gsize)(tail - text);
    /* " -all" as it should be, "mx;-all" as mend_term() reads it, or no sign at all. */
    is_signed = strchr(CLEAN_SIGNS, text[gap.length - 1]) != NULL &&
                (length == 1 || (has_word && length == 2 && length == gap.length && gap.sign == 1));
    gap.is_regular =
        !is_break || (gap.all_length <= 3 && is_signed) || (length == 0 && gap.sign == gap.length);
    if (gap.all_length > 0) {
        gap.qualifier = has_sign ? gap.qualifier : '~';
        return gap;
    }
    /* "!ip4:192.0.2.1" is for mend_term(). */
    gap.is_regular |= gap.sign == gap.length || (length == 1 && gap.sign == gap.length - 1) ||
                      !g_ascii_isalnum(text[gap.length]);
    gap.qualifier = gap.qualifier != '\0' ? gap.qualifier : '~';
    return gap;
}

static Gap gap_at(const char *text, gsize at, gsize begin)
{
    static const char set[] = " " CLEAN_SIGNS "!." CLEAN_UNKNOWN CLEAN_SEPARATORS;
    static const char set_before_all[] =
        " " CLEAN_SIGNS "!.:=/_*^#@&$%" CLEAN_UNKNOWN CLEAN_SEPARATORS;
    bool has_word = at > begin;
    gsize length = strspn(text + at, set_before_all);
    Gap gap = gap_of(text + at, length, has_word);

    if (gap.all_length > 0)
        return gap;
    return gap_of(text + at, strspn(text + at, set), has_word);
}

static void copy(Clean *to, const Clean *from, gsize at, gsize length)
{
    for (gsize i = at; i < at + length; i++)
        add(to, from->text->str[i], g_array_index(from->places, guint, i));
}

void clean_settle_signs(Clean *clean, gsize begin)
{
    const char *text = clean->text->str;
    Clean settled = empty();
    gsize at = begin;

    copy(&settled, clean, 0, begin);
    while (text[at] != '\0') {
        bool has_macro = text[at] == '%' && strchr("{%_-", text[at + 1]) != NULL;
        gsize macros = has_macro ? strcspn(text + at, " ") : 0;
        Gap gap = gap_at(text, at + macros, begin);
        gsize kept = 0;

        copy(&settled, clean, at, macros);
        at += macros;
        if (text[at] == '\0')
            break;
        if (gap.length == 0 || gap.is_regular ||
            (at > begin && strchr(":=", text[at - 1]) != NULL)) {
            gap.length = MAX(gap.length, 1);
            copy(&settled, clean, at, gap.length);
            at += gap.length;
            while (g_ascii_isalnum(text[at]) && g_ascii_isalnum(text[at - 1]))
                copy(&settled, clean, at++, 1);
            continue;
        }
        for (gsize i = 0; i < gap.sign; i++)
            kept = text[at + i] == ' ' ? i + 1 : kept;
        copy(&settled, clean, at, kept);
        if (kept == 0)
            add(&settled, ' ', g_array_index(clean->places, guint, at));
        add(&settled, gap.qualifier,
            g_array_index(clean->places, guint,
                          at + (kept > 0 ? kept : MIN(gap.sign, gap.length - 1))));
        at += gap.length;
        for (gsize end = at + gap.all_length; at < end; at++)
            if (text[at] != ' ')
                copy(&settled, clean, at, 1);
    }
    clean_clear(clean);
    *clean = settled;
}
