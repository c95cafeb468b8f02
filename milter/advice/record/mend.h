#ifndef SPFROM_ADVICE_RECORD_MEND_H
#define SPFROM_ADVICE_RECORD_MEND_H

#include <glib.h>
#include <stdbool.h>

#include "advice/record/draft.h"

/* A TXT record that is SPF, or was meant as SPF, made one that is right. Pure. */

/*
 * Was text meant as an SPF record: "v=spf1;…", "\"v=spf1 …\"", "v=spf2 …", "spf1 …", or terms of
 * SPF that end in all? One that is SPF is too. Sender ID ("spf2.0/pra") isn't.
 */
bool mend_is_meant_as_spf(const char *text);

/*
 * Mends text. Terms that are right stay as they are, octet for octet.
 *
 * points  POINT_VERSION and POINT_ERROR are added
 * index   for Point.record
 * Returns a new draft without a wrong term, freed with draft_free(); never NULL.
 */
Draft *mend_record(const char *text, guint index, GPtrArray *points);
#endif
