#include "config.h"

#include "verdict/relay_check.h"

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
    bool has_relay = evaluation->piece.family != 0;
    g_autofree char *mechanism = short_text(evaluation->mechanism);
    g_autofree char *reason = short_text(evaluation->reason);

    Verdict *verdict =
        verdict_new(evaluation->result, has_relay ? network_text(&evaluation->piece, relay) : NULL,
                    mechanism, reason);

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
    run->check->uses_host |= evaluation->uses_host;
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

/* What relays come to that are not known, and why: not authorised, also if temperror counts as
 * that. There is no relay to name. */
static Evaluation *unknown_new(const char *unknown)
{
    Evaluation *evaluation = g_new0(Evaluation, 1);

    evaluation->result = SPF_TEMPERROR;
    evaluation->is_unproven = true;
    evaluation->reason = g_strdup_printf("the relay set is incomplete: %s", unknown);
    evaluation->terms = g_ptr_array_new();
    return evaluation;
}

/* With relay_policy all: a result that counts as authorised is none as long as relays are unknown. */
static Evaluation *decide_all(Run *run, Settings *settings)
{
    const char *unknown = relay_set_unknown(run->set, 0, run->set->states->len);
    Evaluation *worst = worst_of(run, 0, run->set->networks->len);

    if (unknown == NULL)
        return worst;
    if (worst != NULL &&
        (worst->is_unproven ||
         spf_result_set_has(settings->rewrite_on | settings->tempfail_on, worst->result)))
        return worst;
    g_clear_pointer(&worst, evaluation_free);
    return unknown_new(unknown);
}

/* With relay_policy any: what the entry at position comes to, whose networks begin at *first, which
 * is set to the next entry's. */
static Evaluation *decide_entry(Run *run, guint position, guint *first)
{
    const char *unknown = relay_set_unknown(run->set, position, position + 1);
    guint end = *first;
    Evaluation *worst;

    while (end < run->set->networks->len &&
           g_array_index(run->set->entries, guint, end) == position)
        end++;
    worst = worst_of(run, *first, end);
    *first = end;
    if (unknown == NULL || (worst != NULL && worst->result != SPF_PASS))
        return worst;
    g_clear_pointer(&worst, evaluation_free);
    return unknown_new(unknown);
}

static Evaluation *decide_any(Run *run)
{
    Evaluation *worst = NULL;
    guint first = 0;

    for (guint i = 0; i < run->set->states->len; i++) {
        Evaluation *entry = decide_entry(run, i, &first);

        if (entry != NULL && entry->result == SPF_PASS) {
            g_clear_pointer(&worst, evaluation_free);
            return entry;
        }
        if (entry != NULL)
            worst = worse(worst, entry);
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
    g_autoptr(Evaluation) decided =
        settings->relay_policy == RELAY_POLICY_ALL ? decide_all(&run, settings) : decide_any(&run);

    if (decided == NULL)
        decided = unknown_new("it is empty");
    check.verdict = verdict_of(decided);
    if (run.set->networks->len == 0)
        check.ttl = 0;
    return check;
}
