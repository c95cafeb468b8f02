#include "config.h"

#include "mail/encoded_words.h"

#include <string.h>

#include "mail/charset.h"
#include "mail/printable.h"

#define CHARSET_MAX 40
#define WORD_FRAME 12 /* "=?utf-8?Q?" and "?=" */

typedef struct {
    const char *start;
    const char *end; /* behind "?=" */
    char charset[CHARSET_MAX + 1];
    bool is_base64;
    const char *text;
    gsize length;
} Word;

static gsize charset_length(const char *at)
{
    gsize length = 0;

    while (length <= CHARSET_MAX && (g_ascii_isalnum(at[length]) ||
                                     (at[length] != '\0' && strchr("-_.:+()", at[length]) != NULL)))
        length++;
    return length;
}

/*
 * Returns the "?=" that ends the text of a word; NULL if there is none, or if another word begins
 * before it.
 */
static const char *find_end(const char *text)
{
    for (const char *at = strchr(text, '?'); at != NULL; at = strchr(at + 1, '?')) {
        if (at[1] == '=')
            return at;
        if (at > text && at[-1] == '=')
            return NULL;
    }
    return NULL;
}

/*
 * Reads "=?charset*language?Q?text?=" at at. The text may hold blanks and "?" that do not belong
 * there.
 */
static bool parse_word(const char *at, Word *word)
{
    gsize length;
    const char *end;

    word->start = at;
    if (at[0] != '=' || at[1] != '?')
        return false;
    at += 2;
    length = charset_length(at);
    if (length == 0 || length > CHARSET_MAX)
        return false;
    memcpy(word->charset, at, length);
    word->charset[length] = '\0';
    at += length;
    if (*at == '*') /* a language, RFC 2231 section 5 */
        at += 1 + charset_length(at + 1);
    if (at[0] != '?' || at[1] == '\0' || strchr("QqBb", at[1]) == NULL || at[2] != '?')
        return false;
    word->is_base64 = at[1] == 'B' || at[1] == 'b';
    word->text = at + 3;
    end = find_end(word->text);
    if (end == NULL)
        return false;
    word->length = (gsize)(end - word->text);
    word->end = end + 2;
    return true;
}

/*
 * Appends the octets that "Q" stands for. Blanks, "=" and 8-bit octets that do not belong there are
 * taken as they are.
 */
static void append_q(GString *octets, const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (text[i] == '_') {
            g_string_append_c(octets, ' ');
            continue;
        }
        if (text[i] == '=' && i + 2 < length && g_ascii_isxdigit(text[i + 1]) &&
            g_ascii_isxdigit(text[i + 2])) {
            g_string_append_c(octets, (char)(g_ascii_xdigit_value(text[i + 1]) << 4 |
                                             g_ascii_xdigit_value(text[i + 2])));
            i += 2;
            continue;
        }
        g_string_append_c(octets, text[i]);
    }
}

/* Appends the octets that "B" stands for. What does not belong there, blanks too, is skipped. */
static void append_base64(GString *octets, const char *text, gsize length)
{
    gint state = 0;
    guint save = 0;
    gsize before = octets->len;
    gsize digits = 0;
    gsize size;

    for (gsize i = 0; i < length; i++)
        digits += g_ascii_isalnum(text[i]) || text[i] == '+' || text[i] == '/';
    g_string_set_size(octets, before + length + 8);
    size = g_base64_decode_step(text, length, (guchar *)octets->str + before, &state, &save);
    size += g_base64_decode_step("===", 3, (guchar *)octets->str + before + size, &state, &save);
    g_string_set_size(octets, before + MIN(size, digits * 3 / 4)); /* whole octets only */
}

static void append_octets(GString *octets, const Word *word)
{
    if (word->is_base64)
        append_base64(octets, word->text, word->length);
    else
        append_q(octets, word->text, word->length);
}

/*
 * Returns whether a reader could take this for more than a name: it has a control, "@" or what
 * looks like it, or an encoded word.
 */
static bool is_risky(const GString *octets)
{
    for (gsize i = 0; i < octets->len; i++)
        if ((guchar)octets->str[i] < ' ' || octets->str[i] == 0x7f || octets->str[i] == '@')
            return true;
    return strstr(octets->str, "=?") != NULL || strstr(octets->str, "\xef\xbc\xa0") != NULL ||
           strstr(octets->str, "\xef\xb9\xab") != NULL;
}

/* RFC 2047 section 5 (3): what may stand for itself in a phrase, and a blank, which becomes "_". */
static bool is_q_literal(char c)
{
    return g_ascii_isalnum(c) || c == '!' || c == '*' || c == '+' || c == '-' || c == '/' ||
           c == ' ';
}

/*
 * Returns whether word can stand in a phrase: it is short enough, and has only octets that are
 * allowed there.
 */
static bool is_phrase_word(const Word *word)
{
    for (const char *at = word->start + 2; at < word->text - 3; at++) /* charset and language */
        if (!g_ascii_isalnum(*at) && *at != '-' && *at != '_' && *at != '*')
            return false;
    for (gsize i = 0; i < word->length; i++)
        if (word->text[i] == ' ' ||
            (!is_q_literal(word->text[i]) && word->text[i] != '=' && word->text[i] != '_'))
            return false;
    return word->length > 0 && word->end - word->start <= ENCODED_WORD_MAX;
}

gsize encoded_words_opaque(const char *text, Charsets *charsets)
{
    g_autoptr(GString) octets = NULL;
    Word word;

    if (!parse_word(text, &word) || !is_phrase_word(&word) ||
        charsets_is_known(charsets, word.charset))
        return 0;
    octets = g_string_new(NULL);
    append_octets(octets, &word);
    return is_risky(octets) ? 0 : (gsize)(word.end - word.start);
}

static void append_q_encoded(GString *value, const char *text, gsize length)
{
    static const char digits[] = "0123456789ABCDEF";

    for (gsize i = 0; i < length; i++) {
        guchar octet = (guchar)text[i];

        if (octet == ' ') {
            g_string_append_c(value, '_');
        } else if (is_q_literal(text[i])) {
            g_string_append_c(value, text[i]);
        } else {
            g_string_append_c(value, '=');
            g_string_append_c(value, digits[octet >> 4]);
            g_string_append_c(value, digits[octet & 15]);
        }
    }
}

/*
 * Appends a word of an unknown charset as it is, or spelled as a phrase wants it, or, if it is too
 * long for that, as raw text. One that may not be passed on goes.
 */
static void append_unknown(GString *text, const Word *word, Charsets *charsets)
{
    g_autoptr(GString) octets = g_string_new(NULL);
    g_autoptr(GString) spelled = g_string_new(NULL);

    if (encoded_words_opaque(word->start, charsets) > 0) {
        g_string_append_len(text, word->start, word->end - word->start);
        return;
    }
    append_octets(octets, word);
    if (is_risky(octets))
        return;
    g_string_printf(spelled, "=?%s?Q?", word->charset);
    append_q_encoded(spelled, octets->str, octets->len);
    g_string_append(spelled, "?=");
    if (spelled->len > ENCODED_WORD_MAX)
        charset_append_raw(text, octets->str, octets->len);
    else if (encoded_words_opaque(spelled->str, charsets) == spelled->len)
        g_string_append_len(text, spelled->str, (gssize)spelled->len);
}

/* Returns whether word has octets that were never encoded. */
static bool has_raw_octets(const Word *word)
{
    for (gsize i = 0; i < word->length; i++)
        if ((guchar)word->text[i] >= 0x80)
            return true;
    return false;
}

/*
 * Appends what words of one known charset stand for together. If some octets were never
 * encoded and all are valid UTF-8 together, they are UTF-8: text of other charsets is hardly ever
 * valid UTF-8 by accident.
 *
 * Returns how many U+FFFD that took.
 */
static guint append_known(GString *text, const Word *words, guint length, Charsets *charsets)
{
    g_autoptr(GString) octets = g_string_new(NULL);
    bool is_raw = false;

    for (guint i = 0; i < length; i++) {
        append_octets(octets, &words[i]);
        is_raw |= has_raw_octets(&words[i]);
    }
    is_raw = is_raw && g_utf8_validate_len(octets->str, octets->len, NULL);
    return charsets_append(charsets, text, is_raw ? "utf-8" : words[0].charset, octets->str,
                           octets->len);
}

/*
 * Appends what the words of one run stand for: words of one charset with nothing but blanks between
 * them. Senders split characters between such words although RFC 2047 section 5 forbids it, so
 * their octets are joined before conversion, unless the words are no worse one by one.
 */
static void append_run(GString *text, const GArray *run, Charsets *charsets)
{
    const Word *words = (const Word *)run->data;
    g_autoptr(GString) single = NULL;
    gsize before = text->len;
    guint replaced;

    if (run->len == 0)
        return;
    if (!charsets_is_known(charsets, words[0].charset)) {
        for (guint i = 0; i < run->len; i++)
            append_unknown(text, &words[i], charsets);
        return;
    }
    replaced = append_known(text, words, run->len, charsets);
    if (replaced == 0 || run->len == 1)
        return;
    single = g_string_new(NULL);
    for (guint i = 0, more = 0; i < run->len; i++) {
        more += append_known(single, &words[i], 1, charsets);
        if (more > replaced)
            return;
    }
    g_string_truncate(text, before);
    g_string_append_len(text, single->str, (gssize)single->len);
}

static bool is_blank_gap(const char *from, const char *to)
{
    return (gsize)(to - from) == strspn(from, " \t\r\n") ||
           strspn(from, " \t\r\n") > (gsize)(to - from);
}

/* Cuts text if it is too long, between two characters. */
static char *take_bounded(GString *text)
{
    g_string_truncate(text, printable_cut(text->str, text->len, ENCODED_WORDS_DECODED_MAX));
    return g_string_free(text, FALSE);
}

char *encoded_words_decode(const char *encoded, gsize length)
{
    g_autofree char *raw = g_strndup(encoded, length);
    GString *text = g_string_sized_new(length + 1);
    g_autoptr(GArray) run = g_array_new(FALSE, FALSE, sizeof(Word));
    g_autoptr(Charsets) charsets = charsets_new();
    const char *done = raw;
    bool is_after_word = false;
    Word word;

    for (const char *at = raw;
         text->len <= ENCODED_WORDS_DECODED_MAX && (at = strstr(at, "=?")) != NULL;) {
        if (!parse_word(at, &word)) {
            at += 2;
            continue;
        }
        if (!is_after_word || !is_blank_gap(done, at)) {
            append_run(text, run, charsets);
            g_array_set_size(run, 0);
            charset_append_raw(text, done, (gsize)(at - done));
        }
        if (run->len > 0 &&
            g_ascii_strcasecmp(g_array_index(run, Word, 0).charset, word.charset) != 0) {
            append_run(text, run, charsets);
            g_array_set_size(run, 0);
        }
        g_array_append_val(run, word);
        at = done = word.end;
        is_after_word = true;
    }
    append_run(text, run, charsets);
    charset_append_raw(text, done, strlen(done));
    return take_bounded(text);
}

static bool has_control(const GString *text)
{
    for (gsize i = 0; i < text->len; i++)
        if ((guchar)text->str[i] < ' ' || text->str[i] == 0x7f)
            return true;
    return false;
}

/* Returns whether word is as RFC 2047 section 2 wants it: short enough, and of visible ASCII. */
static bool is_well_formed(const Word *word)
{
    for (const char *at = word->start; at < word->end; at++)
        if (!g_ascii_isgraph(*at))
            return false;
    return word->end - word->start <= ENCODED_WORD_MAX;
}

/*
 * Returns what word stands for, as one line without encoded words in it, if it can't stay as it is,
 * else NULL.
 */
static char *tamed(const Word *word, Charsets *charsets)
{
    g_autoptr(GString) octets = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    bool is_tame = is_well_formed(word);
    char *line;

    append_octets(octets, word);
    if (charsets_is_known(charsets, word->charset))
        is_tame &= append_known(text, word, 1, charsets) < CHARSETS_NO_ROOM;
    else
        charset_append_raw(text, octets->str, octets->len);
    if (is_tame && !has_control(octets) && !has_control(text))
        return NULL;
    line = printable_line(text->str);
    for (char *at = line; (at = strstr(at, "=?")) != NULL;)
        *at = ' ';
    return line;
}

char *encoded_words_tame(const char *text, gsize length)
{
    g_autofree char *raw = g_strndup(text, length);
    g_autoptr(Charsets) charsets = charsets_new();
    GString *result = g_string_sized_new(length + 1);
    const char *done = raw;
    Word word;

    for (const char *at = raw; (at = strstr(at, "=?")) != NULL;) {
        g_autofree char *line = NULL;

        if (!parse_word(at, &word)) {
            at += 2;
            continue;
        }
        line = tamed(&word, charsets);
        charset_append_raw(result, done, (gsize)(at - done));
        g_string_append_len(result, line != NULL ? line : at, line != NULL ? -1 : word.end - at);
        at = done = word.end;
    }
    charset_append_raw(result, done, strlen(done));
    return g_string_free(result, FALSE);
}

static gsize q_length(const char *text, gsize length)
{
    gsize encoded = 0;

    for (gsize i = 0; i < length; i++)
        encoded += is_q_literal(text[i]) ? 1 : 3;
    return encoded;
}

bool encoded_words_is_base64_shorter(const char *text, gsize length)
{
    return (length + 2) / 3 * 4 < q_length(text, length);
}

/*
 * The octets of text that fit into room octets of "B": all of them or a multiple of 3, 0 if
 * there is no such place to cut. Some readers (GMime) put neighbouring words together before they
 * decode, and the text behind a padding is lost.
 */
static gsize fitting_base64(const char *text, gsize length, gsize room)
{
    gsize taken = printable_cut(text, length, room / 4 * 3);

    while (taken < length && taken % 3 != 0)
        taken = printable_cut(text, length, taken - 1);
    return taken;
}

/* The octets of text that fit into room octets of "Q"; at least one character. */
static gsize fitting_q(const char *text, gsize length, gsize room)
{
    gsize taken = 0;
    gsize used = 0;

    while (taken < length) {
        gsize cluster = printable_cluster(text + taken, length - taken, room / 3);
        gsize encoded = q_length(text + taken, cluster);

        if (used + encoded > room)
            break;
        used += encoded;
        taken += cluster;
    }
    return MAX(taken, printable_cluster(text, length, 1));
}

gsize encoded_words_append(GString *value, const char *text, gsize length, bool is_base64,
                           gsize room)
{
    gsize space = MIN(room, ENCODED_WORD_MAX) - WORD_FRAME;
    gsize taken = is_base64 ? fitting_base64(text, length, space) : 0;

    if (taken > 0) {
        g_autofree char *encoded = g_base64_encode((const guchar *)text, taken);

        g_string_append_printf(value, "=?utf-8?B?%s?=", encoded);
        return taken;
    }
    taken = fitting_q(text, length, space);
    g_string_append(value, "=?utf-8?Q?");
    append_q_encoded(value, text, taken);
    g_string_append(value, "?=");
    return taken;
}
