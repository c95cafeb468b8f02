#include "config.h"

#include "doctor/key_mend.h"

#include <stdbool.h>
#include <string.h>

/* What stands behind "key =" or "key +=" in line; NULL where line is about something else. */
static const char *value_in(const char *line, const char *key)
{
    line += strspn(line, " \t");
    if (!g_str_has_prefix(line, key))
        return NULL;
    line += strlen(key);
    line += strspn(line, " \t");
    if (*line == '+')
        line++;
    return *line == '=' ? line + 1 : NULL;
}

static bool is_whole(const char *value)
{
    return strchr(value, '{') == NULL || strchr(value, '}') != NULL;
}

/* Sections have keys of the same names. */
static bool begins_section(const char *line)
{
    line += strspn(line, " \t");
    return g_str_has_prefix(line, "domain ") || g_str_has_prefix(line, "domain\t");
}

/* Sets *active to the number of the line that sets key, and *shown to that of its default; 0: none.
 */
static bool find_lines(char **lines, const char *key, guint *active, guint *shown)
{
    bool is_in_section = false;

    *active = *shown = 0;
    for (guint i = 0; lines[i] != NULL; i++) {
        const char *value = is_in_section ? NULL : value_in(lines[i], key);

        is_in_section = is_in_section || begins_section(lines[i]);
        if (is_in_section && strchr(lines[i], '}') != NULL)
            is_in_section = false;
        if (value != NULL && !is_whole(value))
            return false;
        if (value != NULL)
            *active = i + 1;
        else if (*shown == 0 && lines[i][0] == '#' && value_in(lines[i] + 1, key) != NULL)
            *shown = i + 1;
    }
    return true;
}

char *doctor_key_mend(const char *file, const char *text, const char *key, const char *value)
{
    g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
    g_autofree char *setting = g_strdup_printf("%s = %s", key, value);
    g_autofree char *quoted_file = g_shell_quote(file);
    g_autofree char *script = NULL;
    g_autofree char *quoted = NULL;
    guint active;
    guint shown;

    if (!find_lines(lines, key, &active, &shown))
        return NULL;
    if (active == 0 && shown == 0) {
        quoted = g_shell_quote(setting);
        return g_strdup_printf("echo %s >>%s", quoted, quoted_file);
    }
    script = g_strdup_printf("%uc\\%s", active != 0 ? active : shown, setting);
    quoted = g_shell_quote(script);
    return g_strdup_printf("sed -i %s %s", quoted, quoted_file);
}
