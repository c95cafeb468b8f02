#include "config.h"

#include "mail/composer.h"

#include <stdbool.h>
#include <string.h>

#include "mail/display_name.h"
#include "mail/encoded_words.h"
#include "mail/printable.h"

#define LINE_LIMIT 78
#define LINE_LIMIT_ENCODED 76
#define WORD_MAX                                                                                   \
    60 /* octets of a word that is written as it is; longer ones could not be folded               \
        */
#define VALUE_MAX (24 * 1024) /* octets of a value; behind them names are left out */

void composer_init(Composer *composer, const char *field_name)
{
    *composer = (Composer){.value = g_string_sized_new(128),
                           .column = strlen(field_name) + strlen(": "),
                           .limit = LINE_LIMIT};
}

char *composer_take(Composer *composer)
{
    return g_string_free(g_steal_pointer(&composer->value), FALSE);
}

/*
 * Begins a token of that length: with a blank or, if the line would become too long, on a new line.
 */
static void begin_token(Composer *composer, gsize length)
{
    if (composer->value->len == 0)
        return;
    if (composer->column + 1 + length <= composer->limit) {
        g_string_append_c(composer->value, ' ');
        composer->column++;
        return;
    }
    g_string_append(composer->value, "\n ");
    composer->column = 1;
    composer->limit = LINE_LIMIT;
}

/* Appends an address and leaves room for the comma that may follow it. */
static void append_address(Composer *composer, const char *address)
{
    begin_token(composer, strlen(address) + 1);
    g_string_append(composer->value, address);
    composer->column += strlen(address);
}

static void append_token(Composer *composer, const char *text, gsize length)
{
    begin_token(composer, length);
    g_string_append_len(composer->value, text, (gssize)length);
    composer->column += length;
}

static void append_encoded_word(Composer *composer, const char *word, gsize length)
{
    composer->limit = LINE_LIMIT_ENCODED;
    append_token(composer, word, length);
    composer->limit = LINE_LIMIT_ENCODED; /* of the new line, if the token begins one */
}

/*
 * The octets that are left for an encoded word on this line, or on the next one if too few are left
 * on this one.
 */
static gsize room_for_word(const Composer *composer)
{
    gsize used = composer->column + (composer->value->len > 0);
    gsize room = used < LINE_LIMIT_ENCODED ? LINE_LIMIT_ENCODED - used : 0;

    if (room >= ENCODED_WORD_ROOM_MIN)
        return room;
    return composer->value->len > 0 ? ENCODED_WORD_MAX : ENCODED_WORD_ROOM_MIN;
}

/*
 * Makes the next encoded word of text: as much as the line has room for, but all of text if that
 * fits on a line of its own. Returns the octets that were taken.
 */
static gsize next_encoded_word(const Composer *composer, GString *word, const char *text,
                               gsize length, bool is_base64)
{
    gsize room = room_for_word(composer);
    gsize taken;

    g_string_truncate(word, 0);
    taken = encoded_words_append(word, text, length, is_base64, ENCODED_WORD_MAX);
    if (word->len <= room || (taken == length && composer->value->len > 0))
        return taken;
    g_string_truncate(word, 0);
    return encoded_words_append(word, text, length, is_base64, room);
}

static void append_encoded(Composer *composer, const char *text, gsize length)
{
    bool is_base64 = encoded_words_is_base64_shorter(text, length);
    g_autoptr(GString) word = g_string_sized_new(ENCODED_WORD_MAX + 1);

    while (length > 0) {
        gsize taken = next_encoded_word(composer, word, text, length, is_base64);

        append_encoded_word(composer, word->str, word->len);
        text += taken;
        length -= taken;
    }
}

/* Appends text as encoded words; those in it that can't be decoded are passed on as they are. */
static void append_encoded_with_opaque(Composer *composer, const char *text, gsize length)
{
    const char *end = text + length;
    const char *start = text;
    g_autoptr(Charsets) charsets = charsets_new();

    for (const char *at = text; at < end;) {
        gsize opaque = *at == '=' ? encoded_words_opaque(at, charsets) : 0;

        if (opaque == 0 || at + opaque > end) {
            at++;
            continue;
        }
        append_encoded(composer, start, (gsize)(at - start));
        append_encoded_word(composer, at, opaque);
        start = at += opaque;
    }
    append_encoded(composer, start, (gsize)(end - start));
}

/* Returns whether this word can be written as it is, as an atom of a phrase. */
static bool is_atom(const char *word, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isalnum(word[i]) &&
            (word[i] == '\0' || strchr("!#$%&'*+-/=?^_`{|}~", word[i]) == NULL))
            return false;
    return length > 0 && length <= WORD_MAX && g_strstr_len(word, (gssize)length, "=?") == NULL;
}

/*
 * Returns whether name fits into one quoted string without a fold. Readers that end the string at a
 * line end would take the text behind a fold for addresses.
 */
static bool is_quotable(const Composer *composer, const char *name)
{
    gsize used = composer->value->len == 0 ? composer->column : strlen(" ");
    gsize length = strlen("\"\"");

    for (; *name != '\0'; name++) {
        if (*name < ' ' || *name > '~' || (name[0] == '=' && name[1] == '?'))
            return false;
        length += 1 + (*name == '"' || *name == '\\');
    }
    return used + length <= LINE_LIMIT;
}

static void append_words(Composer *composer, const char *text, gsize length)
{
    const char *end = text + length;

    while (text < end) {
        const char *blank = memchr(text, ' ', (gsize)(end - text));
        gsize word = (gsize)((blank != NULL ? blank : end) - text);

        if (word > 0)
            append_token(composer, text, word);
        text += word + 1;
    }
}

static void append_quoted(Composer *composer, const char *name)
{
    g_autoptr(GString) quoted = g_string_new("\"");

    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            g_string_append_c(quoted, '\\');
        g_string_append_c(quoted, *name);
    }
    g_string_append_c(quoted, '"');
    append_token(composer, quoted->str, quoted->len);
}

/* The octets of the atoms, with the blank behind each, that text begins with. */
static gsize leading_atoms(const char *text)
{
    gsize length = 0;

    for (;;) {
        const char *blank = strchr(text + length, ' ');

        if (blank == NULL || !is_atom(text + length, (gsize)(blank - text) - length))
            return length;
        length = (gsize)(blank - text) + 1;
    }
}

/* The octets of the atoms, with the blank before each, that text ends with. */
static gsize trailing_atoms(const char *text, gsize length)
{
    gsize start = length;

    for (;;) {
        const char *blank = g_strrstr_len(text, (gssize)start, " ");

        if (blank == NULL || !is_atom(blank + 1, start - (gsize)(blank + 1 - text)))
            return length - start;
        start = (gsize)(blank - text);
    }
}

/* Appends a name that needs encoded words: plain words at both ends stand for themselves. */
static void append_encoded_phrase(Composer *composer, const char *name)
{
    gsize length = strlen(name);
    gsize leading = leading_atoms(name);
    gsize trailing = trailing_atoms(name + leading, length - leading);

    append_words(composer, name, leading);
    append_encoded_with_opaque(composer, name + leading, length - leading - trailing);
    append_words(composer, name + length - trailing, trailing);
}

static void append_phrase(Composer *composer, const char *name)
{
    gsize leading = leading_atoms(name);

    if (is_atom(name + leading, strlen(name + leading)))
        append_words(composer, name, strlen(name));
    else if (is_quotable(composer, name))
        append_quoted(composer, name);
    else
        append_encoded_phrase(composer, name);
}

/*
 * Returns name as one visible line of at most DISPLAY_NAME_MAX octets, or NULL if nothing of
 * it can be seen.
 */
static char *visible_name(const Composer *composer, const char *name)
{
    g_autofree char *line = NULL;

    if (name == NULL || composer->value->len > VALUE_MAX)
        return NULL;
    line = printable_line(name);
    line[printable_cut(line, strlen(line), DISPLAY_NAME_MAX)] = '\0';
    g_strchomp(line);
    return printable_is_blank(line) ? NULL : g_steal_pointer(&line);
}

static void append_name_addr(Composer *composer, const char *name, const char *addr_spec)
{
    g_autofree char *angle = g_strconcat("<", addr_spec, ">", NULL);

    append_phrase(composer, name);
    append_address(composer, angle);
}

/*
 * Takes so much off name, of which so many octets were written, that it should fit; something in
 * any case.
 */
static void shorten(char *name, gsize written, gsize wanted)
{
    gsize length = strlen(name);
    gsize max = MIN(length - 1, length * wanted / written);

    name[printable_cut(name, length, max)] = '\0';
    g_strchomp(name);
}

/* Appends an address without a name: in "<>" if readers would take its quoted string for a name. */
static void append_bare(Composer *composer, const char *addr_spec)
{
    g_autofree char *angle = g_strconcat("<", addr_spec, ">", NULL);

    append_address(composer, addr_spec[0] == '"' ? angle : addr_spec);
}

void composer_append_mailbox(Composer *composer, const char *name, const char *addr_spec)
{
    g_autofree char *line = visible_name(composer, name);
    Composer before;
    gsize start;

    if (composer->value->len > 0) {
        g_string_append_c(composer->value, ',');
        composer->column++;
    }
    before = *composer;
    start = composer->value->len;
    while (line != NULL && line[0] != '\0') {
        gsize written;

        append_name_addr(composer, line, addr_spec);
        written = composer->value->len - start;
        if (composer->mailbox_max == 0 || written <= composer->mailbox_max)
            return;
        g_string_truncate(composer->value, start);
        *composer = before;
        shorten(line, written, composer->mailbox_max);
    }
    append_bare(composer, addr_spec);
}

static bool is_plain_word(const char *word, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (word[i] <= ' ' || word[i] > '~')
            return false;
    return length <= LINE_LIMIT;
}

/* The octets of the words at text that have to be encoded, with the blanks between them. */
static gsize odd_words(const char *text)
{
    gsize length = 0;

    while (text[length] != '\0') {
        gsize blank = length > 0;
        gsize word = strcspn(text + length + blank, " ");

        if (is_plain_word(text + length + blank, word))
            break;
        length += blank + word;
    }
    return length;
}

/*
 * Readers drop the blank between two encoded words. If text has encoded words of its own, the blank
 * beside them goes into our word.
 */
static void append_odd_words(Composer *composer, const char *text, gsize length, bool is_after_word)
{
    g_autofree char *words = NULL;

    words = g_strdup_printf("%s%.*s%s", is_after_word ? " " : "", (int)length, text,
                            g_str_has_prefix(text + length, " =?") ? " " : "");
    append_encoded(composer, words, strlen(words));
}

void composer_append_text(Composer *composer, const char *text)
{
    g_autofree char *tame = encoded_words_tame(text, strlen(text));
    g_autofree char *line = printable_line(tame);
    bool is_after_word = false;

    line[printable_cut(line, strlen(line), COMPOSER_TEXT_MAX)] = '\0';
    g_strchomp(line);
    for (const char *at = line; *at != '\0'; at += *at == ' ') {
        gsize length = odd_words(at);

        if (length > 0) {
            append_odd_words(composer, at, length, is_after_word);
            at += length;
            is_after_word = false;
            continue;
        }
        length = strcspn(at, " ");
        append_token(composer, at, length);
        is_after_word = length > 2 && strncmp(at + length - 2, "?=", 2) == 0;
        at += length;
    }
}
