#ifndef SPFROM_TESTS_UNIT_TABLE_H
#define SPFROM_TESTS_UNIT_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

/* For programs with several tables: tests is a GArray of struct CMUnitTest, each row, which has a
 * name, one of them. */
#define TABLE_ADD(tests, rows, function)                                                           \
    for (size_t table_row = 0; table_row < G_N_ELEMENTS(rows); table_row++)                        \
    table_add(tests, (rows)[table_row].name, function, &(rows)[table_row])

static inline GArray *table_new(void)
{
    return g_array_new(FALSE, TRUE, sizeof(struct CMUnitTest));
}

static inline void table_add(GArray *tests, const char *name, CMUnitTestFunction function,
                             const void *row)
{
    struct CMUnitTest test = {.name = g_strescape(name, NULL), /* one line of TAP */
                              .test_func = function,
                              .initial_state = (void *)(uintptr_t)row};

    g_array_append_val(tests, test);
}

/* Runs and frees tests. Returns what main() returns. */
static inline int table_run(GArray *tests, const char *program)
{
    int failed = _cmocka_run_group_tests(
        program, (const struct CMUnitTest *)(const void *)tests->data, tests->len, NULL, NULL);

    for (guint i = 0; i < tests->len; i++)
        g_free((char *)(uintptr_t)g_array_index(tests, struct CMUnitTest, i).name);
    g_array_unref(tests);
    return failed;
}
#endif
