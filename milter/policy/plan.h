#ifndef SPFROM_POLICY_PLAN_H
#define SPFROM_POLICY_PLAN_H

#include <glib.h>
#include <stdbool.h>

#include "mail/mailboxes.h"
#include "policy/message_action.h"
#include "policy/settings.h"
#include "policy/verdict.h"

/*
 * The decision (design section 4): settings, the identities of one message and their verdicts →
 * what is to be done. Pure: who asks for a plan looks the verdicts up first, those that the
 * plan_needs_*() functions name, and no others.
 */

/* The global mode in force: the configuration's, or that of the running daemon's switch, which caps
 * the sections. */
typedef struct {
    Mode mode;
    bool is_switch;
} ModeInForce;

typedef struct {
    const Mailboxes *authors; /* of the From: fields */
    const Mailbox *sender;    /* of the envelope */
    bool is_smtputf8;         /* MAIL came with SMTPUTF8 (RFC 6531) */
    const char *const *
        dkim_passes; /* d= domains that exempt_dkim's field says passed; NULL-terminated, or NULL */
} Identities;

typedef struct {
    Verdict *const
        *authors; /* one for each of identities->authors; NULL where plan_needs_author() says no */
    Verdict *sender;        /* NULL where plan_needs_sender() says no */
    bool is_dmarc_enforced; /* of the first author's domain; false where plan_needs_dmarc() says no
                             */
} PlanVerdicts;

typedef enum { PLAN_KEEP, PLAN_REWRITE, PLAN_TEMPFAIL } PlanAction;

/* Everything in it is borrowed from settings, identities and verdicts but unauthorised. */
typedef struct {
    PlanAction action;
    bool is_log_only;            /* action is what would be done; nothing is touched */
    bool rewrite_author;         /* From: and its kin get the fallback address */
    const char *envelope_sender; /* the new one, an addr-spec; NULL: it stays */
    const Mailbox *fallback;     /* in force for this message, as the three below */
    const char *display_name;
    const char *display_name_missing;
    bool add_reply_to;
    const Mailbox *author; /* that decided, or the first; NULL where none could be read */
    const char
        *domain; /* that decided: the author's, or the envelope's; NULL where there is none */
    SpfResult
        result; /* of that domain; SPF_PASS with verdict NULL where nothing had to be looked up */
    const Verdict *verdict; /* that decided; NULL where none was looked up */
    bool is_aligned;        /* author and envelope sender as they leave, or the null sender */
    GPtrArray
        *unauthorised; /* of const char *: unauthorised author domains, with a NULL at the end */
} Plan;

/* Does the message need nothing but PLAN_KEEP, whatever the verdicts: DKIM vouches for every
 * author? */
bool plan_is_dkim_exempt(Settings *settings, const Identities *identities);

/* Does the plan rest on the verdict of this author? Not where its domain is exempt or domain_map
 * decides. */
bool plan_needs_author(Settings *settings, ModeInForce mode, const Mailbox *author);

/* Does it rest on the envelope sender's, once those of the authors are known? */
bool plan_needs_sender(Settings *settings, ModeInForce mode, const Identities *identities,
                       const PlanVerdicts *verdicts);

/* Does it rest on the DMARC policy of the first author's domain, once the verdicts are known? */
bool plan_needs_dmarc(Settings *settings, ModeInForce mode, const Identities *identities,
                      const PlanVerdicts *verdicts);

/* Does this mailbox, with this verdict (NULL where plan_needs_author() says no), authorise the
 * relays? */
bool plan_is_authorised(Settings *settings, ModeInForce mode, const Mailbox *mailbox,
                        const Verdict *verdict);

/* Returns the plan, freed with plan_free(). */
Plan *plan_new(Settings *settings, ModeInForce mode, const Identities *identities,
               const PlanVerdicts *verdicts);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

/* What becomes of the message under plan: MESSAGE_ACTION_KEEP to MESSAGE_ACTION_WOULD_TEMPFAIL. */
MessageAction plan_message_action(const Plan *plan);
const char *plan_action_text(const Plan *plan);
#endif
