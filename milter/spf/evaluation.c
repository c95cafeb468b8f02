#include "config.h"

#include "spf/evaluation.h"

#include <string.h>

#include "base/log.h"
#include "spf/check_host.h"
#include "spf/libspf2.h"
#include "spf/problem.h"

#define TRIED_MAX 256 /* addresses of a network that are tried one by one */

/* What the terms of one record came to. */
typedef struct {
    SpfResult result;
    /* Of this record, or of the one that a redirect brought; NULL if none decided. */
    const CheckTerm *decisive;
    guint lookups, voids;
} Outcome;

typedef struct {
    Check *check;
    GPtrArray *terms; /* of EvaluationTerm */
} Report;

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
 * The networks of a record were compared with one address when the canonical record was written.
 * Now that it is known how far evaluation came, compare them with the whole network.
 *
 * last  the term at which evaluation ended; NULL for the end of the record
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

static EvaluationTerm *add_term(Report *report, const CheckTerm *term, guint depth)
{
    EvaluationTerm *added = g_new0(EvaluationTerm, 1);

    added->depth = depth;
    added->term = record_term_text(term->holder, term->term);
    added->name = g_strdup(term->name);
    added->record = record_text(term->found);
    added->voids = term->voids;
    added->lookups = record_is_lookup(term->term->kind) ? 1 : 0;
    added->is_match = term->is_match;
    added->is_assumed = term->is_assumed;
    g_ptr_array_add(report->terms, added);
    return added;
}

static Outcome report_record(Report *report, const CheckTerm *opener, guint depth);

/* Adds a term and, if it is an include or redirect, what is below it. Returns whether the term
 * decides; outcome's result is then set. */
static bool report_term(Report *report, const CheckTerm *term, guint depth, Outcome *outcome)
{
    EvaluationTerm *added = add_term(report, term, depth);
    Outcome below = {.result = SPF_NEUTRAL};

    if (term->found != NULL && term->found->record != NULL)
        below = report_record(report, term, depth + 1);
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
    if (!record_is_lookup(term->term->kind)) /* ip4, ip6 and all are written only if they match */
        added->is_match = true;
    if (!added->is_match)
        return false;
    outcome->decisive = term;
    outcome->result = result_of(term->term->qualifier);
    return true;
}

/* Evaluation reaches a term only if all terms before it were asked and did not decide. */
static Outcome report_record(Report *report, const CheckTerm *opener, guint depth)
{
    Outcome outcome = {.result = SPF_NEUTRAL};
    const RecordTerm *last = NULL;

    for (guint i = opener->first; i < opener->first + opener->count && last == NULL; i++) {
        const CheckTerm *term = check_term(report->check, i);
        bool is_reached = term->is_begun || !record_is_lookup(term->term->kind);

        if (!is_reached || report_term(report, term, depth, &outcome) || term->is_end)
            last = term->term;
    }
    /* A redirect counts behind all other terms, wherever it stands. */
    compare_networks(report->check, opener->found->record,
                     last != NULL && last->kind != RECORD_REDIRECT ? last : NULL);
    return outcome;
}

/* If a forced result ended the check, nothing behind the terms that led there was reached. */
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

/*
 * What came out of a check that libspf2 has run, with the tree of the terms that it reached.
 * libspf2 doesn't tell which term decided; that follows from the answers that the terms got. If
 * these lead to another result than libspf2's, one of the two is wrong: the result is temperror,
 * and the log says so.
 *
 * May set check->reach. Returns a new evaluation, freed with evaluation_free().
 */
static Evaluation *report_check(Check *check, SpfResult result)
{
    Evaluation *evaluation = g_new0(Evaluation, 1);
    Report report = {.check = check, .terms = g_ptr_array_new_with_free_func(term_free)};
    const CheckTerm *root = check_term(check, 0);
    Outcome outcome = {.result = SPF_NONE};

    mark_end(check);
    if (root->found != NULL && root->found->record != NULL)
        outcome = report_record(&report, root, 0);
    evaluation->record = record_text(root->found);
    evaluation->lookups = check->lookups;
    evaluation->void_lookups = check->voids;
    evaluation->ttl = check->ttl != G_MAXUINT32 ? check->ttl : 0;
    evaluation->uses_sender = check->uses_sender;
    evaluation->uses_host = check->uses_host;
    evaluation->piece = *check->network;
    evaluation->terms = report.terms;
    set_result(evaluation, check, result, &outcome);
    return evaluation;
}

/*
 * The proof over a network finds what holds for every address of it without trying each of them.
 * The network's first address is evaluated, and each network that a term compares it with is noted.
 * If none of these lies inside of the network that is to be proven, and no name depended on the
 * address, then any other address takes the same branch at each term, and by induction the same
 * way, with the same look-ups and result. Otherwise the network is split in halves, and each half
 * is proven.
 *
 * A term that depends on the address, but can only give a pass, is first taken for no match: if the
 * network passes nevertheless, all of it does. If not, or if another term depends on the address, a
 * network of up to TRIED_MAX addresses is tried address by address; a larger one is unproven. A
 * network that needs more than EVALUATION_PIECES_MAX
 * evaluations is unproven too, and so is one that takes more work than one context may spend
 * (evaluation_context_spend()).
 */
typedef struct {
    EvaluationContext *context;
    const EvaluationQuestion *question;
    guint evaluations; /* that proved a piece */
    guint32 ttl;
    bool uses_sender;
    bool uses_host;
} Proof;

/* Returns whether network is small enough to be tried address by address. */
static bool can_be_tried(const Network *network)
{
    guint bits = network_bits(network) - (guint)network->length;

    return bits < 31 && (1u << bits) <= TRIED_MAX;
}

static void set_unproven(Evaluation *evaluation, char *reason)
{
    evaluation->is_unproven = true;
    evaluation->result = SPF_NEUTRAL;
    g_free(evaluation->reason);
    evaluation->reason = reason;
    g_clear_pointer(&evaluation->mechanism, g_free);
}

static void set_depending(Evaluation *evaluation, const Check *check)
{
    const CheckTerm *term = check_term(check, check->depending);
    const char *domain = check_term(check, term->parent)->name;
    g_autofree char *place = problem_place(domain, term->holder, term->term);
    char network[NETWORK_TEXT_MAX];

    set_unproven(evaluation,
                 g_strdup_printf("not provable for all of %s: %s depends on the address",
                                 network_text(check->network, network), place));
    evaluation->mechanism = record_term_text(term->holder, term->term);
}

static void set_tired(Evaluation *evaluation, const Check *check)
{
    set_unproven(evaluation, g_strdup_printf("not provable: the records of %s are too long to be "
                                             "compared with all relays",
                                             check->question->domain));
}

/*
 * Returns whether the result says nothing of the addresses that the assumed terms match. DNS
 * trouble is a result: it says that nothing is known.
 */
static bool is_half_known(const Check *check, const Evaluation *evaluation)
{
    return check->assumed > 0 && check->reach == CHECK_HOLDS && evaluation->result != SPF_PASS &&
           evaluation->result != SPF_TEMPERROR;
}

/*
 * Evaluates the first address of network, and sets how far the result reaches.
 *
 * assumes  a term that depends on the address counts as no match if it can only give a pass
 */
static Evaluation *evaluate(Proof *proof, const Network *network, bool assumes, CheckReach *reach)
{
    Check check;
    Evaluation *evaluation;

    check_init(&check, proof->context, proof->question, network);
    check.assumes = assumes;
    evaluation = report_check(&check, libspf2_run(&check));
    if (is_half_known(&check, evaluation)) {
        evaluation_free(evaluation);
        check_clear(&check);
        return evaluate(proof, network, false, reach);
    }
    if (check.reach == CHECK_DEPENDS && can_be_tried(network))
        check.reach = CHECK_SPLITS;
    if (check.reach == CHECK_DEPENDS)
        set_depending(evaluation, &check);
    if (check.reach == CHECK_TIRES)
        set_tired(evaluation, &check);
    *reach = check.reach;
    proof->ttl = MIN(proof->ttl, check.ttl);
    proof->uses_sender = proof->uses_sender || check.uses_sender;
    proof->uses_host = proof->uses_host || check.uses_host;
    check_clear(&check);
    return evaluation;
}

static Evaluation *prove(Proof *proof, const Network *network);

/* Returns the evaluation of the first half, or of the second one if only that does not pass. */
static Evaluation *prove_halves(Proof *proof, const Network *network)
{
    g_autoptr(Evaluation) first = NULL;
    g_autoptr(Evaluation) second = NULL;
    Network halves[2];

    network_split(network, halves);
    first = prove(proof, &halves[0]);
    if (first->result != SPF_PASS)
        return g_steal_pointer(&first);
    second = prove(proof, &halves[1]);
    return second->result != SPF_PASS ? g_steal_pointer(&second) : g_steal_pointer(&first);
}

static Evaluation *prove(Proof *proof, const Network *network)
{
    CheckReach reach;
    g_autoptr(Evaluation) evaluation = evaluate(proof, network, true, &reach);

    if (reach == CHECK_SPLITS)
        return prove_halves(proof, network);
    if (++proof->evaluations > EVALUATION_PIECES_MAX)
        set_unproven(
            evaluation,
            g_strdup_printf("not provable: %s falls into too many pieces with different results",
                            proof->question->domain));
    return g_steal_pointer(&evaluation);
}

static Evaluation *prove_network(EvaluationContext *context, const EvaluationQuestion *question)
{
    Proof proof = {.context = context, .question = question, .ttl = G_MAXUINT32};
    Evaluation *evaluation = prove(&proof, &question->relay);

    evaluation->ttl = proof.ttl != G_MAXUINT32 ? proof.ttl : 0;
    evaluation->uses_sender = proof.uses_sender;
    evaluation->uses_host = proof.uses_host;
    if (evaluation->result == SPF_PASS)
        evaluation->piece = question->relay;
    return evaluation;
}

bool evaluation_init(GError **error)
{
    return libspf2_init(error);
}

/* Section 4.3: a domain that is malformed, or no fully qualified one, has no SPF record. */
static bool can_have_record(const char *domain)
{
    return dns_is_name(domain) && strchr(domain, '.') != NULL;
}

Evaluation *evaluation_run(EvaluationContext *context, const EvaluationQuestion *question)
{
    Evaluation *evaluation;

    if (can_have_record(question->domain))
        return prove_network(context, question);
    evaluation = g_new0(Evaluation, 1);
    evaluation->result = SPF_NONE;
    evaluation->piece = question->relay;
    evaluation->terms = g_ptr_array_new();
    return evaluation;
}

void evaluation_free(Evaluation *evaluation)
{
    g_free(evaluation->mechanism);
    g_free(evaluation->reason);
    g_free(evaluation->record);
    g_ptr_array_unref(evaluation->terms);
    g_free(evaluation);
}

static const EvaluationTerm *term_at(const Evaluation *evaluation, guint position)
{
    return g_ptr_array_index(evaluation->terms, position);
}

static bool is_redirect(const EvaluationTerm *term)
{
    return g_ascii_strncasecmp(term->term, "redirect=", strlen("redirect=")) == 0;
}

const EvaluationTerm *evaluation_last_own_term(const Evaluation *evaluation)
{
    const EvaluationTerm *last = NULL;

    for (guint i = 0; i < evaluation->terms->len; i++)
        if (term_at(evaluation, i)->depth == 0)
            last = term_at(evaluation, i);
    return last;
}

EvaluationTermOutcome evaluation_term_outcome(const Evaluation *evaluation, guint position)
{
    const EvaluationTerm *term = term_at(evaluation, position);
    EvaluationTermOutcome outcome = EVALUATION_TERM_DECIDES;
    guint depth = term->depth;

    if (!term->is_match || is_redirect(term))
        return EVALUATION_TERM_PASSED_OVER;
    while (depth > 0 && position > 0) {
        const EvaluationTerm *before = term_at(evaluation, --position);

        if (before->depth >= depth)
            continue;
        depth = before->depth;
        if (is_redirect(before))
            continue;
        if (!before->is_match)
            return EVALUATION_TERM_IN_VAIN;
        outcome = EVALUATION_TERM_MATCHES;
    }
    return outcome;
}
