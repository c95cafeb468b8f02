#ifndef SPFROM_MAIL_ADDRESS_CANDIDATES_H
#define SPFROM_MAIL_ADDRESS_CANDIDATES_H

#include <glib.h>

/*
 * Finds the author in a From: field that address_reader.c could not read, so that replies still
 * have a way: "Erika <erika@muster.example" or "Erika (erika@muster.example)". It looks for every
 * addr-spec in text with a domain of at least two labels: first outside of quotes and comments,
 * then in comments, in quoted strings, and at last in encoded words.
 *
 * Appends one AddressRead to addresses where all that it finds in the first such place are the same
 * address; where they differ and are of one domain, the one that alone is in "<>", else all of
 * them, without names. Otherwise it appends nothing, nor where one may be read in several ways
 * ("a@b@c.example", a control character beside it).
 */
void address_candidates_find(const char *text, gsize length, GPtrArray *addresses);
#endif
