#include "config.h"

#include "spf/evaluation.h"

#include <string.h>

#include "spf/libspf2.h"
#include "spf/network_proof.h"

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
        return network_proof_run(context, question);
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
