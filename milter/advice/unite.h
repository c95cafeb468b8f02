#ifndef SPFROM_ADVICE_UNITE_H
#define SPFROM_ADVICE_UNITE_H

#include <glib.h>

#include "advice/draft.h"

/*
 * One record of several: the terms of the first, then what the others have besides, in their order;
 * the softest all at the end. "+all", which would let everybody pass, counts as "?all" here. Where
 * one has a redirect and another has all, or another redirect, the redirect becomes an include. Of
 * two exp the first stays. Pure.
 *
 * drafts  of Draft, at least one, without wrong terms
 * Returns a new draft, freed with draft_free().
 */
Draft *unite(const GPtrArray *drafts);
#endif
