#ifndef SPFROM_MAIL_ADDRESS_CANDIDATES_H
#define SPFROM_MAIL_ADDRESS_CANDIDATES_H

#include <glib.h>

/*
 * Finds the author in a From: field that address_reader.c could not read, so that replies still
 * have a way: "Erika <erika@muster.example" or "Erika (erika@muster.example)". It looks for every
 * addr-spec in text with a domain of at least two labels: first outside of quotes and comments,
 * then in comments, in quoted strings, and at last in encoded words.
 *
 * If everything that it finds in the first such place is one address, it appends that to addresses
 * (of AddressRead). If the addresses differ, but are of one domain, it appends the only one in
 * "<>", or else all of them, without names. It appends nothing if there are several domains, or if
 * one of the addresses may be read in several ways ("a@b@c.example", a control character beside
 * it).
 */
void address_candidates_find(const char *text, gsize length, GPtrArray *addresses);
#endif
