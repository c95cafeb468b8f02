#ifndef SPFROM_ADVICE_RECORD_MEND_VALUE_H
#define SPFROM_ADVICE_RECORD_MEND_VALUE_H

/*
 * What stands behind the name of a mechanism, read as it was meant. Blanks, ":" and "=" too much,
 * "http://", "user@", brackets and ports are taken off. Both return NULL where text is none; what
 * they return is owned by the caller.
 */

/*
 * "192.0.2.1", "192.0.002.1/24", "192.0.2.*", "192.0.2.0-192.0.2.255", "192.0.2.0/255.255.255.0",
 * "[2001:db8::1]" … as "ip4:…" or "ip6:…". A prefix length that is none is left out: the least that
 * can be meant.
 */
char *mend_value_network(const char *text);

/* A domain with at least two labels; macros are taken as they are. */
char *mend_value_domain(const char *text);
#endif
