#ifndef SPFROM_POLICY_PLAN_H
#define SPFROM_POLICY_PLAN_H

#include <glib.h>
#include <stdbool.h>

#include "mail/mailboxes.h"
#include "policy/message_action.h"
#include "policy/settings.h"
#include "policy/standing.h"
#include "policy/verdict.h"

/*
 * The decision (design section 4): settings, the identities of one message and their verdicts →
 * what is to be done. Pure: the caller looks up the verdicts that plan_needs() names.
 */
typedef struct {
    const Mailboxes *authors;     /* of the From: fields */
    const Mailbox *sender;        /* of the envelope */
    const Mailbox *sender_header; /* the one mailbox in Sender:; NULL: none, or not just one */
    bool is_smtputf8;             /* MAIL came with SMTPUTF8 (RFC 6531) */
    /* d= domains that exempt_dkim's field says passed; NULL-terminated, or NULL */
    const char *const *dkim_passes;
    bool is_returned;   /* it came back to addresses of ours (design section 19) */
    bool has_no_tokens; /* those that it should carry can't be kept: see Plan.token */
} Identities;

/* An identity by number: the authors by their position, then these two. */
#define PLAN_SENDER MAILBOXES_MAX
#define PLAN_SENDER_HEADER (MAILBOXES_MAX + 1)
#define PLAN_IDENTITIES (MAILBOXES_MAX + 2)
#define PLAN_NOBODY (-1)

/* NULL if the message has no such identity. */
const Mailbox *plan_mailbox(const Identities *identities, int identity);

typedef enum { PLAN_DMARC_UNKNOWN, PLAN_DMARC_NONE, PLAN_DMARC_ENFORCED } PlanDmarc;

/* What is known so far. */
typedef struct {
    Verdict *of[PLAN_IDENTITIES]; /* NULL: not known, or not needed */
    PlanDmarc dmarc;              /* the policy of the first author's domain */
} PlanVerdicts;

typedef struct {
    bool of[PLAN_IDENTITIES]; /* the verdicts on these identities' domains */
    bool dmarc;               /* the DMARC policy of the first author's domain */
    guint count;              /* of all of them; 0: the plan can be made */
} PlanNeeds;

/*
 * What the plan still needs. The first time, when no verdict is known, these are all mailboxes whose
 * verdict may matter, to be asked at once. A verdict that turns out not to matter does not change
 * the plan. Ask again with what was found: a second call names at most what the first could not
 * foresee, and the DMARC policy, which is needed only if all authors are authorised.
 */
PlanNeeds plan_needs(Settings *settings, ModeInForce mode, const Identities *identities,
                     const PlanVerdicts *verdicts);

typedef enum { PLAN_KEEP, PLAN_REWRITE, PLAN_TEMPFAIL } PlanAction;

/* Why nothing was looked up about the identity that decided. */
typedef enum {
    PLAN_WHY_NONE, /* there is a verdict, or no domain to ask for */
    PLAN_WHY_OFF,
    PLAN_WHY_MAP,      /* domain_map says authorised=yes or no */
    PLAN_WHY_EXEMPT,   /* by exempt_dkim */
    PLAN_WHY_FALLBACK, /* of the fallback's own domain, or a fallback address */
} PlanWhy;

/* "off", "map" and so on, as the log has it; NULL for PLAN_WHY_NONE. */
const char *plan_why_text(PlanWhy why);

/* All pointers are borrowed from settings, identities and verdicts, except unauthorised and those
 * that are the plan's own. */
typedef struct {
    PlanAction action;
    bool is_log_only;    /* action is what would be done; nothing is touched */
    bool is_dkim_exempt; /* DKIM vouches for every author: kept, whatever the verdicts */
    bool rewrite_author; /* From: and its kin get the fallback address */
    bool is_sender_header_authorised; /* with rewrite_author: Sender: may stay */
    const Mailbox *sender;            /* the envelope sender as the message leaves */
    const char *envelope_sender;      /* the new one, an addr-spec; NULL: it stays */
    /* In force for this message, as the three below; with its token, if it has one. */
    const Mailbox *fallback;
    const ReturnForm *fallback_form;
    const char *display_name;
    const char *display_name_missing;
    bool add_reply_to;
    const Mailbox *author; /* that decided, or the first; NULL if none could be read */
    const char *domain;    /* that decided: the author's, or the envelope's; NULL: none */
    SpfResult result;      /* of that domain; means nothing unless why is PLAN_WHY_NONE */
    PlanWhy why;
    int identity;           /* whose verdict decided; PLAN_NOBODY: no author could be read */
    const Verdict *verdict; /* its verdict; NULL if none was looked up */
    /* every author stays, and one of them for this selector of dkim_consent; NULL: none does */
    const char *dkim;
    const char *dkim_domain; /* with dkim: the domain of that author */
    bool is_aligned;         /* author and envelope sender as they leave, or the null sender */
    Mode mode;               /* of the message */
    /*
     * The token that From: or the envelope carries, and its author. Before the message leaves, the
     * caller must have kept that this token stands for that address; if it can't, it asks for
     * another plan (has_no_tokens).
     */
    ReturnToken token; /* "": none */
    const Mailbox *token_author;
    Mailbox *own_fallback; /* with the token, as the next one; the plan's own */
    Mailbox *own_return;
    /* of const char *: unauthorised author domains, with a NULL at the end */
    GPtrArray *unauthorised;
} Plan;

/* A verdict that plan_needs() names and verdicts lacks counts as unauthorised. Freed with
 * plan_free(). */
Plan *plan_new(Settings *settings, ModeInForce mode, const Identities *identities,
               const PlanVerdicts *verdicts);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

/* What becomes of the message under plan: MESSAGE_ACTION_KEEP to MESSAGE_ACTION_WOULD_TEMPFAIL. */
MessageAction plan_message_action(const Plan *plan);
const char *plan_action_text(const Plan *plan);

/* The result of SPF as it is told: "softfail"; NULL if nothing was looked up. */
const char *plan_result_text(const Plan *plan);

/* The fallback address that is used, if it is not that of settings itself; else NULL. */
const ReturnForm *plan_other_fallback(const Plan *plan, Settings *settings);
#endif
