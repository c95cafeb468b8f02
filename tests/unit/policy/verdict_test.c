#include "config.h"

#include "policy/verdict.h"

#include "unit/table.h"

static const struct result_row {
    const char *name; /* the text */
    int result;       /* -1: none */
} result_rows[] = {
    {"none", SPF_NONE},
    {"neutral", SPF_NEUTRAL},
    {"pass", SPF_PASS},
    {"fail", SPF_FAIL},
    {"softfail", SPF_SOFTFAIL},
    {"temperror", SPF_TEMPERROR},
    {"permerror", SPF_PERMERROR},
    {"", -1},
    {"Pass", -1},
    {"hardfail", -1},
    {"soft", -1},
    {"pass ", -1},
};

static void test_result(void **state)
{
    const struct result_row *row = *state;
    SpfResult result;

    assert_int_equal(spf_result_parse(row->name, &result), row->result >= 0);
    if (row->result < 0)
        return;
    assert_int_equal(result, row->result);
    assert_string_equal(spf_result_text(result), row->name);
}

/* From the worst, as design section 12 has it. */
static void test_worse(void **state G_GNUC_UNUSED)
{
    static const SpfResult order[] = {SPF_PERMERROR, SPF_TEMPERROR, SPF_FAIL, SPF_SOFTFAIL,
                                      SPF_NEUTRAL,   SPF_NONE,      SPF_PASS};

    assert_int_equal(G_N_ELEMENTS(order), SPF_RESULTS);
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        for (size_t j = i; j < G_N_ELEMENTS(order); j++) {
            assert_int_equal(spf_result_worse(order[i], order[j]), order[i]);
            assert_int_equal(spf_result_worse(order[j], order[i]), order[i]);
        }
}

static void test_set(void **state G_GNUC_UNUSED)
{
    SpfResultSet set = SPF_RESULT_SET(SPF_NONE) | SPF_RESULT_SET(SPF_PERMERROR);

    for (int result = 0; result < SPF_RESULTS; result++) {
        assert_int_equal(spf_result_set_has(set, (SpfResult)result),
                         result == SPF_NONE || result == SPF_PERMERROR);
        assert_false(spf_result_set_has(0, (SpfResult)result));
    }
}

static const struct source_row {
    const char *name; /* the text */
    VerdictSource source;
} source_rows[] = {
    {"hit", VERDICT_SOURCE_HIT},     {"miss", VERDICT_SOURCE_MISS}, {"wait", VERDICT_SOURCE_WAIT},
    {"stale", VERDICT_SOURCE_STALE}, {"none", VERDICT_SOURCE_NONE},
};

static void test_source(void **state)
{
    const struct source_row *row = *state;

    assert_string_equal(verdict_source_text(row->source), row->name);
}

static void test_references(void **state G_GNUC_UNUSED)
{
    char relay[] = "192.0.2.25";
    Verdict *verdict = verdict_new(SPF_SOFTFAIL, relay, "~all", NULL);
    Verdict *other = verdict_ref(verdict);

    relay[0] = 'x'; /* it was copied */
    verdict_unref(verdict);
    assert_int_equal(other->result, SPF_SOFTFAIL);
    assert_string_equal(other->relay, "192.0.2.25");
    assert_string_equal(other->mechanism, "~all");
    assert_null(other->reason);
    verdict_unref(other);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, result_rows, test_result);
    TABLE_ADD(tests, source_rows, test_source);
    table_add(tests, "of two results the worse one decides", test_worse, NULL);
    table_add(tests, "a set", test_set, NULL);
    table_add(tests, "references", test_references, NULL);
    return table_run(tests, "verdict");
}
