/* The selectors of OpenDKIM's KeyTable. */
#include "config.h"

#include "doctor/fallback.h"

#include "unit/table.h"

static const struct key_table_row {
    const char *name;
    const char *text;
    const char *selectors;
} key_table_rows[] = {
    {"a row", "key example.org:s1:/k\n", "s1"},
    {"others", "key example.net:s1:/k\n#key example.org:s2:/k\n\nnonsense\n", ""},
    {"any domain", "key %:s1:/k\n", "s1"},
    {"once each", "a example.org:s1:/k\nb Example.ORG:s1:/l\nc example.org:s2:/m\n", "s1 s2"},
    {"equals sign", "key=example.org:s1:/k\n", "s1"},
};

static void test_key_table(void **state)
{
    const struct key_table_row *row = *state;
    g_autoptr(GPtrArray) selectors = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;

    fallback_key_table(row->text, "example.org", selectors);
    g_ptr_array_add(selectors, NULL);
    text = g_strjoinv(" ", (char **)selectors->pdata);
    assert_string_equal(text, row->selectors);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, key_table_rows, test_key_table);
    return table_run(tests, "fallback");
}
