#ifndef SPFROM_ADVICE_RECORD_REDUCE_H
#define SPFROM_ADVICE_RECORD_REDUCE_H

#include <glib.h>
#include <stdbool.h>

#include "advice/record/draft.h"
#include "advice/proof.h"

/*
 * Brings a record within the limits of RFC 7208 section 4.6.4, with the cheapest loss first: a term
 * that is there twice, one that finds nothing, terms replaced by their networks (those first that
 * free most for their length; the domain's own a and mx behind them), and last of all a term that is
 * dropped; never one of is_added, whose networks come last. Points say what was done, and before it, once, what each term costs.
 *
 * Returns whether draft is within the limits now.
 */
bool reduce(const Ground *ground, Draft *draft, GPtrArray *points);
#endif
