#include "config.h"

#include "spf/relay_check.h"

#include <string.h>

#include "spf/macro.h"

typedef struct {
    EvaluationContext *context;
    EvaluationQuestion question;
    const RelaySet *set;
    RelayCheck *check; /* its ttl and uses_sender come from every evaluation */
} Run;

/* A copy of text that is short enough to be kept; cut between two characters. */
static char *short_text(const char *text)
{
    const char *end;

    if (text == NULL || strlen(text) <= RELAY_CHECK_TEXT_MAX)
        return g_strdup(text);
    end = text + RELAY_CHECK_TEXT_MAX;
    while (end > text && ((guint8)*end & 0xc0) == 0x80)
        end--;
    return g_strndup(text, (gsize)(end - text));
}

static bool asks_for_addresses(const char *term)
{
    return g_ascii_strncasecmp(term, "exists:", 7) == 0 || g_ascii_strncasecmp(term, "a:", 2) == 0;
}

/*
 * Returns the reason of evaluation with each name that was made of the local part (%{l}, %{s}) as
 * it stands in the record, owned by the caller; NULL if there is none. Below a record or host that
 * the local part chose, anything may repeat it.
 */
static char *masked_reason(const Evaluation *evaluation)
{
    g_autoptr(GString) masked = NULL;

    if (!evaluation->uses_sender || evaluation->reason == NULL)
        return NULL;
    masked = g_string_new(evaluation->reason);
    for (guint i = 0; i < evaluation->terms->len; i++) {
        const EvaluationTerm *term = g_ptr_array_index(evaluation->terms, i);
        const char *spec = strpbrk(term->term, ":=");

        if (spec == NULL || (macro_uses(term->term, strlen(term->term)) & MACRO_SENDER) == 0)
            continue;
        if (!asks_for_addresses(term->term + strspn(term->term, "+-~?")))
            return g_strdup("not shown, since the record depends on the local part");
        if (term->name != NULL && term->name[0] != '\0')
            g_string_replace(masked, term->name, spec + 1, 0);
    }
    return short_text(masked->str);
}

static Verdict *verdict_of(const Evaluation *evaluation)
{
    char relay[NETWORK_TEXT_MAX];
    g_autofree char *mechanism = short_text(evaluation->mechanism);
    g_autofree char *reason = short_text(evaluation->reason);

    Verdict *verdict =
        verdict_new(evaluation->result, network_text(&evaluation->piece, relay), mechanism, reason);

    verdict->masked_reason = masked_reason(evaluation);
    verdict->is_unproven = evaluation->is_unproven;
    return verdict;
}

static Evaluation *evaluate(Run *run, guint position)
{
    Evaluation *evaluation;

    run->question.relay = g_array_index(run->set->networks, Network, position);
    evaluation = evaluation_run(run->context, &run->question);
    run->check->ttl = MIN(run->check->ttl, evaluation->ttl);
    run->check->uses_sender |= evaluation->uses_sender;
    return evaluation;
}

/*
 * Returns the one that decides, a where both say the same, and frees the other; a may be NULL. What
 * is unproven for one of them is so for both together.
 */
static Evaluation *worse(Evaluation *a, Evaluation *b)
{
    if (a == NULL)
        return b;
    a->is_unproven |= b->is_unproven;
    b->is_unproven = a->is_unproven;
    if (spf_result_worse(a->result, b->result) == a->result) {
        evaluation_free(b);
        return a;
    }
    evaluation_free(a);
    return b;
}

/* Evaluates the networks from first to before end, as far as they can change what decides. */
static Evaluation *worst_of(Run *run, guint first, guint end)
{
    Evaluation *worst = NULL;

    for (guint i = first; i < end; i++) {
        worst = worse(worst, evaluate(run, i));
        if (worst->result == SPF_PERMERROR)
            break;
    }
    return worst;
}

/* The end of the networks that have to pass together with the one at first. */
static guint group_end(const RelaySet *set, RelayPolicy policy, guint first)
{
    guint end = first;
    guint entry = g_array_index(set->entries, guint, first);

    if (policy == RELAY_POLICY_ALL)
        return set->networks->len;
    while (end < set->networks->len && g_array_index(set->entries, guint, end) == entry)
        end++;
    return end;
}

static Evaluation *decide(Run *run, RelayPolicy policy)
{
    Evaluation *worst = NULL;

    for (guint first = 0, end; first < run->set->networks->len; first = end) {
        end = group_end(run->set, policy, first);
        Evaluation *group = worst_of(run, first, end);
        if (group->result == SPF_PASS) {
            g_clear_pointer(&worst, evaluation_free);
            return group;
        }
        worst = worse(worst, group);
    }
    return worst;
}

RelayCheck relay_check_run(EvaluationContext *context, Settings *settings, const RelaySet *set,
                           const char *domain, const char *local_part)
{
    RelayCheck check = {.ttl = G_MAXUINT32};
    Run run = {.context = context,
               .question = {.domain = domain, .local_part = local_part, .helo = settings->hostname},
               .set = set,
               .check = &check};
    g_autoptr(Evaluation) decided = decide(&run, settings->relay_policy);

    if (decided != NULL) {
        check.verdict = verdict_of(decided);
        return check;
    }
    check.verdict = verdict_new(SPF_TEMPERROR, NULL, NULL,
                                "relay_hosts could not be looked up yet, DNS has trouble");
    check.ttl = 0;
    return check;
}
