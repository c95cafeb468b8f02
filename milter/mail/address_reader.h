#ifndef SPFROM_MAIL_ADDRESS_READER_H
#define SPFROM_MAIL_ADDRESS_READER_H

#include <glib.h>
#include <stdbool.h>

/*
 * A reader of address lists that knows when it is in doubt: RFC 5322 sections 3.4 and 4.4 and RFC
 * 6854 to the letter, and wherever text leaves that, or is legal but known to be read in several
 * ways, it says so. One pass, no recursion: depth and length of hostile text cost nothing but that
 * pass. What another parser makes of the same text is mailboxes.c's question.
 */
typedef struct {
    char *phrase; /* the name: octets as they came, without quotes, folds and comments; NULL where
                     there is none */
    char *local_part; /* without quotes; NULL where only the name could be read */
    char *domain;     /* without comments and blanks; NULL with local_part */
} AddressRead;

void address_read_free(AddressRead *address);

#define ADDRESS_READER_ADDRESSES_MAX 64

/*
 * Reads the value of a From: field, group members included, and appends to addresses (of
 * AddressRead) every mailbox that has a whole addr-spec of its own between two commas, and where
 * there is only a name, that.
 *
 * Returns whether there was no doubt. Doubtful are (the list is not complete) what is empty, an
 * empty group, a stray comma or semicolon, bare words, a second "@" or "<" in one mailbox, an
 * address literal, a source route, comments or blanks inside of an addr-spec, what is no word
 * behind a comment in a comment, a fold in quotes with "@" or "<", what stands behind ">",
 * quotes, brackets and comments that don't end, NUL, CR and other controls.
 */
bool address_reader_read(const char *text, gsize length, GPtrArray *addresses);

/*
 * Reads what an MTA hands over as envelope sender (RFC 5321 section 4.1.2): "a@b" with or without
 * angle brackets, maybe with a source route, which is left out. Returns a new AddressRead without a
 * phrase, or NULL where it is no such path.
 */
AddressRead *address_reader_read_path(const char *text);
#endif
