#ifndef SPFROM_VERDICT_DECISION_H
#define SPFROM_VERDICT_DECISION_H

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "mail/edits.h"
#include "mail/header_fields.h"
#include "mail/mailboxes.h"
#include "mail/rewrite.h"
#include "policy/plan.h"
#include "policy/settings.h"
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
} DecisionMessage;

typedef struct {
    Mailboxes *authors;
    Plan *plan;
    Edits *edits;    /* of the header; NULL where the header stays */
    bool is_refused; /* edits are more than an MTA can take, or the fields could not be counted */
    ReplyToOutcome reply_to; /* REPLY_TO_NONE where the header stays */
    bool is_dkim_exempt;
    VerdictSource source; /* of the verdict that decided */
    GPtrArray *verdicts;  /* of Verdict, which plan borrows */
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
