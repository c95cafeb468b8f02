#ifndef SPFROM_BASE_SPELLING_H
#define SPFROM_BASE_SPELLING_H

#include <glib.h>

/* How alike two words are, for "did you mean". */
#define SPELLING_MAX 255 /* octets of a word */

/* How many octets have to be put in, left out or replaced to make b of a; SPELLING_MAX if one of
 * them is too long. */
guint spelling_distance(const char *a, const char *b);
#endif
