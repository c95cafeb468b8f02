#ifndef SPFROM_VERDICT_RELAY_CHECK_H
#define SPFROM_VERDICT_RELAY_CHECK_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"
#include "policy/verdict.h"
#include "spf/evaluation.h"
#include "verdict/relay_set.h"

/* A verdict fresh from the DNS, and how far it holds. */
typedef struct {
    Verdict *verdict;
    guint32 ttl;      /* seconds: the smallest of all answers that it rests on */
    bool uses_sender; /* it holds for this address only */
    bool uses_host;   /* it holds for this host's name only */
    bool
        lacks_keys; /* the DNS did not say whether the domain agrees by DKIM (verdicts.c sets it) */
} RelayCheck;

/* Octets of a verdict's mechanism and reason: both come from records of strangers, and stay in the
 * cache. */
#define RELAY_CHECK_TEXT_MAX 255

/*
 * check_host() (RFC 7208 section 4) for every network of set, combined by relay_policy (design
 * section 7): with "all" each has to pass, with "any" the whole of one entry. Of results that
 * differ, the worst decides (design section 12).
 *
 * We don't know all places from which mail leaves if the set is incomplete. With "all" the result
 * is then that of a relay that isn't authorised, else temperror; with "any" an entry that is not
 * known whole counts as temperror, or as the result of its relay that does not pass.
 *
 * local_part  NULL or "": postmaster
 */
RelayCheck relay_check_run(EvaluationContext *context, Settings *settings, const RelaySet *set,
                           const char *domain, const char *local_part);
#endif
