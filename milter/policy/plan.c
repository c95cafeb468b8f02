#include "config.h"

#include "policy/plan.h"

#include <string.h>

#include "base/domain_name.h"

/* What one identity comes to. */
typedef enum {
    STANDING_EXEMPT,
    STANDING_AUTHORISED,
    STANDING_UNAUTHORISED,
    STANDING_TEMPFAIL
} Standing;

#define AUTHOR_NONE (-1)
#define AUTHOR_UNREADABLE (-2) /* the From: itself, where it can't be read without doubt */

/* One message on its way to a plan. Authors are positions in identities->authors. */
typedef struct {
    Settings *settings;
    ModeInForce mode;
    const Identities *identities;
    const PlanVerdicts *verdicts;
    int tempfail;     /* the first author whose result is in tempfail_on, or AUTHOR_NONE */
    int unauthorised; /* the first one that is to be rewritten, or AUTHOR_… */
    const DomainSection *section; /* in force for the message but for its mode; NULL: none */
    Mode message_mode;
} Case;

static const DomainSection *section_of(Settings *settings, const Mailbox *mailbox)
{
    return mailbox != NULL && mailbox->domain_name != NULL
               ? settings_section(settings, mailbox->domain_name)
               : NULL;
}

static Mode effective_mode(ModeInForce mode, const DomainSection *section)
{
    if (section == NULL || !section->has_mode)
        return mode.mode;
    return mode.is_switch ? MIN(section->mode, mode.mode) : section->mode;
}

static const Mailbox *fallback_of(Settings *settings, const DomainSection *section)
{
    return section != NULL && section->fallback != NULL ? section->fallback : settings->fallback;
}

/*
 * Is mailbox one that is never rewritten: of the fallback's domain, a fallback address of anyone,
 * or of a domain whose mode is off? By the first two a message that passes twice is kept: f(f(m)) =
 * f(m).
 */
static bool is_exempt(Settings *settings, ModeInForce mode, const Mailbox *mailbox)
{
    const DomainSection *section = section_of(settings, mailbox);

    if (effective_mode(mode, section) == MODE_OFF)
        return true;
    if (mailbox->domain_name == NULL)
        return false;
    if (strcmp(mailbox->domain_name, fallback_of(settings, section)->domain_name) == 0)
        return true;
    return mailbox->addr_spec != NULL &&
           g_hash_table_contains(settings->fallbacks, mailbox->addr_spec);
}

static bool is_decided_by_map(Settings *settings, const Mailbox *mailbox, bool *authorised)
{
    const DomainSection *section = section_of(settings, mailbox);

    if (section == NULL || !section->has_authorised)
        return false;
    *authorised = section->authorised;
    return true;
}

/* What the verdict comes to if tempfail_on does not apply. */
static Standing standing_of_verdict(Settings *settings, const Verdict *verdict)
{
    if (verdict->is_unproven || spf_result_set_has(settings->rewrite_on, verdict->result))
        return STANDING_UNAUTHORISED;
    return STANDING_AUTHORISED;
}

static Standing standing_of(Settings *settings, ModeInForce mode, const Mailbox *mailbox,
                            const Verdict *verdict)
{
    bool authorised = false;

    if (is_exempt(settings, mode, mailbox))
        return STANDING_EXEMPT;
    if (is_decided_by_map(settings, mailbox, &authorised))
        return authorised ? STANDING_AUTHORISED : STANDING_UNAUTHORISED;
    if (mailbox->domain_name == NULL || verdict == NULL)
        return STANDING_UNAUTHORISED;
    if (spf_result_set_has(settings->tempfail_on, verdict->result))
        return STANDING_TEMPFAIL;
    return standing_of_verdict(settings, verdict);
}

bool plan_is_authorised(Settings *settings, ModeInForce mode, const Mailbox *mailbox,
                        const Verdict *verdict)
{
    Standing standing = standing_of(settings, mode, mailbox, verdict);

    return standing == STANDING_EXEMPT || standing == STANDING_AUTHORISED;
}

static bool needs_verdict(Settings *settings, ModeInForce mode, const Mailbox *mailbox)
{
    bool authorised;

    return mailbox->domain_name != NULL && !is_exempt(settings, mode, mailbox) &&
           !is_decided_by_map(settings, mailbox, &authorised);
}

bool plan_needs_author(Settings *settings, ModeInForce mode, const Mailbox *author)
{
    return needs_verdict(settings, mode, author);
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

bool plan_is_dkim_exempt(Settings *settings, const Identities *identities)
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

/* Is there something in From: that can't be read, and counts? */
static bool is_unreadable(const Case *c)
{
    return c->identities->authors->is_doubtful && c->mode.mode != MODE_OFF;
}

/* No retry mends a From: that can't be read: tempfail_on does not apply to the rest of it. An author
 * who was only searched in it decides nothing: the field counts as unreadable. */
static Standing author_standing(const Case *c, guint position)
{
    const Verdict *verdict = c->verdicts->authors[position];
    Standing standing;

    if (c->identities->authors->is_searched)
        return STANDING_EXEMPT;
    standing =
        standing_of(c->settings, c->mode, mailboxes_at(c->identities->authors, position), verdict);

    return standing == STANDING_TEMPFAIL && is_unreadable(c)
               ? standing_of_verdict(c->settings, verdict)
               : standing;
}

static int first_author(const Case *c, Standing standing)
{
    for (guint i = 0; i < c->identities->authors->mailboxes->len; i++)
        if (author_standing(c, i) == standing)
            return (int)i;
    return AUTHOR_NONE;
}

/* NULL where there is none, or none that can be read. */
static const Mailbox *author_at(const Case *c, int position)
{
    const Mailboxes *authors = c->identities->authors;

    return position >= 0 && (guint)position < authors->mailboxes->len
               ? mailboxes_at(authors, (guint)position)
               : NULL;
}

static int unauthorised_author(const Case *c)
{
    int first = first_author(c, STANDING_UNAUTHORISED);

    if (first == AUTHOR_NONE && is_unreadable(c))
        return AUTHOR_UNREADABLE;
    return first;
}

/* The section of the author that decides, of the first one where only the envelope is in question.
 */
static const DomainSection *section_in_force(const Case *c)
{
    if (c->tempfail != AUTHOR_NONE)
        return section_of(c->settings, author_at(c, c->tempfail));
    if (c->unauthorised != AUTHOR_NONE)
        return section_of(c->settings, author_at(c, c->unauthorised));
    return section_of(c->settings, author_at(c, 0));
}

/* The most active mode of all authors: nobody's log-only lets another author through. What can't be
 * read has no section. */
static Mode message_mode(const Case *c)
{
    const Mailboxes *authors = c->identities->authors;
    Mode mode = authors->is_doubtful ? c->mode.mode : MODE_OFF;

    for (guint i = 0; i < authors->mailboxes->len; i++)
        mode =
            MAX(mode, effective_mode(c->mode, section_of(c->settings, mailboxes_at(authors, i))));
    return mode;
}

static Case case_of(Settings *settings, ModeInForce mode, const Identities *identities,
                    const PlanVerdicts *verdicts)
{
    Case c = {.settings = settings, .mode = mode, .identities = identities, .verdicts = verdicts};

    c.tempfail = first_author(&c, STANDING_TEMPFAIL);
    c.unauthorised = unauthorised_author(&c);
    c.section = section_in_force(&c);
    c.message_mode = message_mode(&c);
    return c;
}

/* Is the message none of ours to look at: its mode is off, or DKIM vouches for it? */
static bool is_left_alone(const Case *c)
{
    return c->message_mode == MODE_OFF || plan_is_dkim_exempt(c->settings, c->identities);
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
 * Is the envelope sender of the domain of the fallback address in force? Once the message was
 * rewritten, its first author is that address.
 */
static bool is_sender_of_fallback(const Case *c)
{
    const Mailbox *sender = c->identities->sender;
    const Mailbox *author = author_at(c, 0);

    if (is_same_domain(sender, fallback_of(c->settings, c->section)))
        return true;
    return author != NULL && author->addr_spec != NULL && is_same_domain(sender, author) &&
           g_hash_table_contains(c->settings->fallbacks, author->addr_spec);
}

static Standing sender_standing(const Case *c)
{
    if (is_sender_of_fallback(c))
        return STANDING_EXEMPT;
    return standing_of(c->settings, c->mode, c->identities->sender, c->verdicts->sender);
}

static bool is_sender_authorised(const Case *c)
{
    Standing standing = sender_standing(c);

    return standing == STANDING_EXEMPT || standing == STANDING_AUTHORISED;
}

bool plan_needs_sender(Settings *settings, ModeInForce mode, const Identities *identities,
                       const PlanVerdicts *verdicts)
{
    const Case c = case_of(settings, mode, identities, verdicts);

    if (c.tempfail != AUTHOR_NONE || is_left_alone(&c) || is_sender_of_fallback(&c))
        return false;
    if (c.unauthorised != AUTHOR_NONE &&
        !is_aligned_with(identities->sender, fallback_of(settings, c.section)))
        return false;
    return needs_verdict(settings, mode, identities->sender);
}

/* May the author's address become the envelope sender here? */
static bool is_envelope(const Case *c, const Mailbox *author)
{
    return author != NULL && author->addr_spec != NULL &&
           (c->identities->is_smtputf8 || g_str_is_ascii(author->addr_spec));
}

/*
 * All authors are authorised, and the envelope sender is not aligned with the first one, or is to
 * be replaced by a fallback address that is not: does align_envelope have a say?
 */
static bool is_alignment_in_question(const Case *c)
{
    const Mailbox *author = author_at(c, 0);
    bool is_fallback_aligned = is_aligned_with(author, fallback_of(c->settings, c->section));

    if (mailbox_is_null_sender(c->identities->sender))
        return c->settings->null_sender_fallback && !is_fallback_aligned;
    if (is_sender_authorised(c))
        return !is_aligned_with(c->identities->sender, author);
    return c->settings->envelope_sender == ENVELOPE_SENDER_FALLBACK && !is_fallback_aligned;
}

bool plan_needs_dmarc(Settings *settings, ModeInForce mode, const Identities *identities,
                      const PlanVerdicts *verdicts)
{
    const Case c = case_of(settings, mode, identities, verdicts);
    const Mailbox *author = author_at(&c, 0);

    if (settings->align_envelope != ALIGN_ENVELOPE_DMARC || author == NULL ||
        author->domain_name == NULL)
        return false;
    if (c.tempfail != AUTHOR_NONE || c.unauthorised != AUTHOR_NONE || is_left_alone(&c))
        return false;
    return sender_standing(&c) != STANDING_TEMPFAIL && is_alignment_in_question(&c);
}

static bool must_align(const Case *c)
{
    switch (c->settings->align_envelope) {
    case ALIGN_ENVELOPE_NO:
        return false;
    case ALIGN_ENVELOPE_DMARC:
        return c->verdicts->is_dmarc_enforced && is_alignment_in_question(c);
    case ALIGN_ENVELOPE_YES:
        return is_alignment_in_question(c);
    }
    return false;
}

static void take_section(Plan *plan, const Case *c)
{
    const DomainSection *section = c->section;

    plan->is_log_only = c->message_mode == MODE_LOG_ONLY;
    plan->fallback = fallback_of(c->settings, section);
    plan->display_name = section != NULL && section->display_name != NULL
                             ? section->display_name
                             : c->settings->display_name;
    plan->display_name_missing = section != NULL && section->display_name_missing != NULL
                                     ? section->display_name_missing
                                     : c->settings->display_name_missing;
    plan->add_reply_to =
        section != NULL && section->has_reply_to ? section->reply_to : c->settings->reply_to;
}

/* Where no verdict was needed, the result says what the standing comes to. */
static void decide_by(Plan *plan, const Mailbox *mailbox, Standing standing, const Verdict *verdict)
{
    plan->domain = mailbox != NULL ? mailbox->domain_name : NULL;
    plan->verdict = verdict;
    if (verdict != NULL)
        plan->result = verdict->result;
    else
        plan->result = standing == STANDING_UNAUTHORISED ? SPF_NONE : SPF_PASS;
}

static void decide_by_author(Plan *plan, const Case *c, int position)
{
    plan->author = author_at(c, position);
    if (plan->author != NULL)
        decide_by(plan, plan->author, author_standing(c, (guint)position),
                  c->verdicts->authors[position]);
    else
        decide_by(plan, NULL, STANDING_UNAUTHORISED, NULL);
}

static void decide_by_sender(Plan *plan, const Case *c)
{
    decide_by(plan, c->identities->sender, sender_standing(c), c->verdicts->sender);
}

static void note_unauthorised(Plan *plan, const Case *c)
{
    for (guint i = 0; i < c->identities->authors->mailboxes->len; i++) {
        char *domain_name = mailboxes_at(c->identities->authors, i)->domain_name;

        if (author_standing(c, i) == STANDING_UNAUTHORISED && domain_name != NULL)
            g_ptr_array_add(plan->unauthorised, domain_name);
    }
}

/* Makes address the new envelope sender; one that it is already stays. */
static void put_envelope(Plan *plan, const Case *c, const char *address)
{
    if (g_strcmp0(address, c->identities->sender->addr_spec) != 0)
        plan->envelope_sender = address;
}

/* Some author is not authorised: the fallback takes its place, and the envelope's where that would
 * not align. */
static void plan_author(Plan *plan, const Case *c)
{
    const Mailbox *sender = c->identities->sender;
    bool is_envelope_staying =
        mailbox_is_null_sender(sender)
            ? !c->settings->null_sender_fallback
            : is_aligned_with(sender, plan->fallback) && is_sender_authorised(c);

    plan->action = PLAN_REWRITE;
    plan->rewrite_author = true;
    decide_by_author(plan, c, c->unauthorised);
    note_unauthorised(plan, c);
    if (!is_envelope_staying)
        put_envelope(plan, c, plan->fallback->addr_spec);
}

/* The address that takes the envelope's place where the authors stay. */
static const char *envelope_beside_author(const Plan *plan, const Case *c, bool prefers_fallback)
{
    const Mailbox *author = author_at(c, 0);

    if (!is_envelope(c, author) || (prefers_fallback && !must_align(c)))
        return plan->fallback->addr_spec;
    return author->addr_spec;
}

static void plan_sender(Plan *plan, const Case *c)
{
    switch (sender_standing(c)) {
    case STANDING_TEMPFAIL:
        plan->action = PLAN_TEMPFAIL;
        decide_by_sender(plan, c);
        return;
    case STANDING_UNAUTHORISED:
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

/* Every author is authorised: only the envelope may have to change. */
static void plan_envelope(Plan *plan, const Case *c)
{
    decide_by_author(plan, c, 0);
    if (!mailbox_is_null_sender(c->identities->sender))
        plan_sender(plan, c);
    else if (c->settings->null_sender_fallback)
        put_envelope(plan, c, envelope_beside_author(plan, c, true));
    if (plan->envelope_sender != NULL)
        plan->action = PLAN_REWRITE;
}

/* Nothing is done, and where nothing was looked up, nothing speaks against the author. */
static void plan_keep(Plan *plan, const Case *c)
{
    decide_by_author(plan, c, 0);
    if (plan->author != NULL && plan->verdict == NULL)
        plan->result = SPF_PASS;
}

static void plan_fill(Plan *plan, const Case *c)
{
    take_section(plan, c);
    if (is_left_alone(c))
        plan_keep(plan, c);
    else if (c->tempfail != AUTHOR_NONE) {
        plan->action = PLAN_TEMPFAIL;
        decide_by_author(plan, c, c->tempfail);
    } else if (c->unauthorised != AUTHOR_NONE)
        plan_author(plan, c);
    else
        plan_envelope(plan, c);
}

/* The envelope sender as the message leaves: what takes its place is the fallback, or the first
 * author. */
static const Mailbox *sender_at_last(const Plan *plan, const Case *c)
{
    if (plan->envelope_sender == NULL)
        return c->identities->sender;
    if (plan->envelope_sender == plan->fallback->addr_spec)
        return plan->fallback;
    return author_at(c, 0);
}

/* As the message leaves: its From: and its envelope sender of one organizational domain? */
static bool is_aligned_at_last(const Plan *plan, const Case *c)
{
    const Mailbox *author = plan->rewrite_author ? plan->fallback : author_at(c, 0);
    const Mailbox *sender = sender_at_last(plan, c);

    return mailbox_is_null_sender(sender) || is_aligned_with(sender, author);
}

Plan *plan_new(Settings *settings, ModeInForce mode, const Identities *identities,
               const PlanVerdicts *verdicts)
{
    const Case c = case_of(settings, mode, identities, verdicts);
    Plan *plan = g_new0(Plan, 1);

    plan->action = PLAN_KEEP;
    plan->unauthorised = g_ptr_array_new();
    plan_fill(plan, &c);
    g_ptr_array_add(plan->unauthorised, NULL);
    plan->is_aligned = is_aligned_at_last(plan, &c);
    return plan;
}

void plan_free(Plan *plan)
{
    g_ptr_array_unref(plan->unauthorised);
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
