#include "config.h"

#include "policy/verdict.h"

#include <string.h>

static const char *const result_texts[SPF_RESULTS] = {
    [SPF_NONE] = "none",           [SPF_NEUTRAL] = "neutral",   [SPF_PASS] = "pass",
    [SPF_FAIL] = "fail",           [SPF_SOFTFAIL] = "softfail", [SPF_TEMPERROR] = "temperror",
    [SPF_PERMERROR] = "permerror",
};

/* From the worst: if relays differ, the first of these decides (design section 12). */
static const SpfResult worst_first[SPF_RESULTS] = {
    SPF_PERMERROR, SPF_TEMPERROR, SPF_FAIL, SPF_SOFTFAIL, SPF_NEUTRAL, SPF_NONE, SPF_PASS,
};

const char *spf_result_text(SpfResult result)
{
    return result_texts[result];
}

bool spf_result_parse(const char *text, SpfResult *result)
{
    for (size_t i = 0; i < SPF_RESULTS; i++) {
        if (strcmp(text, result_texts[i]) == 0) {
            *result = (SpfResult)i;
            return true;
        }
    }
    return false;
}

SpfResult spf_result_worse(SpfResult a, SpfResult b)
{
    for (size_t i = 0; i < SPF_RESULTS; i++)
        if (worst_first[i] == a || worst_first[i] == b)
            return worst_first[i];
    return a;
}

bool spf_result_set_has(SpfResultSet set, SpfResult result)
{
    return (set & SPF_RESULT_SET(result)) != 0;
}

const char *verdict_source_text(VerdictSource source)
{
    switch (source) {
    case VERDICT_SOURCE_HIT:
        return "hit";
    case VERDICT_SOURCE_MISS:
        return "miss";
    case VERDICT_SOURCE_WAIT:
        return "wait";
    case VERDICT_SOURCE_STALE:
        return "stale";
    case VERDICT_SOURCE_FLEET:
        return "fleet";
    case VERDICT_SOURCE_NONE:
        return "none";
    }
    return "none";
}

Verdict *verdict_new(SpfResult result, const char *relay, const char *mechanism, const char *reason)
{
    Verdict *verdict = g_new0(Verdict, 1);

    verdict->refs = 1;
    verdict->result = result;
    verdict->relay = g_strdup(relay);
    verdict->mechanism = g_strdup(mechanism);
    verdict->reason = g_strdup(reason);
    return verdict;
}

Verdict *verdict_ref(Verdict *verdict)
{
    g_atomic_int_inc(&verdict->refs);
    return verdict;
}

void verdict_unref(Verdict *verdict)
{
    if (!g_atomic_int_dec_and_test(&verdict->refs))
        return;
    g_free(verdict->relay);
    g_free(verdict->mechanism);
    g_free(verdict->reason);
    g_free(verdict->masked_reason);
    g_free(verdict->dkim);
    g_free(verdict);
}
