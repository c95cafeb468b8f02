#ifndef SPFROM_ADVICE_RECORD_UNITE_H
#define SPFROM_ADVICE_RECORD_UNITE_H

#include <glib.h>

#include "advice/record/draft.h"

/*
 * One record of several, which lets nobody pass that none of them does: the terms of the first that
 * refuses nobody, then what the others have besides, in their order, nothing from behind an all;
 * the softest all at the end. "+all", which would let everybody pass, counts as "?all" here. Where
 * one has a redirect and another has all, or another redirect, the redirect becomes an include. Of
 * two exp the first stays. Pure.
 *
 * records  of Draft, at least one, without wrong terms
 * Returns a new draft, freed with draft_free().
 */
Draft *unite(const GPtrArray *records);
#endif
