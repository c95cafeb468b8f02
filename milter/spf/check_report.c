#include "config.h"

#include "spf/check_report.h"

#include <string.h>

#include "base/log.h"

/* What the terms of one record came to. */
typedef struct {
    SpfResult result;
    const CheckTerm *decisive; /* of this record, or of the one that a redirect brought; NULL where
                                  none decided */
    guint lookups, voids;
} Outcome;

typedef struct {
    Check *check;
    GPtrArray *terms; /* of EvaluationTerm */
} Walk;

static void term_free(gpointer data)
{
    EvaluationTerm *term = data;

    g_free(term->term);
    g_free(term->name);
    g_free(term->record);
    g_free(term);
}

static SpfResult result_of(char qualifier)
{
    switch (qualifier) {
    case '-':
        return SPF_FAIL;
    case '~':
        return SPF_SOFTFAIL;
    case '?':
        return SPF_NEUTRAL;
    default:
        return SPF_PASS;
    }
}

static char *record_text(const FoundRecord *found)
{
    if (found == NULL || found->record == NULL)
        return NULL;
    return g_utf8_make_valid(found->record->text, (gssize)strlen(found->record->text));
}

/*
 * The networks of a record were compared with one address when it was written; here it is known how
 * far evaluation came. last is the term that it ended at, NULL for the end of the record.
 */
static void compare_networks(Check *check, const Record *record, const RecordTerm *last)
{
    const Network *network = check->network;

    if (network->length == network_bits(network))
        return;
    for (guint i = 0; i < record->terms->len; i++) {
        const RecordTerm *term = record_at(record, i);

        if ((term->kind == RECORD_IP4 || term->kind == RECORD_IP6) &&
            term->network.length > network->length && network_contains(network, &term->network))
            check->reach = CHECK_SPLITS;
        if (term == last)
            return;
    }
}

static EvaluationTerm *add_term(Walk *walk, const CheckTerm *term, guint depth)
{
    EvaluationTerm *added = g_new0(EvaluationTerm, 1);

    added->depth = depth;
    added->term = record_term_text(term->holder, term->term);
    added->name = g_strdup(term->name);
    added->record = record_text(term->found);
    added->voids = term->voids;
    added->lookups = record_is_lookup(term->term->kind) ? 1 : 0;
    added->is_match = term->is_match;
    g_ptr_array_add(walk->terms, added);
    return added;
}

static Outcome walk_record(Walk *walk, const CheckTerm *opener, guint depth);

/* Adds a term and, of include and redirect, what is below it. Returns whether it decides, then with
 * outcome's result set. */
static bool walk_term(Walk *walk, const CheckTerm *term, guint depth, Outcome *outcome)
{
    EvaluationTerm *added = add_term(walk, term, depth);
    Outcome below = {.result = SPF_NEUTRAL};

    if (term->found != NULL && term->found->record != NULL)
        below = walk_record(walk, term, depth + 1);
    added->lookups += below.lookups;
    added->voids += below.voids;
    outcome->lookups += added->lookups;
    outcome->voids += added->voids;
    if (term->term->kind == RECORD_REDIRECT) {
        added->is_match = below.decisive != NULL;
        outcome->decisive = below.decisive;
        outcome->result = below.result;
        return true;
    }
    if (term->term->kind == RECORD_INCLUDE)
        added->is_match = below.decisive != NULL && below.result == SPF_PASS;
    if (!record_is_lookup(term->term->kind)) /* ip4, ip6 and all are there only where they match */
        added->is_match = true;
    if (!added->is_match)
        return false;
    outcome->decisive = term;
    outcome->result = result_of(term->term->qualifier);
    return true;
}

/* The term's place in the record is reached only when all before it were asked and did not decide.
 */
static Outcome walk_record(Walk *walk, const CheckTerm *opener, guint depth)
{
    Outcome outcome = {.result = SPF_NEUTRAL};
    const RecordTerm *last = NULL;

    for (guint i = opener->first; i < opener->first + opener->count && last == NULL; i++) {
        const CheckTerm *term = check_term(walk->check, i);
        bool is_reached = term->is_begun || !record_is_lookup(term->term->kind);

        if (!is_reached || walk_term(walk, term, depth, &outcome) || term->is_end)
            last = term->term;
    }
    /* A redirect counts behind all other terms, wherever it stands. */
    compare_networks(walk->check, opener->found->record,
                     last != NULL && last->kind != RECORD_REDIRECT ? last : NULL);
    return outcome;
}

/* Where a forced result ended the check, nothing behind the terms that led there was reached. */
static void mark_end(Check *check)
{
    for (guint i = check->begun; check->is_forced && i > 0; i = check_term(check, i)->parent)
        check_term(check, i)->is_end = true;
}

static void set_result(Evaluation *evaluation, Check *check, SpfResult result,
                       const Outcome *outcome)
{
    evaluation->result = result;
    evaluation->reason = g_strdup(check->reason);
    if (check->is_forced)
        return;
    if (result != SPF_NONE && result != outcome->result) {
        log_write(LOG_ERR, "libspf2 says %s of %s, its terms say %s", spf_result_text(result),
                  check->question->domain, spf_result_text(outcome->result));
        evaluation->result = SPF_TEMPERROR;
        evaluation->reason = g_strdup("libspf2 and the terms of the record disagree");
        return;
    }
    if (outcome->decisive != NULL)
        evaluation->mechanism =
            record_term_text(outcome->decisive->holder, outcome->decisive->term);
}

Evaluation *check_report(Check *check, SpfResult result)
{
    Evaluation *evaluation = g_new0(Evaluation, 1);
    Walk walk = {.check = check, .terms = g_ptr_array_new_with_free_func(term_free)};
    const CheckTerm *root = check_term(check, 0);
    Outcome outcome = {.result = SPF_NONE};

    mark_end(check);
    if (root->found != NULL && root->found->record != NULL)
        outcome = walk_record(&walk, root, 0);
    evaluation->record = record_text(root->found);
    evaluation->lookups = check->lookups;
    evaluation->void_lookups = check->voids;
    evaluation->ttl = check->ttl != G_MAXUINT32 ? check->ttl : 0;
    evaluation->uses_sender = check->uses_sender;
    evaluation->piece = *check->network;
    evaluation->terms = walk.terms;
    set_result(evaluation, check, result, &outcome);
    return evaluation;
}
