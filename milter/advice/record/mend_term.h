#ifndef SPFROM_ADVICE_RECORD_MEND_TERM_H
#define SPFROM_ADVICE_RECORD_MEND_TERM_H

#include <glib.h>
#include <stdbool.h>

#include "spf/record.h"

/*
 * What the owner meant by a term that is wrong: "ip4:192.0.2.1include:x.org" two terms, "ipv4:" and
 * "include=" another name, "include:http://x.org/" the domain in it. Pure; nothing that is right is
 * to be given to it.
 */

/*
 * Is the term right, and not such that it can only be a mistake: a mechanism's name as a modifier
 * ("include=x.org"), a domain that is no host name ("a:x.org,b", "include:x.org~all")?
 */
bool mend_term_is_right(const char *text);

/*
 * Returns the terms that text was meant as, all of them right, NULL-terminated, owned by the
 * caller; empty if nothing can be made of it. A domain or address that does not stand in text whole
 * is in none of them.
 *
 * has_lost  set to true if a part that may refuse senders could not be read for certain
 */
char **mend_term(const char *text, bool *has_lost);

/*
 * May text be the rest of the address that before begins with: "92.0.2.1" behind "ip4:1",
 * "b8::/32" behind "ip6:2001:d"? Then neither is whole.
 */
bool mend_term_goes_on(const char *before, const char *text);

/* May a term that needs nothing before it begin at text: "mx", "-all", "include:…"? */
bool mend_term_may_begin(const char *text);

/* Is it an include with another character in the place of its colon: "include.x.org"? */
bool mend_term_is_include(const char *text);

/* The kind of the mechanism or modifier that a word of a name alone was meant as: "include",
 * "inclde". RECORD_WRONG: none. */
RecordTermKind mend_term_kind(const char *word);

#define MEND_TERM_MAX 2048 /* octets of a term; nothing is made of a longer one */
#endif
