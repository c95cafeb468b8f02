#ifndef SPFROM_MAIL_ADDR_SPEC_READER_H
#define SPFROM_MAIL_ADDR_SPEC_READER_H

#include <glib.h>
#include <stdbool.h>

/*
 * The parts of an address list below its commas: words, comments, addr-specs (RFC 5322 sections 3.2
 * to 3.4.1 and 4.4). For address_reader.c alone, which knows what stands between two commas.
 */
#define ADDR_SPEC_MAX 320 /* octets: 64, "@", 255 (RFC 5321 section 4.5.3.1) */

typedef struct {
    const char *at;
    const char *end;
    bool is_doubtful;    /* what was read so far may be read in another way */
    bool is_broken;      /* a quote or comment without end: what is behind it can't be trusted */
    bool has_inner_fold; /* a fold in a quoted string, or in a comment with a quote, "@" or "<" */
    bool has_sign;       /* "@" or "<" in a quoted string or a comment */
    guint comments;      /* that were read, nested ones not counted */
    bool has_deep_sign;  /* "@" or "<" in a comment that has another one in it */
    GString *comment;    /* text of the comment read last */
    GString *phrase;     /* the words read last, a blank where they stood apart */
    GString *local_part; /* the same words without blanks between them */
    GString *domain;     /* the domain read last */
} AddrSpecReader;

/* text is borrowed. A control in it that is no fold is doubtful from the start. */
void addr_spec_reader_init(AddrSpecReader *reader, const char *text, gsize length);
void addr_spec_reader_clear(AddrSpecReader *reader);

/* The next octet; NUL at the end. */
char addr_spec_reader_peek(const AddrSpecReader *reader);
bool addr_spec_reader_is_at_end(const AddrSpecReader *reader);

/* Skips blanks, folds and comments. Returns whether there were any. */
bool addr_spec_reader_skip_blanks(AddrSpecReader *reader);

/* Appends the content of the quoted string that begins here. */
void addr_spec_reader_quoted_string(AddrSpecReader *reader, GString *text);

/* What was read before a "<", "@", ":", "," or the end. */
typedef struct {
    guint words;
    bool is_after_word;   /* the last thing was a word and not a dot */
    bool is_local_part;   /* no two words without a dot between them; more dots, too, are in use */
    bool has_inner_blank; /* … and blanks or comments too */
    bool has_odd_quoting; /* a quoted string holds what some parsers stumble over */
    bool has_junk;        /* what has no place in a phrase */
    bool has_leading_dot; /* nor has this, but local parts do begin so */
} AddrSpecWords;

/* Reads words into phrase and local_part, up to what can't be one. */
AddrSpecWords addr_spec_reader_words(AddrSpecReader *reader);

/*
 * Reads from "@" on, where words were the local part. Returns whether local_part and domain are an
 * addr-spec now; an address literal is none.
 */
bool addr_spec_reader_from_at(AddrSpecReader *reader, const AddrSpecWords *words);

/* Skips a source route, "@a.example,@b.example:". Returns false where it does not end. */
bool addr_spec_reader_skip_route(AddrSpecReader *reader);

/* Reads "<addr-spec>" into local_part and domain. Returns whether it was that. */
bool addr_spec_reader_angle(AddrSpecReader *reader);
#endif
