#ifndef SPFROM_ADVICE_RECORD_FLATTEN_H
#define SPFROM_ADVICE_RECORD_FLATTEN_H

#include <glib.h>

#include "advice/record/draft.h"
#include "advice/proof.h"

#define FLATTEN_NETWORKS_MAX 100 /* that may stand in the place of one term */

/*
 * The networks that a term stands for today, as terms that need no look-up, with its qualifier; of
 * a redirect those of the record there, and its all. NULL-terminated, owned by the caller; NULL
 * where they can't be told: exists, ptr, macros, too many, DNS trouble.
 */
char **flatten_term(const Ground *ground, const DraftTerm *term);
#endif
