#include "config.h"

#include "policy/plan.h"

#include <string.h>

#include "base/domain_name.h"

#define AUTHOR_UNREADABLE (-2) /* the From: itself, which can't be read without doubt */

/* One message on its way to a plan. Authors are positions in identities->authors. */
typedef struct {
    Settings *settings;
    ModeInForce mode;
    const Identities *identities;
    const PlanVerdicts *verdicts;
    bool is_final;    /* a verdict that is not known counts as unauthorised */
    bool is_exempt;   /* by DKIM */
    bool has_open;    /* the verdict on some author is not known */
    int tempfail;     /* the first author whose result is in tempfail_on, or PLAN_NOBODY */
    int unauthorised; /* the first one that is to be rewritten, or PLAN_NOBODY, AUTHOR_UNREADABLE */
    Standing standing; /* in force for the message but for its mode */
    Mode message_mode;
} Case;

const Mailbox *plan_mailbox(const Identities *identities, int identity)
{
    if (identity == PLAN_SENDER)
        return identities->sender;
    if (identity == PLAN_SENDER_HEADER)
        return identities->sender_header;
    return identity >= 0 && (guint)identity < identities->authors->mailboxes->len
               ? mailboxes_at(identities->authors, (guint)identity)
               : NULL;
}

static Standing standing_of_identity(const Case *c, int identity)
{
    const Mailbox *mailbox = plan_mailbox(c->identities, identity);

    return standing_of(c->settings, c->mode, mailbox != NULL ? mailbox->domain_name : NULL);
}

/*
 * True if mailbox, an address of ours, proves nothing: the message comes from outside, where anybody
 * can write it. A fallback address without a token is what strangers get anyway.
 */
static bool is_claim(const Case *c, const Mailbox *mailbox)
{
    return c->identities->is_returned &&
           (mailbox->addr_spec == NULL ||
            !g_hash_table_contains(c->settings->fallbacks, mailbox->addr_spec));
}

/* True if nothing but such a claim would exempt identity. */
static bool is_claimed(const Case *c, int identity)
{
    const Mailbox *mailbox = plan_mailbox(c->identities, identity);

    return mailbox != NULL && is_claim(c, mailbox) &&
           standing_of_identity(c, identity).mode != MODE_OFF &&
           standing_outcome(c->settings, c->mode, mailbox, NULL, false) == STANDING_EXEMPT;
}

/* The selector by which the domain of the author at position agrees to our signature; NULL: it does
 * not. What comes from outside is not signed by us. */
static const char *consent_at(const Case *c, int position)
{
    bool is_author = position >= 0 && position < PLAN_SENDER;
    const Verdict *verdict = is_author ? c->verdicts->of[position] : NULL;

    return verdict != NULL && !c->identities->is_returned ? verdict->dkim : NULL;
}

static StandingOutcome outcome_of(const Case *c, int identity)
{
    StandingOutcome outcome;

    if (is_claimed(c, identity))
        return STANDING_UNAUTHORISED;
    outcome = standing_outcome(c->settings, c->mode, plan_mailbox(c->identities, identity),
                               c->verdicts->of[identity], consent_at(c, identity) != NULL);
    return outcome == STANDING_OPEN && c->is_final ? STANDING_UNAUTHORISED : outcome;
}

static bool is_dkim_aligned(const Mailbox *author, const char *const *passes)
{
    for (; *passes != NULL; passes++)
        if (author->domain_name != NULL && domain_name_is_aligned(author->domain_name, *passes))
            return true;
    return false;
}

static bool is_plain(const char *text)
{
    return text == NULL || strpbrk(text, " \t\r\n;\"()") == NULL;
}

/*
 * Some verifiers write the envelope sender into the field of exempt_dkim, unquoted. Can this one be
 * read there as a value and no more?
 */
static bool is_plain_sender(const Mailbox *sender)
{
    return is_plain(sender->local_part) && is_plain(sender->domain);
}

static bool is_dkim_exempt(Settings *settings, const Identities *identities)
{
    const Mailboxes *authors = identities->authors;

    if (settings->exempt_dkim == NULL || identities->dkim_passes == NULL || authors->is_doubtful ||
        authors->mailboxes->len == 0 || !is_plain_sender(identities->sender))
        return false;
    for (guint i = 0; i < authors->mailboxes->len; i++)
        if (!is_dkim_aligned(mailboxes_at(authors, i), identities->dkim_passes))
            return false;
    return true;
}

/* True if something in From: can't be read, and counts. */
static bool is_unreadable(const Case *c)
{
    return c->identities->authors->is_doubtful && c->mode.mode != MODE_OFF;
}

/* No retry mends a From: that can't be read: tempfail_on does not apply to the rest of it. An
 * author who was only searched in it decides nothing: the field counts as unreadable. */
static StandingOutcome author_outcome(const Case *c, int position)
{
    StandingOutcome outcome;

    if (c->identities->authors->is_searched)
        return STANDING_EXEMPT;
    outcome = outcome_of(c, position);
    return outcome == STANDING_TEMPFAIL && is_unreadable(c)
               ? standing_of_verdict(c->settings, c->verdicts->of[position])
               : outcome;
}

static int first_author(const Case *c, StandingOutcome outcome)
{
    for (int i = 0; i < (int)c->identities->authors->mailboxes->len; i++)
        if (author_outcome(c, i) == outcome)
            return i;
    return PLAN_NOBODY;
}

/* NULL if there is none, or none that can be read. */
static const Mailbox *first_mailbox(const Case *c)
{
    return plan_mailbox(c->identities, 0);
}

static int unauthorised_author(const Case *c)
{
    int first = first_author(c, STANDING_UNAUTHORISED);

    if (first == PLAN_NOBODY && is_unreadable(c))
        return AUTHOR_UNREADABLE;
    return first;
}

/* The standing of the author that decides; if only the envelope is in question, of the first one. */
static Standing standing_in_force(const Case *c)
{
    if (c->tempfail != PLAN_NOBODY)
        return standing_of_identity(c, c->tempfail);
    if (c->unauthorised != PLAN_NOBODY)
        return standing_of_identity(c, c->unauthorised);
    return standing_of_identity(c, 0);
}

/* The most active mode of all authors: nobody's log-only lets another author through. No section
 * holds for what can't be read. */
static Mode message_mode(const Case *c)
{
    const Mailboxes *authors = c->identities->authors;
    Mode mode = authors->is_doubtful ? c->mode.mode : MODE_OFF;

    for (int i = 0; i < (int)authors->mailboxes->len; i++)
        mode = MAX(mode, standing_of_identity(c, i).mode);
    return mode;
}

static Case case_of(Settings *settings, ModeInForce mode, const Identities *identities,
                    const PlanVerdicts *verdicts, bool is_final)
{
    Case c = {.settings = settings,
              .mode = mode,
              .identities = identities,
              .verdicts = verdicts,
              .is_final = is_final};

    c.is_exempt = is_dkim_exempt(settings, identities);
    c.has_open = first_author(&c, STANDING_OPEN) != PLAN_NOBODY;
    c.tempfail = first_author(&c, STANDING_TEMPFAIL);
    c.unauthorised = unauthorised_author(&c);
    c.standing = standing_in_force(&c);
    c.message_mode = message_mode(&c);
    return c;
}

/* True if the message is none of ours to look at: its mode is off, or DKIM vouches for it. */
static bool is_left_alone(const Case *c)
{
    return c->message_mode == MODE_OFF || c->is_exempt;
}

static bool is_aligned_with(const Mailbox *a, const Mailbox *b)
{
    return a != NULL && a->domain_name != NULL && b != NULL && b->domain_name != NULL &&
           domain_name_is_aligned(a->domain_name, b->domain_name);
}

static bool is_same_domain(const Mailbox *a, const Mailbox *b)
{
    return a->domain_name != NULL && b->domain_name != NULL &&
           strcmp(a->domain_name, b->domain_name) == 0;
}

/*
 * True if the envelope sender is of the domain of the fallback or return address in force. Once the
 * message was rewritten, its first author is a fallback address.
 */
static bool is_sender_of_fallback(const Case *c)
{
    const Mailbox *sender = c->identities->sender;
    const Mailbox *author = first_mailbox(c);

    if (is_same_domain(sender, c->standing.fallback))
        return true;
    if (c->standing.return_form != NULL && is_same_domain(sender, c->standing.return_form->plain))
        return true;
    return author != NULL && is_same_domain(sender, author) &&
           standing_is_own_address(c->settings, author);
}

/* No retry is asked for of a domain that agrees by DKIM: its address only can't be the envelope. */
static StandingOutcome envelope_outcome(const Case *c)
{
    const Verdict *verdict = c->verdicts->of[PLAN_SENDER];
    StandingOutcome outcome = outcome_of(c, PLAN_SENDER);

    return outcome == STANDING_TEMPFAIL && verdict->dkim != NULL ? STANDING_UNAUTHORISED : outcome;
}

static StandingOutcome sender_outcome(const Case *c)
{
    if (!is_sender_of_fallback(c))
        return envelope_outcome(c);
    return is_claim(c, c->identities->sender) ? STANDING_UNAUTHORISED : STANDING_EXEMPT;
}

static bool is_sender_authorised(const Case *c)
{
    return standing_is_authorised(sender_outcome(c));
}

/* Is the first author authorised by DKIM alone? Then the address is not authorised as an envelope. */
static bool is_first_by_dkim(const Case *c)
{
    return first_mailbox(c) != NULL && consent_at(c, 0) != NULL;
}

/* May the author's address become the envelope sender here? */
static bool is_envelope(const Case *c, const Mailbox *author)
{
    return author != NULL && author->addr_spec != NULL && !is_first_by_dkim(c) &&
           (c->identities->is_smtputf8 || g_str_is_ascii(author->addr_spec));
}

/* A bounce stays one on its second way, whatever null_sender says. */
static bool is_null_sender_staying(const Case *c)
{
    return !c->settings->null_sender_fallback || c->identities->is_returned;
}

/*
 * All authors are authorised, and the envelope sender is not aligned with the first one, or is to
 * be replaced by a fallback address that is not: does align_envelope have a say?
 */
static bool is_alignment_in_question(const Case *c)
{
    const Mailbox *author = first_mailbox(c);
    bool is_fallback_aligned = is_aligned_with(author, c->standing.fallback);

    if (is_first_by_dkim(c))
        return false;
    if (mailbox_is_null_sender(c->identities->sender))
        return !is_null_sender_staying(c) && !is_fallback_aligned;
    if (is_sender_authorised(c))
        return !is_aligned_with(c->identities->sender, author);
    return c->settings->envelope_sender == ENVELOPE_SENDER_FALLBACK && !is_fallback_aligned;
}

static bool needs_sender(const Case *c)
{
    bool is_author_known_to_go = c->unauthorised != PLAN_NOBODY && !c->has_open;

    if (is_author_known_to_go && !is_aligned_with(c->identities->sender, c->standing.fallback))
        return false;
    return sender_outcome(c) == STANDING_OPEN;
}

/* Sender: matters only beside a From: that is rewritten. */
static bool needs_sender_header(const Case *c)
{
    return c->settings->sender_header != SENDER_HEADER_KEEP &&
           (c->unauthorised != PLAN_NOBODY || c->has_open) &&
           outcome_of(c, PLAN_SENDER_HEADER) == STANDING_OPEN;
}

static bool needs_dmarc(const Case *c)
{
    const Mailbox *author = first_mailbox(c);

    if (c->settings->align_envelope != ALIGN_ENVELOPE_DMARC || author == NULL ||
        author->domain_name == NULL || c->verdicts->dmarc != PLAN_DMARC_UNKNOWN)
        return false;
    return c->unauthorised == PLAN_NOBODY && sender_outcome(c) != STANDING_TEMPFAIL &&
           is_alignment_in_question(c);
}

static void need(PlanNeeds *needs, int identity, bool is_needed)
{
    needs->of[identity] = is_needed;
    needs->count += is_needed;
}

PlanNeeds plan_needs(Settings *settings, ModeInForce mode, const Identities *identities,
                     const PlanVerdicts *verdicts)
{
    const Case c = case_of(settings, mode, identities, verdicts, false);
    PlanNeeds needs = {.count = 0};

    if (is_left_alone(&c))
        return needs;
    for (int i = 0; i < (int)identities->authors->mailboxes->len; i++)
        need(&needs, i, author_outcome(&c, i) == STANDING_OPEN);
    if (c.tempfail != PLAN_NOBODY)
        return needs;
    need(&needs, PLAN_SENDER, needs_sender(&c));
    need(&needs, PLAN_SENDER_HEADER, needs_sender_header(&c));
    needs.dmarc = needs.count == 0 && needs_dmarc(&c);
    needs.count += needs.dmarc;
    return needs;
}

static bool must_align(const Case *c)
{
    switch (c->settings->align_envelope) {
    case ALIGN_ENVELOPE_NO:
        return false;
    case ALIGN_ENVELOPE_DMARC:
        return c->verdicts->dmarc == PLAN_DMARC_ENFORCED && is_alignment_in_question(c);
    case ALIGN_ENVELOPE_YES:
        return is_alignment_in_question(c);
    }
    return false;
}

static void take_standing(Plan *plan, const Case *c)
{
    plan->mode = c->message_mode;
    plan->is_log_only = c->message_mode == MODE_LOG_ONLY;
    plan->fallback = c->standing.fallback;
    plan->fallback_form = c->standing.fallback_form;
    plan->display_name = c->standing.display_name;
    plan->display_name_missing = c->standing.display_name_missing;
    plan->add_reply_to = c->standing.add_reply_to;
}

/* The author whose token the message carries: the first one outside of the fallback's domain. NULL
 * if there is none. */
static const Mailbox *token_author(const Case *c)
{
    const Mailboxes *authors = c->identities->authors;

    for (guint i = 0; i < authors->mailboxes->len; i++) {
        const Mailbox *author = mailboxes_at(authors, i);

        if (author->addr_spec != NULL && !is_same_domain(author, c->standing.fallback) &&
            !standing_is_own_address(c->settings, author))
            return author;
    }
    return NULL;
}

/* Makes the addresses with the author's token that may take the place of the fallback. What comes
 * from outside carries none: an answer would come to the sender of an answer. */
static void make_token_addresses(Plan *plan, const Case *c)
{
    const ReturnForm *return_form = c->standing.return_form;

    if (!c->settings->has_return_secret || c->identities->is_returned ||
        c->identities->has_no_tokens ||
        (return_form == NULL && !c->standing.fallback_form->has_token))
        return;
    plan->token_author = token_author(c);
    if (plan->token_author == NULL)
        return;
    return_token_make(c->settings->return_hmac, plan->token_author, plan->token);
    if (return_form != NULL)
        plan->own_return = return_form_expand(return_form, plan->token);
    if (c->standing.fallback_form->has_token) {
        plan->own_fallback = return_form_expand(c->standing.fallback_form, plan->token);
        plan->fallback = plan->own_fallback;
    }
}

/* Forgets the token if nothing carries it. */
static void settle_token(Plan *plan)
{
    bool is_in_from = plan->rewrite_author && plan->own_fallback != NULL;
    bool is_in_envelope = plan->envelope_sender != NULL &&
                          (plan->sender == plan->own_return || plan->sender == plan->own_fallback);

    if (is_in_from || is_in_envelope)
        return;
    plan->token[0] = '\0';
    plan->token_author = NULL;
}

/* Why was no verdict needed for identity? */
static PlanWhy why_of(const Case *c, int identity, StandingOutcome outcome)
{
    Standing standing;

    if (c->message_mode == MODE_OFF)
        return PLAN_WHY_OFF;
    if (c->is_exempt)
        return PLAN_WHY_EXEMPT;
    if (plan_mailbox(c->identities, identity) == NULL)
        return PLAN_WHY_NONE;
    standing = standing_of_identity(c, identity);
    if (standing.mode == MODE_OFF)
        return PLAN_WHY_OFF;
    if (outcome == STANDING_EXEMPT || is_claimed(c, identity))
        return PLAN_WHY_FALLBACK;
    return standing.authorised != STANDING_MAP_SILENT ? PLAN_WHY_MAP : PLAN_WHY_NONE;
}

/* If no verdict was needed, the outcome stands for the result. */
static void decide_by(Plan *plan, const Case *c, int identity, StandingOutcome outcome)
{
    const Mailbox *mailbox = plan_mailbox(c->identities, identity);

    plan->identity = identity;
    plan->domain = mailbox != NULL ? mailbox->domain_name : NULL;
    plan->verdict = c->verdicts->of[identity];
    if (plan->verdict != NULL) {
        plan->result = plan->verdict->result;
        plan->why = PLAN_WHY_NONE;
        return;
    }
    plan->result = outcome == STANDING_UNAUTHORISED ? SPF_NONE : SPF_PASS;
    plan->why = why_of(c, identity, outcome);
}

static void decide_by_author(Plan *plan, const Case *c, int position)
{
    plan->author = plan_mailbox(c->identities, position);
    if (plan->author != NULL) {
        decide_by(plan, c, position, author_outcome(c, position));
        return;
    }
    plan->result = SPF_NONE;
    plan->why = why_of(c, position, STANDING_UNAUTHORISED);
}

static void decide_by_sender(Plan *plan, const Case *c)
{
    decide_by(plan, c, PLAN_SENDER, sender_outcome(c));
}

static void note_unauthorised(Plan *plan, const Case *c)
{
    for (int i = 0; i < (int)c->identities->authors->mailboxes->len; i++) {
        char *domain_name = plan_mailbox(c->identities, i)->domain_name;

        if (author_outcome(c, i) == STANDING_UNAUTHORISED && domain_name != NULL)
            g_ptr_array_add(plan->unauthorised, domain_name);
    }
}

/* Makes mailbox the new envelope sender; one that it is already stays. */
static void put_envelope(Plan *plan, const Case *c, const Mailbox *mailbox)
{
    if (g_strcmp0(mailbox->addr_spec, c->identities->sender->addr_spec) == 0)
        return;
    plan->sender = mailbox;
    plan->envelope_sender = mailbox->addr_spec;
}

/* What takes the envelope's place if that is to be ours. */
static const Mailbox *own_envelope(const Plan *plan, const Case *c)
{
    if (mailbox_is_null_sender(c->identities->sender))
        return c->standing.fallback;
    return plan->own_return != NULL ? plan->own_return : plan->fallback;
}

/* Some author is not authorised: the fallback takes its place, and the envelope's if that would not
 * align. */
static void plan_author(Plan *plan, const Case *c)
{
    const Mailbox *sender = c->identities->sender;
    bool is_envelope_staying =
        mailbox_is_null_sender(sender)
            ? is_null_sender_staying(c)
            : is_aligned_with(sender, plan->fallback) && is_sender_authorised(c);

    plan->action = PLAN_REWRITE;
    plan->rewrite_author = true;
    make_token_addresses(plan, c);
    decide_by_author(plan, c, c->unauthorised);
    note_unauthorised(plan, c);
    plan->is_sender_header_authorised = standing_is_authorised(outcome_of(c, PLAN_SENDER_HEADER));
    if (!is_envelope_staying)
        put_envelope(plan, c, own_envelope(plan, c));
}

/* The mailbox that takes the envelope's place while the authors stay. */
static const Mailbox *envelope_beside_author(Plan *plan, const Case *c, bool prefers_fallback)
{
    const Mailbox *author = first_mailbox(c);

    if (is_envelope(c, author) && (!prefers_fallback || must_align(c)))
        return author;
    make_token_addresses(plan, c);
    return own_envelope(plan, c);
}

static void plan_sender(Plan *plan, const Case *c)
{
    switch (sender_outcome(c)) {
    case STANDING_TEMPFAIL:
        plan->action = PLAN_TEMPFAIL;
        decide_by_sender(plan, c);
        return;
    case STANDING_UNAUTHORISED:
    case STANDING_OPEN:
        put_envelope(plan, c,
                     envelope_beside_author(
                         plan, c, c->settings->envelope_sender == ENVELOPE_SENDER_FALLBACK));
        break;
    case STANDING_EXEMPT:
    case STANDING_AUTHORISED:
        if (must_align(c))
            put_envelope(plan, c, envelope_beside_author(plan, c, false));
        break;
    }
    if (plan->envelope_sender != NULL)
        decide_by_sender(plan, c);
}

/* Tells the first author whose domain agrees by DKIM. */
static void take_consent(Plan *plan, const Case *c)
{
    const GPtrArray *authors = c->identities->authors->mailboxes;

    for (int i = 0; i < (int)authors->len && plan->dkim == NULL; i++) {
        plan->dkim = consent_at(c, i);
        plan->dkim_domain = ((const Mailbox *)g_ptr_array_index(authors, i))->domain_name;
    }
}

/* Every author is authorised: only the envelope may have to change. */
static void plan_envelope(Plan *plan, const Case *c)
{
    decide_by_author(plan, c, 0);
    take_consent(plan, c);
    if (!mailbox_is_null_sender(c->identities->sender))
        plan_sender(plan, c);
    else if (!is_null_sender_staying(c))
        put_envelope(plan, c, envelope_beside_author(plan, c, true));
    if (plan->envelope_sender != NULL)
        plan->action = PLAN_REWRITE;
}

/* Nothing is done, and if nothing was looked up, nothing speaks against the author. */
static void plan_keep(Plan *plan, const Case *c)
{
    decide_by_author(plan, c, 0);
    if (plan->author != NULL && plan->verdict == NULL)
        plan->result = SPF_PASS;
}

static void plan_fill(Plan *plan, const Case *c)
{
    take_standing(plan, c);
    if (is_left_alone(c))
        plan_keep(plan, c);
    else if (c->tempfail != PLAN_NOBODY) {
        plan->action = PLAN_TEMPFAIL;
        decide_by_author(plan, c, c->tempfail);
    } else if (c->unauthorised != PLAN_NOBODY)
        plan_author(plan, c);
    else
        plan_envelope(plan, c);
}

/* As the message leaves: its From: and its envelope sender of one organizational domain? */
static bool is_aligned_at_last(const Plan *plan, const Case *c)
{
    return mailbox_is_null_sender(plan->sender) ||
           is_aligned_with(plan->sender, plan->rewrite_author ? plan->fallback : first_mailbox(c));
}

Plan *plan_new(Settings *settings, ModeInForce mode, const Identities *identities,
               const PlanVerdicts *verdicts)
{
    const Case c = case_of(settings, mode, identities, verdicts, true);
    Plan *plan = g_new0(Plan, 1);

    plan->action = PLAN_KEEP;
    plan->is_dkim_exempt = c.is_exempt;
    plan->sender = identities->sender;
    plan->identity = PLAN_NOBODY;
    plan->unauthorised = g_ptr_array_new();
    plan_fill(plan, &c);
    settle_token(plan);
    g_ptr_array_add(plan->unauthorised, NULL);
    plan->is_aligned = is_aligned_at_last(plan, &c);
    return plan;
}

void plan_free(Plan *plan)
{
    g_ptr_array_unref(plan->unauthorised);
    g_clear_pointer(&plan->own_fallback, mailbox_free);
    g_clear_pointer(&plan->own_return, mailbox_free);
    g_free(plan);
}

MessageAction plan_message_action(const Plan *plan)
{
    switch (plan->action) {
    case PLAN_KEEP:
        return MESSAGE_ACTION_KEEP;
    case PLAN_REWRITE:
        return plan->is_log_only ? MESSAGE_ACTION_WOULD_REWRITE : MESSAGE_ACTION_REWRITE;
    case PLAN_TEMPFAIL:
        return plan->is_log_only ? MESSAGE_ACTION_WOULD_TEMPFAIL : MESSAGE_ACTION_TEMPFAIL;
    }
    return MESSAGE_ACTION_KEEP;
}

const char *plan_action_text(const Plan *plan)
{
    return message_action_text(plan_message_action(plan));
}

const char *plan_why_text(PlanWhy why)
{
    switch (why) {
    case PLAN_WHY_NONE:
        return NULL;
    case PLAN_WHY_OFF:
        return "off";
    case PLAN_WHY_MAP:
        return "map";
    case PLAN_WHY_EXEMPT:
        return "exempt";
    case PLAN_WHY_FALLBACK:
        return "fallback";
    }
    return NULL;
}

const char *plan_result_text(const Plan *plan)
{
    return plan->why == PLAN_WHY_NONE ? spf_result_text(plan->result) : NULL;
}

const ReturnForm *plan_other_fallback(const Plan *plan, Settings *settings)
{
    bool is_used =
        plan->rewrite_author || (plan->envelope_sender != NULL && plan->sender == plan->fallback);

    return is_used && strcmp(plan->fallback_form->text, settings->fallback_form->text) != 0
               ? plan->fallback_form
               : NULL;
}
