#include "config.h"

#include "cli/subcommands.h"

#include <string.h>

#define WORD_MAX 16 /* octets; longer than any subcommand */

const Subcommand *const subcommands[] = {
    &check_subcommand,
    &advise_subcommand,
    &test_subcommand,
    &status_subcommand,
    &mode_subcommand,
    &reload_subcommand,
    &flush_subcommand,
    &report_subcommand,
    &doctor_subcommand,
    &web_subcommand,
    &metrics_subcommand,
    &completion_subcommand,
    NULL,
};

const Subcommand *subcommands_find(const char *name)
{
    for (size_t i = 0; subcommands[i] != NULL; i++)
        if (strcmp(subcommands[i]->name, name) == 0)
            return subcommands[i];
    return NULL;
}

/* How many letters have to be put in, left out or replaced to make b of a; WORD_MAX if a is far
 * too long. */
static guint distance(const char *a, const char *b)
{
    guint row[WORD_MAX + 1];
    size_t length = strlen(b);

    if (strlen(a) > WORD_MAX || length > WORD_MAX)
        return WORD_MAX;
    for (guint j = 0; j <= length; j++)
        row[j] = j;
    for (guint i = 0; a[i] != '\0'; i++) {
        guint corner = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            guint replaced = corner + (a[i] != b[j]);

            corner = row[j + 1];
            row[j + 1] = MIN(replaced, MIN(row[j], corner) + 1);
        }
    }
    return row[length];
}

const Subcommand *subcommands_closest(const char *name)
{
    const Subcommand *best = NULL;
    guint best_distance = 3;

    for (size_t i = 0; subcommands[i] != NULL; i++) {
        guint found = distance(name, subcommands[i]->name);

        if (found < best_distance) {
            best = subcommands[i];
            best_distance = found;
        }
    }
    return best;
}
