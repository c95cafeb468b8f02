#ifndef SPFROM_TESTS_UNIT_ADVICE_KEPT_LIST_H
#define SPFROM_TESTS_UNIT_ADVICE_KEPT_LIST_H

#include <glib.h>

#include "unit/table.h"
#include "base/domain_name.h"

/* A list of conf/, as its lines. */
static inline char **kept_list_lines(const char *name)
{
    g_autofree char *file = g_build_filename(g_getenv("SPFROM_SRCDIR"), "conf", name, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(file, &text, NULL, &error);
    assert_null(error);
    assert_true(g_str_has_suffix(text, "\n"));
    return g_strsplit(text, "\n", -1);
}

/*
 * Are the entries, up to their first blank, in order within each group (a comment begins one), and
 * each only once? Returns how many there are; fails the test with the entry where they are not.
 */
static inline guint kept_list_check(char **lines)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const char *before = "";

    for (; *lines != NULL; lines++) {
        if (**lines == '#')
            before = "";
        if (**lines == '#' || **lines == '\0')
            continue;
        if (strcmp(before, *lines) >= 0)
            fail_msg("%s stands behind %s", *lines, before);
        if (!g_hash_table_add(seen, g_strndup(*lines, strcspn(*lines, " "))))
            fail_msg("%s is there twice", *lines);
        before = *lines;
    }
    return g_hash_table_size(seen);
}

/* Fails the test unless name is in the one form of base/domain_name.h. */
static inline void kept_list_check_name(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *parsed = domain_name_parse(name, &error);

    assert_null(error);
    assert_string_equal(parsed, name);
}
#endif
