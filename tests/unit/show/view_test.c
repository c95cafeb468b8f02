#include "config.h"

#include "show/view.h"

#include <string.h>

#include "unit/table.h"

static Language *english(void)
{
    Language *language = language_new(LANGUAGE_ENGLISH, NULL);

    assert_non_null(language);
    return language;
}

static const struct number_row {
    const char *name;
    guint64 number, whole;
    const char *percent;
} number_rows[] = {
    {"0", 0, 0, "0.0\u00a0%"},
    {"7", 7, 7, "100.0\u00a0%"},
    {"999", 999, 2000, "50.0\u00a0%"},
    {"1,000", 1000, 3000, "33.3\u00a0%"},
    {"12,345,678", 12345678, G_MAXUINT64, "0.0\u00a0%"},
};

static void test_number(void **state)
{
    const struct number_row *row = *state;
    g_autoptr(Language) language = english();
    const View view = {.language = language};
    g_autofree char *number = view_number(&view, row->number);
    g_autofree char *percent = view_percent(&view, row->number, row->whole);

    assert_string_equal(number, row->name);
    assert_string_equal(percent, row->percent);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, number_rows, test_number);
    return table_run(tests, "view");
}
