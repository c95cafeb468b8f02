/* Prints the table of keys for contrib/check-docs and manual_test.py, a key a line: name, kind,
 * default, smallest and largest value, words, and flags, with a tab between two. */
#include "config.h"

#include <stdio.h>

#include "policy/settings_keys.h"

static const struct {
    SettingsKeyFlags flag;
    const char *name;
} flags[] = {
    {SETTINGS_KEY_LIST, "list"},         {SETTINGS_KEY_RESTART, "restart"},
    {SETTINGS_KEY_VERDICTS, "verdicts"}, {SETTINGS_KEY_FILE, "file"},
    {SETTINGS_KEY_SECTION, "section"},   {SETTINGS_KEY_MAP, "map"},
};

int main(void)
{
    for (size_t i = 0; i < settings_keys_length; i++) {
        const SettingsKey *key = &settings_keys[i];
        g_autofree char *words =
            key->words != NULL ? g_strjoinv(" ", (char **)key->words) : g_strdup("");

        printf("%s\t%s\t%s\t%u\t%u\t%s\t", key->name, key->kind->name,
               key->default_text != NULL ? key->default_text : "", key->min, key->max, words);
        for (size_t j = 0; j < G_N_ELEMENTS(flags); j++)
            if ((key->flags & flags[j].flag) != 0)
                printf("%s ", flags[j].name);
        putchar('\n');
    }
    return 0;
}
