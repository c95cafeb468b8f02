#ifndef SPFROM_SPF_CANONICAL_H
#define SPFROM_SPF_CANONICAL_H

#include "spf/check_host.h"

/*
 * Writes a record for libspf2 and numbers its terms: only qualifiers, mechanism names and aliases
 * ("t7._spfrom" for the check's term 7). Networks are compared with the relay here, so that a
 * record of any length fits: those that don't hold it are left out, the one that does is "all". It
 * is followed by nothing, modifiers but redirect are dropped, and a redirect stands last.
 *
 * opener  the term that brought the record; its first and count are set
 * record  one without a wrong term
 * Returns the canonical record, owned by the caller.
 */
char *canonical_write(Check *check, guint opener, const Record *record);
#endif
