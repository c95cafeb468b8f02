#include "config.h"

#include "verdict/decision.h"

#include "mail/composer.h"
#include "mail/dkim.h"

/* What the functions below pass on; verdicts are kept in decision. */
typedef struct {
    Settings *settings;
    ModeInForce mode;
    Verdicts *verdicts;
    const DecisionMessage *message;
    Decision *decision;
    VerdictSource sources[PLAN_IDENTITIES];
} Way;

/*
 * Asks for the verdicts that needs names. The authors are asked for alone as long as the cache has
 * them: their verdicts may make the others needless.
 */
static void ask(Way *way, const Identities *identities, const PlanNeeds *needs, PlanVerdicts *known)
{
    VerdictWanted wanted[PLAN_IDENTITIES];
    int identity_of[PLAN_IDENTITIES];
    guint authors = 0;
    guint count = 0;

    for (int i = 0; i < PLAN_IDENTITIES; i++) {
        if (!needs->of[i])
            continue;
        authors += i < PLAN_SENDER;
        identity_of[count] = i;
        wanted[count++].mailbox = plan_mailbox(identities, i);
    }
    verdicts_get_all(way->verdicts, wanted, authors > 0 ? authors : count, count,
                     way->message->deadline);
    for (guint i = 0; i < count; i++) {
        if (wanted[i].verdict == NULL)
            continue;
        known->of[identity_of[i]] = wanted[i].verdict;
        way->sources[identity_of[i]] = wanted[i].source;
        g_ptr_array_add(way->decision->verdicts, wanted[i].verdict);
    }
}

static void ask_all(Way *way, const Identities *identities, PlanVerdicts *known)
{
    for (;;) {
        PlanNeeds needs = plan_needs(way->settings, way->mode, identities, known);

        if (needs.count == 0)
            return;
        ask(way, identities, &needs, known);
        if (needs.dmarc)
            known->dmarc =
                verdicts_is_dmarc_enforced(way->verdicts, plan_mailbox(identities, 0)->domain_name,
                                           way->message->deadline)
                    ? PLAN_DMARC_ENFORCED
                    : PLAN_DMARC_NONE;
    }
}

/* The mailboxes in Sender:; NULL: there is no such field, or it does not matter. */
static Mailboxes *read_senders(const Way *way)
{
    if (way->settings->sender_header == SENDER_HEADER_KEEP ||
        header_fields_count(way->message->fields, "Sender") == 0)
        return NULL;
    return mailboxes_parse(way->message->fields, "Sender");
}

/* The one mailbox in Sender:. More than one there is illegal, and vouches for nothing. */
static const Mailbox *only_sender(const Mailboxes *senders)
{
    return senders != NULL && !senders->is_doubtful && senders->mailboxes->len == 1
               ? mailboxes_at(senders, 0)
               : NULL;
}

static void append_verdict(GString *value, const Plan *plan)
{
    if (plan->domain != NULL)
        g_string_append_printf(value, "; domain=%s", plan->domain);
    g_string_append_printf(value, "; spf=%s",
                           plan_result_text(plan) != NULL ? plan_result_text(plan) : "-");
    if (plan->verdict != NULL && plan->verdict->relay != NULL)
        g_string_append_printf(value, "; relay=%s", plan->verdict->relay);
}

#define MARK_TOKENS 4 /* in one field: as a longer word, they would be encoded */

/* The mark of a return with the tokens from first on; the verdict is in the first mark alone. */
static char *mark_value(const Way *way, guint first)
{
    const GPtrArray *tokens = way->message->return_tokens;
    guint end = MIN(tokens->len, first + MARK_TOKENS);
    GString *value = g_string_new("returned");

    g_string_append_printf(value,
                           "; kind=%s; token=", return_kind_text(way->decision->return_kind));
    for (guint i = first; i < end; i++)
        g_string_append_printf(value, "%s%s", i > first ? "," : "",
                               (const char *)g_ptr_array_index(tokens, i));
    if (first == 0 && way->decision->plan->action == PLAN_REWRITE)
        append_verdict(value, way->decision->plan);
    return g_string_free(value, FALSE);
}

/* The value of the new X-SPFrom:, which stands on top; NULL: none. */
static char *trace_value(const Way *way)
{
    GString *value;

    if (way->decision->is_returned)
        return mark_value(way, 0);
    if (!way->settings->trace_header)
        return NULL;
    value = g_string_new("rewritten");
    append_verdict(value, way->decision->plan);
    return g_string_free(value, FALSE);
}

static void insert_mark(const Way *way, guint first)
{
    g_autofree char *text = mark_value(way, first);
    g_autofree char *value = NULL;
    Composer composer;

    composer_init(&composer, REWRITE_TRACE_HEADER);
    composer_append_text(&composer, text);
    value = composer_take(&composer);
    edits_insert(way->decision->edits, REWRITE_TRACE_HEADER, value);
}

/* Marks a returned message, so that it does not go in circles. If From: is rewritten, the first mark
 * is there already. */
static void mark(const Way *way)
{
    guint first = 0;

    if (way->decision->edits != NULL)
        first = MARK_TOKENS;
    else
        way->decision->edits = edits_new();
    for (; first < way->message->return_tokens->len; first += MARK_TOKENS)
        insert_mark(way, first);
    edits_sort(way->decision->edits);
    way->decision->is_refused |= edits_is_over(way->decision->edits);
}

static void make_edits(Way *way)
{
    Decision *decision = way->decision;
    const Plan *plan = decision->plan;
    g_autofree char *trace = trace_value(way);
    const Rewrite rewrite = {
        .authors = decision->authors,
        .fallback = plan->fallback,
        .display_name = plan->display_name,
        .display_name_missing = plan->display_name_missing,
        .add_reply_to = plan->add_reply_to,
        .author_header = (const char *const *)way->settings->author_header,
        .sender_header = way->settings->sender_header,
        .is_sender_authorised = plan->is_sender_header_authorised,
        .remove_dkim_signatures = way->settings->remove_dkim_signatures,
        .unauthorised = (const char *const *)plan->unauthorised->pdata,
        .trace = trace,
        .mailbox_max = way->message->mailbox_max,
    };

    decision->edits = rewrite_edits(&rewrite, way->message->fields, &decision->reply_to);
    decision->is_refused =
        edits_is_over(decision->edits) || !header_fields_is_countable(way->message->fields);
}

static bool must_keep_token(const Way *way)
{
    const Plan *plan = way->decision->plan;

    return plan->token[0] != '\0' && !plan->is_log_only && !way->message->is_trial;
}

static bool keep_token(const Way *way)
{
    const Plan *plan = way->decision->plan;

    return way->message->store != NULL &&
           return_store_put(way->message->store, plan->token, plan->token_author->addr_spec,
                            way->message->deadline);
}

/* Makes the plan. What it wants to carry must be kept before: else it is made without a token. */
static void make_plan(Way *way, Identities *identities, const PlanVerdicts *known)
{
    Decision *decision = way->decision;

    decision->plan = plan_new(way->settings, way->mode, identities, known);
    if (!must_keep_token(way) || keep_token(way))
        return;
    decision->is_token_unavailable = true;
    identities->has_no_tokens = true;
    plan_free(decision->plan);
    decision->plan = plan_new(way->settings, way->mode, identities, known);
}

static void note_return(Way *way)
{
    Decision *decision = way->decision;

    decision->is_returned = true;
    decision->return_kind =
        returned_kind(way->message->fields, mailbox_is_null_sender(way->message->sender));
    decision->is_loop = returned_is_loop(way->message->fields, way->message->return_tokens);
    decision->is_unwanted = (way->settings->return_mail & 1u << decision->return_kind) == 0;
}

static void decide(Way *way)
{
    Decision *decision = way->decision;
    g_auto(GStrv) dkim_passes =
        way->settings->exempt_dkim != NULL
            ? dkim_passed_domains(way->message->fields, way->settings->exempt_dkim)
            : NULL;
    g_autoptr(Mailboxes) senders = read_senders(way);
    Identities identities = {.authors = decision->authors,
                             .sender = way->message->sender,
                             .sender_header = only_sender(senders),
                             .is_smtputf8 = way->message->is_smtputf8,
                             .dkim_passes = (const char *const *)dkim_passes,
                             .is_returned = decision->is_returned};
    PlanVerdicts known = {.dmarc = PLAN_DMARC_UNKNOWN};

    ask_all(way, &identities, &known);
    make_plan(way, &identities, &known);
    decision->is_dkim_exempt = decision->plan->is_dkim_exempt;
    if (decision->plan->verdict != NULL)
        decision->source = way->sources[decision->plan->identity];
    if (decision->plan->rewrite_author)
        make_edits(way);
    if (decision->is_returned && decision->plan->mode != MODE_OFF)
        mark(way);
}

Decision *decision_new(Settings *settings, ModeInForce mode, Verdicts *verdicts,
                       const DecisionMessage *message)
{
    Decision *decision = g_new0(Decision, 1);
    Way way = {.settings = settings,
               .mode = mode,
               .verdicts = verdicts,
               .message = message,
               .decision = decision};

    decision->reply_to = REPLY_TO_NONE;
    decision->source = VERDICT_SOURCE_NONE;
    decision->verdicts = g_ptr_array_new_with_free_func((GDestroyNotify)verdict_unref);
    decision->authors = mailboxes_parse(message->fields, "From");
    if (message->return_tokens != NULL)
        note_return(&way);
    decide(&way);
    return decision;
}

void decision_free(Decision *decision)
{
    plan_free(decision->plan);
    mailboxes_free(decision->authors);
    g_clear_pointer(&decision->edits, edits_free);
    g_ptr_array_unref(decision->verdicts);
    g_free(decision);
}
