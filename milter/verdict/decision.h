#ifndef SPFROM_VERDICT_DECISION_H
#define SPFROM_VERDICT_DECISION_H

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "mail/edits.h"
#include "mail/header_fields.h"
#include "mail/mailboxes.h"
#include "mail/returned.h"
#include "mail/rewrite.h"
#include "policy/plan.h"
#include "policy/settings.h"
#include "returns/return_store.h"
#include "verdict/verdicts.h"

/*
 * One message's way from what it says of itself to what is to be done: the authors are read, the
 * verdicts that the plan rests on are asked for, the plan is made and turned into edits. The daemon
 * and `spfrom test` go this same way.
 */
typedef struct {
    const HeaderFields *fields;
    const Mailbox *sender; /* of the envelope */
    bool is_smtputf8;
    gsize mailbox_max; /* octets of a mailbox that the MTA can read, see mail/rewrite.h; 0: any */
    Deadline deadline; /* for all of its DNS */
    /* Of char *: the message came back from outside, to the authors of these tokens. NULL: no. */
    const GPtrArray *return_tokens;
    ReturnStore *store; /* where its own token is kept; NULL: it can't be */
    bool is_trial;      /* nothing leaves, so that nothing is kept */
} DecisionMessage;

typedef struct {
    Mailboxes *authors;
    Plan *plan;
    Edits *edits; /* of the header; NULL where the header stays. A kept one is marked if returned */
    bool is_refused; /* edits are more than an MTA can take, or the fields could not be counted */
    ReplyToOutcome reply_to; /* REPLY_TO_NONE where From: stays */
    bool is_dkim_exempt;
    bool is_token_unavailable; /* it leaves without a token, as that could not be kept */
    bool is_returned;
    ReturnKind return_kind; /* with is_returned, as the next two */
    bool is_loop;           /* it was returned to one of them before */
    bool is_unwanted;       /* return_mail does not have its kind */
    VerdictSource source;   /* of the verdict that decided */
    GPtrArray *verdicts;    /* of Verdict, which plan borrows */
} Decision;

/*
 * Waits for DNS, at most until the message's deadline. settings, mode and verdicts
 * are one snapshot. message and settings must outlive the decision. Freed with decision_free();
 * never NULL.
 */
Decision *decision_new(Settings *settings, ModeInForce mode, Verdicts *verdicts,
                       const DecisionMessage *message);
void decision_free(Decision *decision);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Decision, decision_free)
#endif
