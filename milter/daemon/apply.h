#ifndef SPFROM_DAEMON_APPLY_H
#define SPFROM_DAEMON_APPLY_H

#include <libmilter/mfapi.h>
#include <stdbool.h>

#include "mail/edits.h"
#include "policy/plan.h"

/*
 * Carries a plan out at end of message, as the only caller of libmilter's functions that change
 * one: the header first, then the envelope sender.
 *
 * edits           of the header; NULL if it stays
 * is_leading_space  the MTA leaves the blank after the colon to us (SMFIP_HDR_LEADSPC)
 * Returns false if libmilter refused one: the message is then half changed, and must be
 * tempfailed.
 */
bool apply_plan(SMFICTX *context, const Plan *plan, const Edits *edits, bool is_leading_space);
#endif
