#ifndef SPFROM_DOCTOR_FALLBACK_H
#define SPFROM_DOCTOR_FALLBACK_H

#include "doctor/findings.h"

/* Do the fallback addresses' domains authorise the relays, are they signed for, does mail to them
 * have a route? */
void doctor_fallback(Doctor *doctor);

/* The same of another domain that stands in our envelope, but for the route. */
void doctor_fallback_domain(Doctor *doctor, const char *domain);

/* Do letters go out from this host (design section 22)? */
bool doctor_sends_letters(const Doctor *doctor);

/* The value of a key in the text of opendkim.conf(5), owned by the caller; NULL if it has none.
 * Pure. */
char *fallback_opendkim_value(const char *text, const char *key);

/* Appends the selectors (char *) for domain in the text of OpenDKIM's KeyTable, whose rows read
 * "NAME DOMAIN:SELECTOR:KEY". Pure. */
void fallback_key_table(const char *text, const char *domain, GPtrArray *selectors);
#endif
