#ifndef SPFROM_POLICY_SETTINGS_KEYS_H
#define SPFROM_POLICY_SETTINGS_KEYS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "policy/settings.h"

/* The keys of the configuration as a table: name, default, bounds, and the function that reads the
 * value. */
typedef struct SettingsKey SettingsKey;

/* Reads values (NULL-terminated, one for a key that is no list) into settings; the error says what
 * to write. */
typedef bool (*SettingsKeySet)(struct Settings *settings, const SettingsKey *key,
                               const char *const *values, GError **error);

typedef enum {
    KEY_ONE,     /* one value */
    KEY_LIST,    /* any number */
    KEY_RESTART, /* one, which is only read when the daemon starts: see settings_keep() */
} SettingsKeyKind;

struct SettingsKey {
    const char *name;
    SettingsKeyKind kind;
    const char *default_text; /* as in the file, a list in braces; NULL: none */
    SettingsKeySet set;
    size_t offset;            /* of the field in struct Settings that set fills */
    guint min, max;           /* of a number; of a time in seconds */
    const char *const *words; /* of a choice, in the order of its enum, NULL-terminated */
};

extern const SettingsKey settings_keys[];
extern const size_t settings_keys_length;

/* Would values do for the key of that name? The error names the key. */
bool settings_key_is_valid(const char *name, const char *const *values, GError **error);
bool settings_key_set(struct Settings *settings, const SettingsKey *key, const char *const *values,
                      GError **error);

/* Puts into next what running has of every key that needs a restart. The names of those that next
 * had otherwise are added to changed, if it is not NULL. */
void settings_keys_keep(struct Settings *next, Settings *running, GPtrArray *changed);
#endif
