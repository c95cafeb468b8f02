#include "config.h"

#include "doctor/opendkim.h"

#include <string.h>

static void add_once(GPtrArray *selectors, const char *selector)
{
    if (*selector != '\0' &&
        !g_ptr_array_find_with_equal_func(selectors, selector, g_str_equal, NULL))
        g_ptr_array_add(selectors, g_strdup(selector));
}

char *doctor_opendkim_value(const char *text, const char *key)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gsize length = strlen(key);

    for (guint i = 0; lines[i] != NULL; i++) {
        char *line = g_strchug(lines[i]);

        if (g_ascii_strncasecmp(line, key, length) != 0 || !g_ascii_isspace(line[length]))
            continue;
        line += length;
        line[strcspn(line, "#")] = '\0';
        return g_strdup(g_strstrip(line));
    }
    return NULL;
}

void doctor_opendkim_key_table(const char *text, const char *domain, GPtrArray *selectors)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        char *line = g_strstrip(lines[i]);
        const char *row = line + strcspn(line, " \t=");
        g_auto(GStrv) parts = NULL;

        row += strspn(row, " \t=");
        parts = g_strsplit(row, ":", 3);
        if (*line != '#' && parts[0] != NULL && parts[1] != NULL &&
            (g_ascii_strcasecmp(parts[0], domain) == 0 || strcmp(parts[0], "%") == 0))
            add_once(selectors, parts[1]);
    }
}

/* A table in a file, by a path or "file:PATH"; refile: is no KeyTable. */
static void read_key_table(const char *table, const char *domain, GPtrArray *selectors)
{
    const char *path = g_str_has_prefix(table, "file:") ? table + strlen("file:") : table;
    g_autofree char *text = NULL;

    if (*path == '/' && g_file_get_contents(path, &text, NULL, NULL))
        doctor_opendkim_key_table(text, domain, selectors);
}

static void read_single(const char *text, const char *domain, GPtrArray *selectors)
{
    g_autofree char *domains = doctor_opendkim_value(text, "Domain");
    g_autofree char *selector = doctor_opendkim_value(text, "Selector");
    g_auto(GStrv) names = NULL;

    if (domains == NULL || selector == NULL)
        return;
    names = g_strsplit_set(domains, ", ", -1);
    for (guint i = 0; names[i] != NULL; i++)
        if (g_ascii_strcasecmp(names[i], domain) == 0)
            add_once(selectors, selector);
}

void doctor_opendkim_selectors(const char *file, const char *domain, GPtrArray *selectors)
{
    g_autofree char *text = NULL;
    g_autofree char *table = NULL;

    if (!g_file_get_contents(file != NULL ? file : DOCTOR_OPENDKIM_FILE, &text, NULL, NULL))
        return;
    table = doctor_opendkim_value(text, "KeyTable");
    if (table != NULL)
        read_key_table(table, domain, selectors);
    else
        read_single(text, domain, selectors);
}
