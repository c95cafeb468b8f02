#ifndef SPFROM_ADVICE_RECORD_PROPOSAL_H
#define SPFROM_ADVICE_RECORD_PROPOSAL_H

#include <glib.h>

#include "advice/advice.h"
#include "advice/proof.h"

/*
 * Fills in kind, record, added and found of advice, and the points on what was done, from the TXT
 * records of ground's domain: the smallest change that is proven to work. For a domain that exists.
 *
 * texts  of char *: all TXT records, as found, without NUL
 */
void proposal_make(const Ground *ground, const GPtrArray *texts, Advice *advice);
#endif
