#ifndef SPFROM_POLICY_MECHANISM_H
#define SPFROM_POLICY_MECHANISM_H

#include <stdbool.h>

/*
 * Can text be a mechanism that authorises relays (RFC 7208 section 5), for advice_mechanisms: one
 * word of printable ASCII that begins with a mechanism's name and has what that one needs, without
 * a qualifier, and not "all"? Whether it works is known only once it is evaluated.
 */
bool mechanism_is_authorising(const char *text);
#endif
