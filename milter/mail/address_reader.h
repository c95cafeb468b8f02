#ifndef SPFROM_MAIL_ADDRESS_READER_H
#define SPFROM_MAIL_ADDRESS_READER_H

#include <glib.h>
#include <stdbool.h>

/*
 * A reader of address lists that knows when it is in doubt: it follows RFC 5322 sections 3.4
 * and 4.4 and RFC 6854 to the letter, and says so if text leaves that, or is legal but known to be
 * read in several ways. It takes one pass without recursion, so that depth and length of hostile
 * text cost nothing but that pass. mailboxes.c asks another parser what it makes of the same text.
 */
typedef struct {
    /* The name: octets as they came, without quotes, folds and comments; NULL if there is none. */
    char *phrase;
    char *local_part; /* without quotes; NULL if only the name could be read */
    char *domain;     /* without comments and blanks; NULL if local_part is */
} AddressRead;

void address_read_free(AddressRead *address);

#define ADDRESS_READER_ADDRESSES_MAX 64

/*
 * Reads the value of a From: field, group members included, and appends to addresses (of
 * AddressRead) every mailbox that has a whole addr-spec of its own between two commas, or its
 * name if there is no more than that.
 *
 * Returns whether there was no doubt. Doubtful are (the list is not complete) an empty text
 * or group, a stray comma or semicolon, bare words, a second "@" or "<" in one mailbox, an address
 * literal, a source route, comments or blanks inside of an addr-spec, anything but words behind a
 * comment in a comment, a fold in quotes with "@" or "<", anything behind ">", quotes, brackets and
 * comments that don't end, NUL, CR and other controls.
 */
bool address_reader_read(const char *text, gsize length, GPtrArray *addresses);

/*
 * Reads an envelope sender as an MTA hands it over (RFC 5321 section 4.1.2): "a@b" with or without
 * angle brackets, maybe with a source route, which is left out. Returns a new AddressRead without a
 * phrase, or NULL if text is not such a path.
 */
AddressRead *address_reader_read_path(const char *text);
#endif
