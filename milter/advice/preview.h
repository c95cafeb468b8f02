#ifndef SPFROM_ADVICE_PREVIEW_H
#define SPFROM_ADVICE_PREVIEW_H

#include "advice/domain_check.h"
#include "policy/plan.h"

/* What becomes of a message from a domain, shown with one that nobody wrote: the plan and the
 * rewrite are those of real mail. Texts are UTF-8, decoded and unfolded. */
typedef struct {
    MessageAction action;
    bool is_off; /* the mode is: nothing is looked up */
    char *from_before;
    char *from_after; /* under MESSAGE_ACTION_WOULD_REWRITE what it would be */
    char *reply_to;   /* the new Reply-To:; NULL: it has none, as before */
} Preview;

/*
 * check       of the domain; its local part is used if an address was asked for
 * mode        in force
 * name        of the author, and local_part if check has none: both ASCII
 * Returns a new preview, freed with preview_free(); never NULL.
 */
Preview *preview_new(Settings *settings, ModeInForce mode, const DomainCheck *check,
                     const char *name, const char *local_part);
void preview_free(Preview *preview);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Preview, preview_free)
#endif
