#ifndef SPFROM_ADVICE_REMARKS_H
#define SPFROM_ADVICE_REMARKS_H

#include <glib.h>

#include "advice/advice.h"
#include "advice/proof.h"

/* Adds the points that say something and change nothing: on the record, the domain, the relays.
 * texts: as for proposal_make(). */
void remarks_add(const Ground *ground, const GPtrArray *texts, Advice *advice);

/* The strings of a TXT record of text, each at most 255 octets, parted behind a blank where there
 * is one. NULL-terminated, owned by the caller. */
char **remarks_strings(const char *text);

#define REMARKS_STRING_MAX 255 /* octets of one string (RFC 1035 section 3.3) */
#define REMARKS_RECORD_MAX 450 /* octets of a record that fits into any answer (RFC 7208 3.4) */
#endif
