#include "config.h"

#include "mail/address_reader.h"

#include <string.h>

#define PATH_MAX_LENGTH 4096 /* octets that are looked at, its source route included */
#define COMMENT_DEPTH_MAX 16
#define ADDR_SPEC_MAX 320 /* octets: 64, "@", 255 (RFC 5321 section 4.5.3.1) */

/* The parts of an address list below its commas: words, comments, addr-specs (RFC 5322 sections 3.2
 * to 3.4.1 and 4.4). */
typedef struct {
    const char *at;
    const char *end;
    bool is_doubtful;    /* the text so far may be read in another way */
    bool is_broken;      /* a quote or comment has no end: the text behind it can't be trusted */
    bool has_inner_fold; /* a fold in a quoted string, or in a comment with a quote, "@" or "<" */
    bool has_sign;       /* "@" or "<" in a quoted string or a comment */
    guint comments;      /* read so far, nested ones not counted */
    bool has_deep_sign;  /* "@" or "<" in a comment that has another one in it */
    GString *comment;    /* text of the comment read last */
    GString *phrase;     /* the words read last, a blank where they stood apart */
    GString *local_part; /* the same words without blanks between them */
    GString *domain;     /* the domain read last */
} Scanner;

/* What was read before a "<", "@", ":", "," or the end. */
typedef struct {
    guint words;
    bool is_after_word;   /* the last thing was a word and not a dot */
    bool is_local_part;   /* a dot between each two words; some senders use more dots */
    bool has_inner_blank; /* blanks or comments between the words */
    bool has_odd_quoting; /* a quoted string holds characters over which some parsers stumble */
    bool has_junk;        /* an octet that has no place in a phrase */
    bool has_leading_dot; /* has no place in a phrase either, but local parts begin so */
} Words;

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

/* Returns whether there is an octet on which parsers differ: a control, or an LF that isn't a
 * fold. */
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

/* text is borrowed. A control in it that is no fold is doubtful from the start. */
static void scanner_init(Scanner *scanner, const char *text, gsize length)
{
    *scanner = (Scanner){.at = text, .end = text + length};
    scanner->is_doubtful = has_control(text, length);
    scanner->comment = g_string_new(NULL);
    scanner->phrase = g_string_new(NULL);
    scanner->local_part = g_string_new(NULL);
    scanner->domain = g_string_new(NULL);
}

static void scanner_clear(Scanner *scanner)
{
    g_string_free(scanner->comment, TRUE);
    g_string_free(scanner->phrase, TRUE);
    g_string_free(scanner->local_part, TRUE);
    g_string_free(scanner->domain, TRUE);
}

/* The next octet; NUL at the end. */
static char peek(const Scanner *scanner)
{
    return scanner->at < scanner->end ? *scanner->at : '\0';
}

static bool is_at_end(const Scanner *scanner)
{
    return scanner->at >= scanner->end;
}

/* Gives up: the rest is neither read nor trusted. */
static void give_up(Scanner *scanner)
{
    scanner->is_doubtful = scanner->is_broken = true;
    scanner->at = scanner->end;
}

/*
 * Parsers that end a quoted string or a comment at a line end see the quotes behind it the other
 * way round: for them, text is an address that is inside of quotes for us.
 */
static void note_fold_and_sign(Scanner *scanner, const char *start)
{
    bool has_fold = false;
    bool has_quote = false;
    bool has_sign = false;

    for (const char *at = start; at < scanner->at; at++) {
        has_fold |= *at == '\n';
        has_quote |= *at == '"';
        has_sign |= *at == '@' || *at == '<';
    }
    scanner->has_sign |= has_sign;
    scanner->has_inner_fold |= has_fold && (has_quote || has_sign);
    scanner->is_doubtful |= scanner->has_inner_fold && scanner->has_sign;
}

/*
 * Appends the next octet of quoted text or a comment, a quoted pair without its backslash, a fold
 * without its LF.
 */
static void take_quoted_octet(Scanner *scanner, GString *text)
{
    char c = *scanner->at++;

    if (c == '\\' && !is_at_end(scanner)) {
        c = *scanner->at++;
        scanner->is_doubtful |= c == '\n';
    }
    if (c == '\n')
        return;
    g_string_append_c(text, c);
}

/*
 * Ruby's mail takes the text of each comment out of the field, one after another. If the first one
 * leaves a part of the second, that becomes part of the address.
 */
static void note_deep_sign(Scanner *scanner, const char *start)
{
    gsize length = (gsize)(scanner->at - start);

    if (memchr(start + 1, '(', length - 1) != NULL)
        scanner->has_deep_sign |=
            memchr(start, '@', length) != NULL || memchr(start, '<', length) != NULL;
    scanner->comments++;
    scanner->is_doubtful |= scanner->has_deep_sign && scanner->comments > 1;
}

/*
 * Reads the comment that begins at "(", nested ones included. Some parsers end it at the first
 * ")", so that nothing may stand behind a nested comment that would mean something to them.
 */
static void read_comment(Scanner *scanner)
{
    const char *start = scanner->at;
    bool is_ended = false; /* for such a parser */
    guint depth = 0;

    g_string_truncate(scanner->comment, 0);
    do {
        char c = peek(scanner);

        if (is_at_end(scanner) || depth > COMMENT_DEPTH_MAX) {
            give_up(scanner);
            return;
        }
        depth += c == '(';
        depth -= c == ')';
        is_ended |= c == ')';
        scanner->is_doubtful |= is_ended && strchr("@<\",:;\\", c) != NULL;
        if ((c == '(' && depth == 1) || (c == ')' && depth == 0))
            scanner->at++;
        else
            take_quoted_octet(scanner, scanner->comment);
    } while (depth > 0);
    note_fold_and_sign(scanner, start);
    note_deep_sign(scanner, start);
}

/* Skips blanks, folds and comments. Returns whether there were any. */
static bool skip_blanks(Scanner *scanner)
{
    const char *start = scanner->at;

    while (!is_at_end(scanner)) {
        if (is_blank(*scanner->at))
            scanner->at++;
        else if (*scanner->at == '(')
            read_comment(scanner);
        else
            break;
    }
    return scanner->at > start;
}

/* Appends the content of the quoted string that begins here. */
static void read_quoted_string(Scanner *scanner, GString *text)
{
    const char *start = scanner->at;

    scanner->at++;
    while (peek(scanner) != '"') {
        if (is_at_end(scanner)) {
            give_up(scanner);
            return;
        }
        take_quoted_octet(scanner, text);
    }
    scanner->at++;
    note_fold_and_sign(scanner, start);
}

static void read_atom(Scanner *scanner, GString *text)
{
    const char *start = scanner->at;

    while (!is_at_end(scanner) && is_atext(*scanner->at))
        scanner->at++;
    g_string_append_len(text, start, scanner->at - start);
}

static void note_word(Words *words)
{
    words->is_local_part &= !words->is_after_word;
    words->is_after_word = true;
    words->words++;
}

/* Reads one word, dot or piece of junk. Returns false at what ends the words. */
static bool read_word(Scanner *scanner, Words *words, bool is_apart)
{
    char c = peek(scanner);
    gsize before = scanner->local_part->len;

    if (is_at_end(scanner) || (c != '\0' && strchr("<>@:;,", c) != NULL))
        return false;
    if (is_apart && scanner->phrase->len > 0)
        g_string_append_c(scanner->phrase, ' ');
    words->has_inner_blank |= is_apart && before > 0;
    if (c == '"') {
        read_quoted_string(scanner, scanner->local_part);
        words->has_odd_quoting |= strcspn(scanner->local_part->str + before, "@<>,;:\"\\()") <
                                  scanner->local_part->len - before;
        note_word(words);
    } else if (is_atext(c)) {
        read_atom(scanner, scanner->local_part);
        words->has_odd_quoting |= g_strstr_len(scanner->local_part->str + before, -1, "=?") != NULL;
        note_word(words);
    } else {
        words->has_junk |= c != '.';
        words->has_leading_dot |= c == '.' && words->words == 0;
        words->is_after_word = false;
        g_string_append_c(scanner->local_part, c);
        scanner->at++;
    }
    g_string_append_len(scanner->phrase, scanner->local_part->str + before,
                        (gssize)(scanner->local_part->len - before));
    return true;
}

/* Reads words into phrase and local_part, up to what can't be a word. */
static Words read_words(Scanner *scanner)
{
    Words words = {.is_local_part = true};
    bool is_apart;

    g_string_truncate(scanner->phrase, 0);
    g_string_truncate(scanner->local_part, 0);
    do {
        is_apart = skip_blanks(scanner);
    } while (read_word(scanner, &words, is_apart));
    words.has_inner_blank |= is_apart && peek(scanner) == '@';
    words.is_local_part &= words.words > 0 && !words.has_junk;
    return words;
}

/*
 * Returns whether a local part is more than grammatical: UTF-8 in which nothing is invisible or
 * turns the direction of a line.
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
static bool read_domain(Scanner *scanner)
{
    bool is_apart = skip_blanks(scanner);

    g_string_truncate(scanner->domain, 0);
    while (is_atext(peek(scanner))) {
        scanner->is_doubtful |= is_apart;
        read_atom(scanner, scanner->domain);
        is_apart = skip_blanks(scanner);
        if (peek(scanner) != '.')
            return !scanner->is_broken;
        scanner->is_doubtful |= is_apart;
        scanner->at++;
        is_apart = skip_blanks(scanner);
        if (!is_atext(peek(scanner))) {
            scanner->is_doubtful = true;
            return !scanner->is_broken;
        }
        g_string_append_c(scanner->domain, '.');
    }
    return false;
}

/*
 * Reads from "@" on, if words were the local part. Returns whether local_part and domain are an
 * addr-spec now; an address literal is none.
 */
static bool read_from_at(Scanner *scanner, const Words *words)
{
    scanner->at++;
    if (!read_domain(scanner))
        return false;
    scanner->is_doubtful |= words->has_inner_blank || words->has_odd_quoting;
    return words->is_local_part && is_sound(scanner->local_part) &&
           scanner->local_part->len + 1 + scanner->domain->len <= ADDR_SPEC_MAX;
}

/* Skips a source route, "@a.example,@b.example:". Returns false if it does not end. */
static bool skip_route(Scanner *scanner)
{
    if (peek(scanner) != '@')
        return true;
    scanner->is_doubtful = true;
    while (peek(scanner) == '@' || peek(scanner) == ',') {
        if (*scanner->at++ == '@' && !read_domain(scanner))
            return false;
        skip_blanks(scanner);
    }
    if (peek(scanner) != ':')
        return false;
    scanner->at++;
    return true;
}

/* Returns whether a comment inside of "<>" may be taken for the address itself by some parsers. */
static bool has_sign_beside(const char *start, const char *end)
{
    guint signs = 0;

    for (const char *at = start; at < end; at++)
        signs += *at == '@' || *at == '<';
    return signs > 1;
}

/* Reads "<addr-spec>" into local_part and domain. Returns whether it was that. */
static bool read_angle(Scanner *scanner)
{
    const char *start = ++scanner->at;
    Words words;

    skip_blanks(scanner);
    if (!skip_route(scanner))
        return false;
    words = read_words(scanner);
    if (peek(scanner) != '@' || !read_from_at(scanner, &words) || peek(scanner) != '>')
        return false;
    scanner->is_doubtful |= has_sign_beside(start, scanner->at);
    scanner->at++;
    return true;
}

typedef struct {
    Scanner in;
    GPtrArray *addresses;
    bool is_in_group;
    bool has_group;
    bool has_repetition; /* an addr-spec before "<" */
    guint commas;        /* passed so far */
    GString *pending;    /* bare words before a comma: "Müller, Dr. <a@b.de>" lacks quotes */
    char joint[3];       /* the delimiter passed last, with the blank behind it */
} Reader;

void address_read_free(AddressRead *address)
{
    if (address == NULL)
        return;
    g_free(address->phrase);
    g_free(address->local_part);
    g_free(address->domain);
    g_free(address);
}

static bool is_element_end(const Reader *reader)
{
    return is_at_end(&reader->in) || *reader->in.at == ',' || *reader->in.at == ';';
}

/*
 * Skips the text behind a mailbox up to the next comma. Returns false if it may be another address.
 */
static bool skip_garbage(Reader *reader)
{
    bool is_harmless = true;

    skip_blanks(&reader->in);
    while (!is_element_end(reader)) {
        reader->in.is_doubtful = true;
        is_harmless &= *reader->in.at != '@' && *reader->in.at != '<' && *reader->in.at != '\0';
        if (*reader->in.at == '"')
            read_quoted_string(&reader->in, reader->in.phrase);
        else
            reader->in.at++;
        skip_blanks(&reader->in);
    }
    return is_harmless && !reader->in.is_broken;
}

/* Appends the name of a mailbox that could not be read. */
static void append_name(Reader *reader, const char *phrase)
{
    AddressRead *address;

    reader->in.is_doubtful = true;
    if (phrase == NULL)
        return;
    address = g_new0(AddressRead, 1);
    address->phrase = g_strdup(phrase);
    g_ptr_array_add(reader->addresses, address);
}

/* The address read last, with phrase, of which it takes ownership. */
static AddressRead *address_new(const Scanner *reader, char *phrase)
{
    AddressRead *address = g_new(AddressRead, 1);

    address->phrase = phrase;
    address->local_part = g_strndup(reader->local_part->str, reader->local_part->len);
    address->domain = g_strndup(reader->domain->str, reader->domain->len);
    return address;
}

static void append_address(Reader *reader, char *phrase)
{
    g_ptr_array_add(reader->addresses, address_new(&reader->in, phrase));
}

/* Notes the delimiter that was just passed, which may turn out to be part of a name. */
static void note_joint(Reader *reader, char delimiter)
{
    char next = peek(&reader->in);
    bool is_spaced = next == ' ' || next == '\t' || next == '\n';

    g_snprintf(reader->joint, sizeof reader->joint, is_spaced ? "%c " : "%c", delimiter);
}

/* Keeps the words read last, which belong to the name of the mailbox that follows. */
static void append_pending(Reader *reader)
{
    if (reader->in.phrase->len == 0)
        return;
    if (reader->pending->len > 0)
        g_string_append(reader->pending, reader->joint);
    g_string_append_len(reader->pending, reader->in.phrase->str, (gssize)reader->in.phrase->len);
}

/* The name before "<": with the bare words before the commas that should have been quoted. */
static char *take_phrase(Reader *reader)
{
    char *phrase = NULL;

    append_pending(reader);
    if (reader->pending->len > 0)
        phrase = g_strdup(reader->pending->str);
    g_string_truncate(reader->pending, 0);
    return phrase;
}

/* The comment read last, which is the name if there is no other. */
static char *take_comment(Reader *reader)
{
    char *comment = NULL;

    if (reader->in.comment->len > 0)
        comment = g_strdup(reader->in.comment->str);
    g_string_truncate(reader->in.comment, 0);
    return comment;
}

static void read_name_addr(Reader *reader, const Words *words)
{
    g_autofree char *phrase = take_phrase(reader);

    reader->in.is_doubtful |= words->has_junk || words->has_leading_dot;
    if (!read_angle(&reader->in)) {
        skip_garbage(reader);
        append_name(reader, phrase);
        return;
    }
    if (!skip_garbage(reader)) {
        append_name(reader, phrase);
        return;
    }
    if (phrase == NULL)
        phrase = take_comment(reader);
    append_address(reader, g_steal_pointer(&phrase));
}

/*
 * Reads "<addr-spec>" behind an addr-spec that should have been quoted. Returns whether it is the
 * same address once more. That is doubtful in a list, but not if it is alone in its field.
 */
static bool read_same_angle(Reader *reader)
{
    g_autofree char *local_part = g_strdup(reader->in.local_part->str);
    g_autofree char *domain = g_strdup(reader->in.domain->str);

    reader->has_repetition = true;
    if (!read_angle(&reader->in) || !skip_garbage(reader))
        return false;
    return g_ascii_strcasecmp(local_part, reader->in.local_part->str) == 0 &&
           g_ascii_strcasecmp(domain, reader->in.domain->str) == 0;
}

/* An addr-spec alone; a comment beside it is the name, as it was before RFC 822 had phrases. */
static void read_bare_addr_spec(Reader *reader, const Words *words)
{
    g_autofree char *before = take_comment(reader);
    g_autofree char *name = NULL;
    bool is_whole = read_from_at(&reader->in, words);

    g_string_truncate(reader->pending, 0);
    name = take_comment(reader);
    if (name == NULL)
        name = g_steal_pointer(&before);
    if (is_whole && peek(&reader->in) == '<')
        is_whole = read_same_angle(reader);
    if (!is_whole || !is_element_end(reader)) { /* "a@b c.de": b, or bc.de? */
        skip_garbage(reader);
        if (name == NULL)
            name = take_comment(reader);
        append_name(reader, name);
        return;
    }
    append_address(reader, g_steal_pointer(&name));
}

/*
 * Words without an address, or nothing at all: a stray comma, an empty group. Only a comma behind
 * the one mailbox of a field is ignored by all parsers.
 */
static void note_bare_words(Reader *reader)
{
    bool is_behind_comma = reader->addresses->len == 1 && reader->commas == 1 &&
                           reader->in.phrase->len == 0 && reader->in.comment->len == 0 &&
                           !reader->has_group && is_at_end(&reader->in);

    reader->in.is_doubtful |= !is_behind_comma;
    append_pending(reader);
}

/* Puts the words that looked like a group's name back before the name of the mailbox: "Praxis: M
 * <a@b.de>". */
static void prepend(AddressRead *address, const char *group, const char *colon)
{
    const char *name = address->phrase;
    char *phrase = g_strconcat(group, name != NULL ? colon : NULL, name, NULL);

    g_free(address->phrase);
    address->phrase = phrase;
}

static void read_elements(Reader *reader);

/* Reads a group up to its ";" or, if that is missing, to the end. */
static void read_group(Reader *reader)
{
    g_autofree char *group = g_strdup(reader->in.phrase->str);
    g_autofree char *colon = g_strdup(reader->joint);
    guint before = reader->addresses->len;

    reader->is_in_group = reader->has_group = true;
    read_elements(reader);
    reader->is_in_group = false;
    if (peek(&reader->in) == ';') {
        reader->in.at++;
        note_joint(reader, ';');
    } else {
        reader->in.is_doubtful = true;
        if (reader->addresses->len > before && group[0] != '\0')
            prepend(g_ptr_array_index(reader->addresses, before), group, colon);
    }
    skip_blanks(&reader->in);
    if (!is_at_end(&reader->in) && *reader->in.at != ',')
        reader->in.is_doubtful = true;
}

/* Behind a ":". Groups don't nest. */
static void read_behind_colon(Reader *reader, const Words *words)
{
    reader->in.at++;
    note_joint(reader, ':');
    reader->in.is_doubtful |=
        words->words == 0 || words->has_junk || words->has_leading_dot || reader->is_in_group;
    if (!reader->is_in_group)
        read_group(reader);
}

/* Reads the text between two commas. */
static void read_element(Reader *reader)
{
    Words words;

    g_string_truncate(reader->in.comment, 0);
    words = read_words(&reader->in);
    switch (peek(&reader->in)) {
    case '<':
        read_name_addr(reader, &words);
        break;
    case '@':
        read_bare_addr_spec(reader, &words);
        break;
    case ':':
        read_behind_colon(reader, &words);
        break;
    case '>':
        reader->in.is_doubtful = true;
        skip_garbage(reader);
        break;
    default: /* a comma, a semicolon, the end */
        note_bare_words(reader);
        break;
    }
}

/* Reads elements up to the end or, in a group, its ";". */
static void read_elements(Reader *reader)
{
    while (!reader->in.is_broken && reader->addresses->len < ADDRESS_READER_ADDRESSES_MAX) {
        read_element(reader);
        if (is_at_end(&reader->in) || (reader->is_in_group && *reader->in.at == ';'))
            return;
        reader->in.is_doubtful |= *reader->in.at == ';';
        reader->commas += *reader->in.at == ',';
        if (*reader->in.at == ',' || *reader->in.at == ';')
            note_joint(reader, *reader->in.at++);
    }
    reader->in.is_doubtful = true;
}

bool address_reader_read(const char *text, gsize length, GPtrArray *addresses)
{
    Reader reader = {.addresses = addresses};
    bool is_doubtful;

    if (memchr(text, '\0', length) != NULL || memchr(text, '\r', length) != NULL)
        return false;
    scanner_init(&reader.in, text, length);
    reader.pending = g_string_new(NULL);
    read_elements(&reader);
    if (reader.pending->len > 0 && !reader.in.is_broken)
        append_name(&reader, reader.pending->str);
    is_doubtful = reader.in.is_doubtful || (reader.has_repetition && addresses->len > 1);
    g_string_free(reader.pending, TRUE);
    scanner_clear(&reader.in);
    return !is_doubtful;
}

/*
 * The path without its angle brackets and the root's dot; NULL if it is empty, or if one of the
 * brackets is missing.
 */
static char *path_inside(const char *text)
{
    gsize length = strlen(text);

    if (*text == '<') {
        if (text[length - 1] != '>')
            return NULL;
        text++;
        length -= 2;
    }
    if (length > 0 && text[length - 1] == '.') /* MTAs take the root's dot off too */
        length--;
    return length > 0 && length <= PATH_MAX_LENGTH ? g_strndup(text, length) : NULL;
}

/*
 * A path has no blanks and comments outside of quotes. A route and odd quotes are not doubtful
 * here, since receivers don't guess at paths.
 */
static bool read_path(Scanner *reader)
{
    Words words;

    if (reader->is_doubtful || !skip_route(reader) || skip_blanks(reader))
        return false;
    reader->is_doubtful = false;
    words = read_words(reader);
    words.has_odd_quoting = false;
    if (peek(reader) != '@' || !read_from_at(reader, &words))
        return false;
    return is_at_end(reader) && !reader->is_doubtful &&
           g_str_has_suffix(reader->at - reader->domain->len, reader->domain->str);
}

AddressRead *address_reader_read_path(const char *text)
{
    g_autofree char *inside = path_inside(text);
    AddressRead *address = NULL;
    Scanner reader;

    if (inside == NULL || strpbrk(inside, "\r\n") != NULL)
        return NULL;
    scanner_init(&reader, inside, strlen(inside));
    if (read_path(&reader))
        address = address_new(&reader, NULL);
    scanner_clear(&reader);
    return address;
}
