#include "config.h"

#include "advice/advice.h"

#include <string.h>

#include "unit/table.h"

/* The members of a point that a sentence about it names. */
static const struct {
    const char *placeholder;
    guint member;
} placeholders[] = {
    {"{term}", POINT_HAS_TERM},     {"{text}", POINT_HAS_TEXT},     {"{reason}", POINT_HAS_REASON},
    {"{strings}", POINT_HAS_TEXTS}, {"{number}", POINT_HAS_NUMBER}, {"{limit}", POINT_HAS_LIMIT},
};

static guint members_of(const char *text)
{
    guint members = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(placeholders); i++)
        if (strstr(text, placeholders[i].placeholder) != NULL)
            members |= placeholders[i].member;
    return members;
}

static void check_name(GHashTable *names, const char *name)
{
    assert_non_null(name);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
    if (!g_hash_table_add(names, (gpointer)name))
        fail_msg("%s is there twice", name);
}

/* Each kind has a row of its own that is whole. */
static void test_kinds(void **state)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    (void)state;
    for (AdviceKind kind = 0; kind < ADVICE_KINDS; kind++) {
        const AdviceKindRow *row = advice_kind_row(kind);

        check_name(names, row->name);
        assert_non_null(row->summary);
        assert_true((row->subject != NULL) == (row->reason != NULL));
        assert_true(row->shows_record || row->sentences[0].text != NULL);
        assert_true(row->reason != NULL || row->exit_status == 75);
        for (const AdviceSentence *at = row->sentences; at->text != NULL; at++)
            assert_int_equal(members_of(at->text), 0);
    }
}

/* A sentence names no member that points of its kind don't have. */
static void test_points(void **state)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    (void)state;
    for (PointKind kind = 0; kind < POINT_KINDS; kind++) {
        const PointRow *row = point_row(kind);

        check_name(names, row->name);
        for (const AdviceSentence *at = row->sentences; at->text != NULL; at++)
            if ((members_of(at->text) & ~row->members) != 0)
                fail_msg("%s: %s", row->name, at->text);
    }
}

/* The names of the kinds in their order, as section 15 of the design says it. */
static GStrv designed_order(void)
{
    static const char begin[] = "where several fit, the first of: ";
    g_autofree char *file = g_build_filename(g_getenv("SPFROM_SRCDIR"), "doc", "design.md", NULL);
    g_autofree char *text = NULL;
    g_autofree char *order = NULL;
    const char *found;

    assert_true(g_file_get_contents(file, &text, NULL, NULL));
    found = strstr(text, begin);
    assert_non_null(found);
    found += strlen(begin);
    order = g_strndup(found, strcspn(found, ";\n"));
    return g_strsplit(order, ", ", -1);
}

/* Of several kinds that are right, the first one in design section 15 counts. */
static void test_order(void **state)
{
    g_auto(GStrv) order = designed_order();

    (void)state;
    assert_int_equal(g_strv_length(order), ADVICE_KINDS);
    for (AdviceKind kind = 0; kind < ADVICE_KINDS; kind++)
        assert_string_equal(advice_kind_row(kind)->name, order[kind]);
    for (AdviceKind a = 0; a < ADVICE_KINDS; a++)
        for (AdviceKind b = 0; b < ADVICE_KINDS; b++) {
            g_autoptr(Advice) advice = advice_new("praxis.example");

            advice_find(advice, a);
            advice_find(advice, b);
            assert_int_equal(advice->kind, MIN(a, b));
        }
}

/* The name in the zone of the domain that somebody registered. */
static const struct label_row {
    const char *name; /* the domain */
    const char *organizational, *label;
    bool is_subdomain;
} label_rows[] = {
    {"praxis.example", "praxis.example", "@", false},
    {"mail.praxis.example", "praxis.example", "mail", true},
    {"a.b.praxis.co.uk", "praxis.co.uk", "a.b", true},
};

static void test_label(void **state)
{
    const struct label_row *row = *state;
    g_autoptr(Advice) advice = advice_new(row->name);

    assert_string_equal(advice->organizational, row->organizational);
    assert_string_equal(advice->label, row->label);
    assert_int_equal(advice->is_subdomain, row->is_subdomain);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, label_rows, test_label);
    table_add(tests, "a row for each kind", test_kinds, NULL);
    table_add(tests, "a row for each kind of point", test_points, NULL);
    table_add(tests, "the first kind counts", test_order, NULL);
    return table_run(tests, "advice_test");
}
