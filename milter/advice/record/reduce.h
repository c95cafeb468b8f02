#ifndef SPFROM_ADVICE_RECORD_REDUCE_H
#define SPFROM_ADVICE_RECORD_REDUCE_H

#include <glib.h>
#include <stdbool.h>

#include "advice/record/draft.h"
#include "advice/proof.h"

/*
 * Brings a record within the limits of RFC 7208 section 4.6.4, in the order of what is lost: a term
 * that stands there twice, one that finds nothing, terms whose networks stand in their place (those
 * first that free most for their length), and only then one that goes; never one of is_added, whose
 * networks come last. What was done is told in points, before it, once, what each term costs.
 *
 * Returns whether draft is within the limits now.
 */
bool reduce(const Ground *ground, Draft *draft, GPtrArray *points);
#endif
