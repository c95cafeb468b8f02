#ifndef SPFROM_ADVICE_RECORD_MEND_TERM_H
#define SPFROM_ADVICE_RECORD_MEND_TERM_H

#include <glib.h>
#include <stdbool.h>

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
 * caller; empty if nothing can be made of it.
 */
char **mend_term(const char *text);

/* Does text name a host or an address, without a mechanism before it? */
bool mend_term_is_bare_value(const char *text);

#define MEND_TERM_MAX 2048 /* octets of a term; nothing is made of a longer one */
#endif
