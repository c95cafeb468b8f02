#ifndef SPFROM_POLICY_SETTINGS_KEYS_H
#define SPFROM_POLICY_SETTINGS_KEYS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "policy/settings.h"

/*
 * The table of keys: all that there is to know of a key but what it is for. The parser, domain
 * sections, domain_map, the life of settings, the warnings of a reload, the fate of cached verdicts,
 * and the tests of manual page and example follow from it.
 *
 * A new key is a row here, a member of struct Settings (and of DomainSection, with
 * SETTINGS_KEY_SECTION), its texts in conf/man/spfrom.conf.5 and conf/spfrom.conf.in, and the code
 * that uses it.
 */
typedef enum {
    SETTINGS_KEY_LIST = 1 << 0, /* any number of values; else one */
    SETTINGS_KEY_RESTART =
        1 << 1, /* takes effect when the daemon is restarted: see settings_keep() */
    SETTINGS_KEY_VERDICTS = 1 << 2, /* cached verdicts do not survive its change */
    SETTINGS_KEY_FILE = 1 << 3,     /* names a file; what stands in it may change too */
    SETTINGS_KEY_SECTION = 1 << 4,  /* may stand in a domain section and in domain_map */
    SETTINGS_KEY_MAP = 1 << 5,      /* stands in domain_map alone: there is no such setting */
} SettingsKeyFlags;

/* The type of the member: how it is freed, compared and copied. */
typedef enum {
    SETTINGS_NUMBER,  /* guint, int or an enum; SECTION_OPEN in a section without it */
    SETTINGS_FLAG,    /* bool; not for a section, as it can't say that it is not given */
    SETTINGS_TEXT,    /* char *, NULL: none */
    SETTINGS_TEXTS,   /* char **, NULL-terminated */
    SETTINGS_ADDRESS, /* ReturnForm * */
    SETTINGS_ARRAY,   /* GPtrArray *; can't be compared or copied */
} SettingsMember;

typedef struct SettingsKey SettingsKey;

/* The values that a file gives for a key. */
typedef struct {
    const SettingsKey *key;
    const char *const *values; /* NULL-terminated; exactly one for a key that is no list */
    const char *file;          /* of the configuration, to which paths are relative; NULL: "/" */
} SettingsGiven;

/* Reads what is given into the member at place; the error says what to write. */
typedef bool (*SettingsRead)(void *place, const SettingsGiven *given, GError **error);

typedef struct {
    const char *name;
    SettingsMember member;
    SettingsRead read;
} SettingsKind;

struct SettingsKey {
    const char *name;
    const SettingsKind *kind;
    const char *default_text; /* as in the file, a list in braces; NULL: none */
    guint flags;              /* SettingsKeyFlags */
    size_t offset;            /* of the member of struct Settings */
    size_t section_offset;    /* of the member of DomainSection */
    size_t size;              /* of the member */
    guint min, max;           /* of a number; of a time in seconds */
    const char *const *words; /* of a choice, in the order of its enum, NULL-terminated */
};

extern const SettingsKey settings_keys[];
extern const size_t settings_keys_length;

/* NULL if there is no such key. */
const SettingsKey *settings_key_find(const char *name);

/* The member of a key in the configuration, and in a section. */
void *settings_key_member(struct Settings *settings, const SettingsKey *key);
void *settings_key_section_member(DomainSection *section, const SettingsKey *key);

/* Puts values into the member at place. The error names the key. */
bool settings_key_read(const SettingsKey *key, void *place, const char *const *values,
                       const char *file, GError **error);

/* Would settings_key_read() take values? */
bool settings_key_is_valid(const SettingsKey *key, const char *const *values, GError **error);

/* Frees what the member at place holds. */
void settings_key_clear(const SettingsKey *key, void *place);
bool settings_key_is_same(const SettingsKey *key, const void *a, const void *b);
/* What the member at place holds, as text that differs if and only if the value does; owned by the
 * caller. For machines, not as in the file. */
char *settings_key_text(const SettingsKey *key, const void *place);
/* Puts what from holds into to. */
void settings_key_copy(const SettingsKey *key, void *to, const void *from);
#endif
