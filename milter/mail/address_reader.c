#include "config.h"

#include "mail/address_reader.h"

#include <string.h>

#include "mail/addr_spec_reader.h"

#define PATH_MAX_LENGTH 4096 /* octets that are looked at, its source route included */

typedef struct {
    AddrSpecReader in;
    GPtrArray *addresses;
    bool is_in_group;
    bool has_group;
    bool has_repetition; /* an addr-spec before "<" */
    guint commas;        /* that were passed */
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
    return addr_spec_reader_is_at_end(&reader->in) || *reader->in.at == ',' ||
           *reader->in.at == ';';
}

/*
 * Skips what stands behind a mailbox up to the next comma. Returns false where it may be another
 * address.
 */
static bool skip_garbage(Reader *reader)
{
    bool is_harmless = true;

    addr_spec_reader_skip_blanks(&reader->in);
    while (!is_element_end(reader)) {
        reader->in.is_doubtful = true;
        is_harmless &= *reader->in.at != '@' && *reader->in.at != '<' && *reader->in.at != '\0';
        if (*reader->in.at == '"')
            addr_spec_reader_quoted_string(&reader->in, reader->in.phrase);
        else
            reader->in.at++;
        addr_spec_reader_skip_blanks(&reader->in);
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

/* Takes phrase, and what was read last. */
static AddressRead *address_new(const AddrSpecReader *reader, char *phrase)
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
    char next = addr_spec_reader_peek(&reader->in);
    bool is_spaced = next == ' ' || next == '\t' || next == '\n';

    g_snprintf(reader->joint, sizeof reader->joint, is_spaced ? "%c " : "%c", delimiter);
}

/* Keeps the words read last, which belong to the name of what follows. */
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

/* The comment read last: where there is no other name, it is one. */
static char *take_comment(Reader *reader)
{
    char *comment = NULL;

    if (reader->in.comment->len > 0)
        comment = g_strdup(reader->in.comment->str);
    g_string_truncate(reader->in.comment, 0);
    return comment;
}

static void read_name_addr(Reader *reader, const AddrSpecWords *words)
{
    g_autofree char *phrase = take_phrase(reader);

    reader->in.is_doubtful |= words->has_junk || words->has_leading_dot;
    if (!addr_spec_reader_angle(&reader->in)) {
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
 * same once more. Alone in its field that is no matter of doubt; in a list it is one.
 */
static bool read_same_angle(Reader *reader)
{
    g_autofree char *local_part = g_strdup(reader->in.local_part->str);
    g_autofree char *domain = g_strdup(reader->in.domain->str);

    reader->has_repetition = true;
    if (!addr_spec_reader_angle(&reader->in) || !skip_garbage(reader))
        return false;
    return g_ascii_strcasecmp(local_part, reader->in.local_part->str) == 0 &&
           g_ascii_strcasecmp(domain, reader->in.domain->str) == 0;
}

/* An addr-spec alone; a comment beside it is the name, as it was before RFC 822 had phrases. */
static void read_bare_addr_spec(Reader *reader, const AddrSpecWords *words)
{
    g_autofree char *before = take_comment(reader);
    g_autofree char *name = NULL;
    bool is_whole = addr_spec_reader_from_at(&reader->in, words);

    g_string_truncate(reader->pending, 0);
    name = take_comment(reader);
    if (name == NULL)
        name = g_steal_pointer(&before);
    if (is_whole && addr_spec_reader_peek(&reader->in) == '<')
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
 * the one mailbox of a field is read by all as if it were not there.
 */
static void note_bare_words(Reader *reader)
{
    bool is_behind_comma = reader->addresses->len == 1 && reader->commas == 1 &&
                           reader->in.phrase->len == 0 && reader->in.comment->len == 0 &&
                           !reader->has_group && addr_spec_reader_is_at_end(&reader->in);

    reader->in.is_doubtful |= !is_behind_comma;
    append_pending(reader);
}

/* Puts what was taken for a group back before the name that it belongs to: "Praxis: M <a@b.de>". */
static void prepend(AddressRead *address, const char *group, const char *colon)
{
    const char *name = address->phrase;
    char *phrase = g_strconcat(group, name != NULL ? colon : NULL, name, NULL);

    g_free(address->phrase);
    address->phrase = phrase;
}

static void read_elements(Reader *reader);

/* Reads a group up to its ";" or, where that lacks, to the end. */
static void read_group(Reader *reader)
{
    g_autofree char *group = g_strdup(reader->in.phrase->str);
    g_autofree char *colon = g_strdup(reader->joint);
    guint before = reader->addresses->len;

    reader->is_in_group = reader->has_group = true;
    read_elements(reader);
    reader->is_in_group = false;
    if (addr_spec_reader_peek(&reader->in) == ';') {
        reader->in.at++;
        note_joint(reader, ';');
    } else {
        reader->in.is_doubtful = true;
        if (reader->addresses->len > before && group[0] != '\0')
            prepend(g_ptr_array_index(reader->addresses, before), group, colon);
    }
    addr_spec_reader_skip_blanks(&reader->in);
    if (!addr_spec_reader_is_at_end(&reader->in) && *reader->in.at != ',')
        reader->in.is_doubtful = true;
}

/* Behind a ":". Groups don't nest. */
static void read_behind_colon(Reader *reader, const AddrSpecWords *words)
{
    reader->in.at++;
    note_joint(reader, ':');
    reader->in.is_doubtful |=
        words->words == 0 || words->has_junk || words->has_leading_dot || reader->is_in_group;
    if (!reader->is_in_group)
        read_group(reader);
}

/* Reads what stands between two commas. */
static void read_element(Reader *reader)
{
    AddrSpecWords words;

    g_string_truncate(reader->in.comment, 0);
    words = addr_spec_reader_words(&reader->in);
    switch (addr_spec_reader_peek(&reader->in)) {
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
        if (addr_spec_reader_is_at_end(&reader->in) ||
            (reader->is_in_group && *reader->in.at == ';'))
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
    addr_spec_reader_init(&reader.in, text, length);
    reader.pending = g_string_new(NULL);
    read_elements(&reader);
    if (reader.pending->len > 0 && !reader.in.is_broken)
        append_name(&reader, reader.pending->str);
    is_doubtful = reader.in.is_doubtful || (reader.has_repetition && addresses->len > 1);
    g_string_free(reader.pending, TRUE);
    addr_spec_reader_clear(&reader.in);
    return !is_doubtful;
}

/*
 * The path without its angle brackets and the root's dot; NULL where there is nothing, or half of
 * the brackets.
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
    if (length > 0 && text[length - 1] == '.') /* MTAs take it off too */
        length--;
    return length > 0 && length <= PATH_MAX_LENGTH ? g_strndup(text, length) : NULL;
}

/*
 * A path has no blanks and comments outside of quotes; a route and odd quotes are no matter of
 * doubt here, since no receiver guesses.
 */
static bool read_path(AddrSpecReader *reader)
{
    AddrSpecWords words;

    if (reader->is_doubtful || !addr_spec_reader_skip_route(reader) ||
        addr_spec_reader_skip_blanks(reader))
        return false;
    reader->is_doubtful = false;
    words = addr_spec_reader_words(reader);
    words.has_odd_quoting = false;
    if (addr_spec_reader_peek(reader) != '@' || !addr_spec_reader_from_at(reader, &words))
        return false;
    return addr_spec_reader_is_at_end(reader) && !reader->is_doubtful &&
           g_str_has_suffix(reader->at - reader->domain->len, reader->domain->str);
}

AddressRead *address_reader_read_path(const char *text)
{
    g_autofree char *inside = path_inside(text);
    AddressRead *address = NULL;
    AddrSpecReader reader;

    if (inside == NULL || strpbrk(inside, "\r\n") != NULL)
        return NULL;
    addr_spec_reader_init(&reader, inside, strlen(inside));
    if (read_path(&reader))
        address = address_new(&reader, NULL);
    addr_spec_reader_clear(&reader);
    return address;
}
