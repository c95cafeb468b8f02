#include "config.h"

#include "mail/addr_spec_reader.h"

#include <string.h>

#define COMMENT_DEPTH_MAX 16

/* What an atom may hold (RFC 5322 section 3.2.3), with RFC 6532 everything that isn't ASCII. */
static bool is_atext(char c)
{
    if (g_ascii_isalnum(c) || (guchar)c >= 0x80)
        return true;
    return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static bool is_control(char c)
{
    return ((guchar)c < ' ' && c != '\t') || c == 0x7f;
}

/* Is there an octet that no parser agrees on: a control, or a LF that isn't a fold? */
static bool has_control(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (!is_control(text[i]))
            continue;
        if (text[i] != '\n' || i + 1 == length || (text[i + 1] != ' ' && text[i + 1] != '\t'))
            return true;
    }
    return false;
}

void addr_spec_reader_init(AddrSpecReader *reader, const char *text, gsize length)
{
    *reader = (AddrSpecReader){.at = text, .end = text + length};
    reader->is_doubtful = has_control(text, length);
    reader->comment = g_string_new(NULL);
    reader->phrase = g_string_new(NULL);
    reader->local_part = g_string_new(NULL);
    reader->domain = g_string_new(NULL);
}

void addr_spec_reader_clear(AddrSpecReader *reader)
{
    g_string_free(reader->comment, TRUE);
    g_string_free(reader->phrase, TRUE);
    g_string_free(reader->local_part, TRUE);
    g_string_free(reader->domain, TRUE);
}

char addr_spec_reader_peek(const AddrSpecReader *reader)
{
    return reader->at < reader->end ? *reader->at : '\0';
}

bool addr_spec_reader_is_at_end(const AddrSpecReader *reader)
{
    return reader->at >= reader->end;
}

/* Gives up: what is left is neither read nor trusted. */
static void give_up(AddrSpecReader *reader)
{
    reader->is_doubtful = reader->is_broken = true;
    reader->at = reader->end;
}

/*
 * Parsers that end a quoted string or a comment at a line end see the quotes behind it the other
 * way round: what is inside for us, be it in another quoted string, is an address for them.
 */
static void note_fold_and_sign(AddrSpecReader *reader, const char *start)
{
    bool has_fold = false;
    bool has_quote = false;
    bool has_sign = false;

    for (const char *at = start; at < reader->at; at++) {
        has_fold |= *at == '\n';
        has_quote |= *at == '"';
        has_sign |= *at == '@' || *at == '<';
    }
    reader->has_sign |= has_sign;
    reader->has_inner_fold |= has_fold && (has_quote || has_sign);
    reader->is_doubtful |= reader->has_inner_fold && reader->has_sign;
}

/*
 * Appends the next octet of quoted text or a comment, a quoted pair without its backslash, a fold
 * without its LF.
 */
static void take_quoted_octet(AddrSpecReader *reader, GString *text)
{
    char c = *reader->at++;

    if (c == '\\' && !addr_spec_reader_is_at_end(reader)) {
        c = *reader->at++;
        reader->is_doubtful |= c == '\n';
    }
    if (c == '\n')
        return;
    g_string_append_c(text, c);
}

/*
 * Ruby's mail takes the text of each comment out of the field, one after another: what the first
 * one leaves of the second is part of the address then.
 */
static void note_deep_sign(AddrSpecReader *reader, const char *start)
{
    gsize length = (gsize)(reader->at - start);

    if (memchr(start + 1, '(', length - 1) != NULL)
        reader->has_deep_sign |=
            memchr(start, '@', length) != NULL || memchr(start, '<', length) != NULL;
    reader->comments++;
    reader->is_doubtful |= reader->has_deep_sign && reader->comments > 1;
}

/*
 * Reads the comment that begins at "(", nested ones included. Some parsers end it at the first ")":
 * behind a nested one nothing may stand that would mean something to them.
 */
static void read_comment(AddrSpecReader *reader)
{
    const char *start = reader->at;
    bool is_ended = false; /* for such a parser */
    guint depth = 0;

    g_string_truncate(reader->comment, 0);
    do {
        char c = addr_spec_reader_peek(reader);

        if (addr_spec_reader_is_at_end(reader) || depth > COMMENT_DEPTH_MAX) {
            give_up(reader);
            return;
        }
        depth += c == '(';
        depth -= c == ')';
        is_ended |= c == ')';
        reader->is_doubtful |= is_ended && strchr("@<\",:;\\", c) != NULL;
        if ((c == '(' && depth == 1) || (c == ')' && depth == 0))
            reader->at++;
        else
            take_quoted_octet(reader, reader->comment);
    } while (depth > 0);
    note_fold_and_sign(reader, start);
    note_deep_sign(reader, start);
}

bool addr_spec_reader_skip_blanks(AddrSpecReader *reader)
{
    const char *start = reader->at;

    while (!addr_spec_reader_is_at_end(reader)) {
        if (is_blank(*reader->at))
            reader->at++;
        else if (*reader->at == '(')
            read_comment(reader);
        else
            break;
    }
    return reader->at > start;
}

void addr_spec_reader_quoted_string(AddrSpecReader *reader, GString *text)
{
    const char *start = reader->at;

    reader->at++;
    while (addr_spec_reader_peek(reader) != '"') {
        if (addr_spec_reader_is_at_end(reader)) {
            give_up(reader);
            return;
        }
        take_quoted_octet(reader, text);
    }
    reader->at++;
    note_fold_and_sign(reader, start);
}

static void read_atom(AddrSpecReader *reader, GString *text)
{
    const char *start = reader->at;

    while (!addr_spec_reader_is_at_end(reader) && is_atext(*reader->at))
        reader->at++;
    g_string_append_len(text, start, reader->at - start);
}

static void note_word(AddrSpecWords *words)
{
    words->is_local_part &= !words->is_after_word;
    words->is_after_word = true;
    words->words++;
}

/* Reads one word, dot or piece of junk. Returns false at what ends the words. */
static bool read_word(AddrSpecReader *reader, AddrSpecWords *words, bool is_apart)
{
    char c = addr_spec_reader_peek(reader);
    gsize before = reader->local_part->len;

    if (addr_spec_reader_is_at_end(reader) || (c != '\0' && strchr("<>@:;,", c) != NULL))
        return false;
    if (is_apart && reader->phrase->len > 0)
        g_string_append_c(reader->phrase, ' ');
    words->has_inner_blank |= is_apart && before > 0;
    if (c == '"') {
        addr_spec_reader_quoted_string(reader, reader->local_part);
        words->has_odd_quoting |= strcspn(reader->local_part->str + before, "@<>,;:\"\\()") <
                                  reader->local_part->len - before;
        note_word(words);
    } else if (is_atext(c)) {
        read_atom(reader, reader->local_part);
        words->has_odd_quoting |= g_strstr_len(reader->local_part->str + before, -1, "=?") != NULL;
        note_word(words);
    } else {
        words->has_junk |= c != '.';
        words->has_leading_dot |= c == '.' && words->words == 0;
        words->is_after_word = false;
        g_string_append_c(reader->local_part, c);
        reader->at++;
    }
    g_string_append_len(reader->phrase, reader->local_part->str + before,
                        (gssize)(reader->local_part->len - before));
    return true;
}

AddrSpecWords addr_spec_reader_words(AddrSpecReader *reader)
{
    AddrSpecWords words = {.is_local_part = true};
    bool is_apart;

    g_string_truncate(reader->phrase, 0);
    g_string_truncate(reader->local_part, 0);
    do {
        is_apart = addr_spec_reader_skip_blanks(reader);
    } while (read_word(reader, &words, is_apart));
    words.has_inner_blank |= is_apart && addr_spec_reader_peek(reader) == '@';
    words.is_local_part &= words.words > 0 && !words.has_junk;
    return words;
}

/*
 * Is text what a local part may be beyond its grammar: UTF-8 with nothing in it that is invisible
 * or turns lines?
 */
static bool is_sound(const GString *text)
{
    if (!g_utf8_validate_len(text->str, text->len, NULL))
        return false;
    for (const char *at = text->str; at < text->str + text->len; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        if (c < 0x80 ? is_control(*at) || c == '\t' : !g_unichar_isgraph(c))
            return false;
    }
    return text->len > 0;
}

/* Reads a domain behind "@". A dot at its end is the root's (RFC 1034 section 3.1): left out. */
static bool read_domain(AddrSpecReader *reader)
{
    bool is_apart = addr_spec_reader_skip_blanks(reader);

    g_string_truncate(reader->domain, 0);
    while (is_atext(addr_spec_reader_peek(reader))) {
        reader->is_doubtful |= is_apart;
        read_atom(reader, reader->domain);
        is_apart = addr_spec_reader_skip_blanks(reader);
        if (addr_spec_reader_peek(reader) != '.')
            return !reader->is_broken;
        reader->is_doubtful |= is_apart;
        reader->at++;
        is_apart = addr_spec_reader_skip_blanks(reader);
        if (!is_atext(addr_spec_reader_peek(reader))) {
            reader->is_doubtful = true;
            return !reader->is_broken;
        }
        g_string_append_c(reader->domain, '.');
    }
    return false;
}

bool addr_spec_reader_from_at(AddrSpecReader *reader, const AddrSpecWords *words)
{
    reader->at++;
    if (!read_domain(reader))
        return false;
    reader->is_doubtful |= words->has_inner_blank || words->has_odd_quoting;
    return words->is_local_part && is_sound(reader->local_part) &&
           reader->local_part->len + 1 + reader->domain->len <= ADDR_SPEC_MAX;
}

bool addr_spec_reader_skip_route(AddrSpecReader *reader)
{
    if (addr_spec_reader_peek(reader) != '@')
        return true;
    reader->is_doubtful = true;
    while (addr_spec_reader_peek(reader) == '@' || addr_spec_reader_peek(reader) == ',') {
        if (*reader->at++ == '@' && !read_domain(reader))
            return false;
        addr_spec_reader_skip_blanks(reader);
    }
    if (addr_spec_reader_peek(reader) != ':')
        return false;
    reader->at++;
    return true;
}

/* Does a comment inside of "<>" hold what some parsers take for the address itself? */
static bool has_sign_beside(const char *start, const char *end)
{
    guint signs = 0;

    for (const char *at = start; at < end; at++)
        signs += *at == '@' || *at == '<';
    return signs > 1;
}

bool addr_spec_reader_angle(AddrSpecReader *reader)
{
    const char *start = ++reader->at;
    AddrSpecWords words;

    addr_spec_reader_skip_blanks(reader);
    if (!addr_spec_reader_skip_route(reader))
        return false;
    words = addr_spec_reader_words(reader);
    if (addr_spec_reader_peek(reader) != '@' || !addr_spec_reader_from_at(reader, &words) ||
        addr_spec_reader_peek(reader) != '>')
        return false;
    reader->is_doubtful |= has_sign_beside(start, reader->at);
    reader->at++;
    return true;
}
