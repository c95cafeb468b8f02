#include "config.h"

#include "base/spelling.h"

#include <string.h>

guint spelling_distance(const char *a, const char *b)
{
    guint row[SPELLING_MAX + 1];
    size_t length = strlen(b);

    if (strlen(a) > SPELLING_MAX || length > SPELLING_MAX)
        return SPELLING_MAX;
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
