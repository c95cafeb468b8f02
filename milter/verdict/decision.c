#include "config.h"

#include "verdict/decision.h"

#include "mail/authentication_results.h"

/* What the functions below pass on; verdicts are kept in decision, by the order of the authors. */
typedef struct {
    Settings *settings;
    ModeInForce mode;
    Verdicts *verdicts;
    const DecisionMessage *message;
    Decision *decision;
    VerdictSource author_sources[MAILBOXES_MAX];
    VerdictSource sender_source;
} Way;

/* Returns the verdict, borrowed from decision->verdicts, or NULL where is_needed is false. */
static Verdict *ask(Way *way, bool is_needed, const Mailbox *mailbox, VerdictSource *source)
{
    Verdict *verdict;

    *source = VERDICT_SOURCE_NONE;
    if (!is_needed)
        return NULL;
    verdict = verdicts_get(way->verdicts, mailbox, source);
    g_ptr_array_add(way->decision->verdicts, verdict);
    return verdict;
}

static void ask_authors(Way *way, Verdict *verdicts[MAILBOXES_MAX])
{
    const Mailboxes *authors = way->decision->authors;

    for (guint i = 0; i < authors->mailboxes->len; i++) {
        const Mailbox *author = mailboxes_at(authors, i);

        verdicts[i] =
            ask(way, !authors->is_searched && plan_needs_author(way->settings, way->mode, author),
                author, &way->author_sources[i]);
    }
}

static void ask_rest(Way *way, const Identities *identities, PlanVerdicts *verdicts)
{
    verdicts->sender = ask(way, plan_needs_sender(way->settings, way->mode, identities, verdicts),
                           identities->sender, &way->sender_source);
    if (plan_needs_dmarc(way->settings, way->mode, identities, verdicts))
        verdicts->is_dmarc_enforced = verdicts_is_dmarc_enforced(
            way->verdicts, mailboxes_at(identities->authors, 0)->domain_name);
}

static VerdictSource deciding_source(const Way *way, const PlanVerdicts *verdicts)
{
    const Plan *plan = way->decision->plan;

    if (plan->verdict == NULL)
        return VERDICT_SOURCE_NONE;
    for (guint i = 0; i < way->decision->authors->mailboxes->len; i++)
        if (verdicts->authors[i] == plan->verdict)
            return way->author_sources[i];
    return way->sender_source;
}

/* Does the domain in Sender: authorise the relays? More than one mailbox there is illegal, and
 * vouches for nothing. */
static bool is_sender_header_authorised(Way *way)
{
    g_autoptr(Mailboxes) senders = NULL;
    const Mailbox *mailbox;
    VerdictSource source;

    if (way->settings->sender_header == SENDER_HEADER_KEEP ||
        header_fields_count(way->message->fields, "Sender") == 0)
        return false;
    senders = mailboxes_parse(way->message->fields, "Sender");
    if (senders->is_doubtful || senders->mailboxes->len != 1)
        return false;
    mailbox = mailboxes_at(senders, 0);
    return plan_is_authorised(
        way->settings, way->mode, mailbox,
        ask(way, plan_needs_author(way->settings, way->mode, mailbox), mailbox, &source));
}

static char *trace_value(const Plan *plan)
{
    g_autoptr(GString) value = g_string_new("rewritten");

    if (plan->domain != NULL)
        g_string_append_printf(value, "; domain=%s", plan->domain);
    g_string_append_printf(value, "; spf=%s", spf_result_text(plan->result));
    if (plan->verdict != NULL && plan->verdict->relay != NULL)
        g_string_append_printf(value, "; relay=%s", plan->verdict->relay);
    return g_string_free(g_steal_pointer(&value), FALSE);
}

static void make_edits(Way *way)
{
    Decision *decision = way->decision;
    const Plan *plan = decision->plan;
    g_autofree char *trace = way->settings->trace_header ? trace_value(plan) : NULL;
    const Rewrite rewrite = {
        .authors = decision->authors,
        .fallback = plan->fallback,
        .display_name = plan->display_name,
        .display_name_missing = plan->display_name_missing,
        .add_reply_to = plan->add_reply_to,
        .author_header = (const char *const *)way->settings->author_header,
        .sender_header = way->settings->sender_header,
        .is_sender_authorised = is_sender_header_authorised(way),
        .remove_dkim_signatures = way->settings->remove_dkim_signatures,
        .unauthorised = (const char *const *)plan->unauthorised->pdata,
        .trace = trace,
        .mailbox_max = way->message->mailbox_max,
    };

    decision->edits = rewrite_edits(&rewrite, way->message->fields, &decision->reply_to);
    decision->is_refused =
        edits_is_over(decision->edits) || !header_fields_is_countable(way->message->fields);
}

static void decide(Way *way)
{
    Decision *decision = way->decision;
    g_auto(GStrv) dkim_passes =
        way->settings->exempt_dkim != NULL
            ? authentication_results_dkim_passes(way->message->fields, way->settings->exempt_dkim)
            : NULL;
    const Identities identities = {.authors = decision->authors,
                                   .sender = way->message->sender,
                                   .is_smtputf8 = way->message->is_smtputf8,
                                   .dkim_passes = (const char *const *)dkim_passes};
    Verdict *author_verdicts[MAILBOXES_MAX] = {NULL};
    PlanVerdicts verdicts = {.authors = author_verdicts};

    decision->is_dkim_exempt = plan_is_dkim_exempt(way->settings, &identities);
    if (!decision->is_dkim_exempt) {
        ask_authors(way, author_verdicts);
        ask_rest(way, &identities, &verdicts);
    }
    decision->plan = plan_new(way->settings, way->mode, &identities, &verdicts);
    decision->source = deciding_source(way, &verdicts);
    if (decision->plan->rewrite_author)
        make_edits(way);
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
