#include "config.h"

#include "mail/edits.h"

#include <string.h>

#include "unit/table.h"

static char *as_text(const Edits *edits)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < edits_length(edits); i++) {
        const Edit *edit = edits_at(edits, i);

        g_string_append_printf(text, "%c %s %u %s\n", "CDAI"[edit->kind], edit -> name,
                               edit -> index, edit -> value != NULL ? edit -> value : "-");
    }
    return g_string_free(text, FALSE);
}

static void test_order_of_sending(void **state)
{
    g_autoptr(Edits) edits = edits_new();
    g_autofree char *text = NULL;

    (void)state;
    edits_insert(edits, "X-SPFrom", "new");
    edits_add(edits, "Reply-To", "r");
    edits_change(edits, "From", 1, "f");
    edits_delete(edits, "From", 2);
    edits_delete(edits, "From", 3);
    edits_add(edits, "Author", "a");
    edits_delete(edits, "Sender", 1);
    edits_delete(edits, "Sender", 3);
    edits_sort(edits);
    text = as_text(edits);
    assert_string_equal(text, "D From 3 -\nD Sender 3 -\nD From 2 -\nC From 1 f\nD Sender 1 -\n"
                              "A Reply-To 0 r\nA Author 0 a\nI X-SPFrom 0 new\n");
}

/* One more than EDITS_MAX is not kept, of whatever kind. */
static void test_limit(void **state)
{
    g_autoptr(Edits) edits = edits_new();

    (void)state;
    for (guint i = 0; i < EDITS_MAX; i++)
        edits_delete(edits, "From", i + 1);
    assert_false(edits_is_over(edits));
    edits_insert(edits, "X-SPFrom", "new");
    assert_true(edits_is_over(edits));
    edits_sort(edits);
    assert_int_equal(edits_length(edits), EDITS_MAX);
    assert_int_equal(edits_at(edits, 0)->index, EDITS_MAX);
}

static void test_empty(void **state)
{
    g_autoptr(Edits) edits = edits_new();

    (void)state;
    edits_sort(edits);
    assert_int_equal(edits_length(edits), 0);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "order of sending", test_order_of_sending, NULL);
    table_add(tests, "limit", test_limit, NULL);
    table_add(tests, "empty", test_empty, NULL);
    return table_run(tests, "edits");
}
