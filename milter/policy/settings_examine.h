#ifndef SPFROM_POLICY_SETTINGS_EXAMINE_H
#define SPFROM_POLICY_SETTINGS_EXAMINE_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"
#include "policy/settings_parse.h"

/* One thing that is wrong with a configuration. */
typedef struct {
    /* "FILE:LINE: what is wrong, and what to write", as settings_parse() says it, and what was most
     * likely meant. */
    char *text;
    /* The key that it is about, or that was meant; NULL if that is not known. */
    char *key;
    /* The line of the configuration, from 1, that corrected is to replace; NULL if it is not clear
     * what was meant. */
    guint line;
    char *corrected;
} SettingsProblem;

#define SETTINGS_PROBLEMS_MAX 50

/*
 * Reads the configuration as settings_parse() does, and goes on after an error: the assignment in
 * which it is then counts as if it was not written.
 *
 * problems  gets all that is wrong, of SettingsProblem, at most SETTINGS_PROBLEMS_MAX
 * Returns the settings as far as they are right, given back with settings_unref(); a fallback address
 * that is not known is not in their fallbacks. NULL if nothing can be made of the file.
 */
Settings *settings_examine(const char *file, const SettingsSource *source, GPtrArray *problems);

/* An array for problems. */
GPtrArray *settings_problems_new(void);

/* Is one of problems about key? */
bool settings_problems_have(const GPtrArray *problems, const char *key);
#endif
