#include "config.h"

#include "verdict/decision.h"

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

static char *trace_value(const Plan *plan)
{
    g_autoptr(GString) value = g_string_new("rewritten");

    if (plan->domain != NULL)
        g_string_append_printf(value, "; domain=%s", plan->domain);
    g_string_append_printf(value, "; spf=%s",
                           plan_result_text(plan) != NULL ? plan_result_text(plan) : "-");
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

static void decide(Way *way)
{
    Decision *decision = way->decision;
    g_auto(GStrv) dkim_passes =
        way->settings->exempt_dkim != NULL
            ? dkim_passed_domains(way->message->fields, way->settings->exempt_dkim)
            : NULL;
    g_autoptr(Mailboxes) senders = read_senders(way);
    const Identities identities = {.authors = decision->authors,
                                   .sender = way->message->sender,
                                   .sender_header = only_sender(senders),
                                   .is_smtputf8 = way->message->is_smtputf8,
                                   .dkim_passes = (const char *const *)dkim_passes};
    PlanVerdicts known = {.dmarc = PLAN_DMARC_UNKNOWN};

    ask_all(way, &identities, &known);
    decision->plan = plan_new(way->settings, way->mode, &identities, &known);
    decision->is_dkim_exempt = decision->plan->is_dkim_exempt;
    if (decision->plan->verdict != NULL)
        decision->source = way->sources[decision->plan->identity];
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
