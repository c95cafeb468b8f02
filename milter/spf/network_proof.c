#include "config.h"

#include "spf/network_proof.h"

#include "spf/check_host.h"
#include "spf/check_report.h"
#include "spf/libspf2.h"

typedef struct {
    EvaluationContext *context;
    const EvaluationQuestion *question;
    guint evaluations; /* that proved a piece */
    guint32 ttl;
    bool uses_sender;
} Proof;

/* Is a network of that length small enough to be tried address by address? */
static bool can_be_tried(const Network *network)
{
    guint bits = network_bits(network) - (guint)network->length;

    return bits < 31 && (1u << bits) <= NETWORK_PROOF_TRIED_MAX;
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
    g_autofree char *text = record_term_text(term->holder, term->term);
    char network[NETWORK_TEXT_MAX];

    set_unproven(evaluation,
                 g_strdup_printf("not provable for all of %s: \"%s\" of %s depends on the address",
                                 network_text(check->network, network), text,
                                 check_term(check, term->parent)->name));
    evaluation->mechanism = g_steal_pointer(&text);
}

static void set_tired(Evaluation *evaluation, const Check *check)
{
    set_unproven(evaluation, g_strdup_printf("not provable: the records of %s are too long to be "
                                             "compared with all relays",
                                             check->question->domain));
}

/* Evaluates the first address of network, and sets how far the result reaches. */
static Evaluation *evaluate(Proof *proof, const Network *network, CheckReach *reach)
{
    Check check;
    Evaluation *evaluation;

    check_init(&check, proof->context, proof->question, network);
    evaluation = check_report(&check, libspf2_run(&check));
    if (check.reach == CHECK_DEPENDS && can_be_tried(network))
        check.reach = CHECK_SPLITS;
    if (check.reach == CHECK_DEPENDS)
        set_depending(evaluation, &check);
    if (check.reach == CHECK_TIRES)
        set_tired(evaluation, &check);
    *reach = check.reach;
    proof->ttl = MIN(proof->ttl, check.ttl);
    proof->uses_sender = proof->uses_sender || check.uses_sender;
    check_clear(&check);
    return evaluation;
}

static Evaluation *prove(Proof *proof, const Network *network);

/* Returns the evaluation of the first half, or of the second one where only that does not pass. */
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
    g_autoptr(Evaluation) evaluation = evaluate(proof, network, &reach);

    if (reach == CHECK_SPLITS)
        return prove_halves(proof, network);
    if (++proof->evaluations > NETWORK_PROOF_EVALUATIONS_MAX)
        set_unproven(
            evaluation,
            g_strdup_printf("not provable: %s falls into too many pieces with different results",
                            proof->question->domain));
    return g_steal_pointer(&evaluation);
}

Evaluation *network_proof_run(EvaluationContext *context, const EvaluationQuestion *question)
{
    Proof proof = {.context = context, .question = question, .ttl = G_MAXUINT32};
    Evaluation *evaluation = prove(&proof, &question->relay);

    evaluation->ttl = proof.ttl != G_MAXUINT32 ? proof.ttl : 0;
    evaluation->uses_sender = proof.uses_sender;
    if (evaluation->result == SPF_PASS)
        evaluation->piece = question->relay;
    return evaluation;
}
