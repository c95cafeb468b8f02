#ifndef SPFROM_ADVICE_RECORD_MEND_VALUE_H
#define SPFROM_ADVICE_RECORD_MEND_VALUE_H

#include <glib.h>
#include <stdbool.h>

/* What the owner meant by the value of a mechanism: a network or a domain. Pure. */

/*
 * Reads what stands behind the name of a mechanism as it was meant: blanks, ":" and "=" too much,
 * "http://", "user@", brackets and ports are taken off. "192.0.2.1", "192.0.002.1/24",
 * "192.0.2.*", "192.0.2.0-192.0.2.255", "192.0.2.0/255.255.255.0", "[2001:db8::1]" … become
 * "ip4:…" or "ip6:…", owned by the caller. An invalid prefix length is left out: the least that can
 * be meant. NULL if text is no network.
 */
char *mend_value_network(const char *text);

/* The same for a domain with at least two labels; macros are taken as they are. NULL if text is no
 * domain, or none that stands there whole. */
char *mend_value_domain(const char *text);

/* How many labels text, a domain, has; 0: it is no domain. */
guint mend_value_count_labels(const char *text);

/* Does text name a host or an address, without a mechanism before it? */
bool mend_value_is_bare(const char *text);
#endif
