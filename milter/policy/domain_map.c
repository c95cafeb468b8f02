#include "config.h"

#include "policy/domain_map.h"

#include <string.h>

#include "base/domain_name.h"

G_DEFINE_QUARK(spfrom_domain_map_error, domain_map_error)

/* The keys that a section may give, or a line of domain_map. */
static bool is_of_domain(const SettingsKey *key)
{
    return (key->flags & (SETTINGS_KEY_SECTION | SETTINGS_KEY_MAP)) != 0;
}

DomainSection *domain_section_new(const char *name, GError **error)
{
    g_autoptr(DomainSection) section = g_new0(DomainSection, 1);

    for (size_t i = 0; i < settings_keys_length; i++)
        if (is_of_domain(&settings_keys[i]) && settings_keys[i].kind->member == SETTINGS_NUMBER)
            *(guint *)settings_key_section_member(section, &settings_keys[i]) = SECTION_OPEN;
    section->is_subdomains = name[0] == '.';
    section->name = domain_name_parse(section->is_subdomains ? name + 1 : name, error);
    return section->name != NULL ? g_steal_pointer(&section) : NULL;
}

void domain_section_free(DomainSection *section)
{
    for (size_t i = 0; i < settings_keys_length; i++)
        if (is_of_domain(&settings_keys[i]))
            settings_key_clear(&settings_keys[i],
                               settings_key_section_member(section, &settings_keys[i]));
    g_free(section->name);
    g_free(section);
}

static bool is_given(const SettingsKey *key, const void *place)
{
    return key->kind->member == SETTINGS_NUMBER ? *(const guint *)place != SECTION_OPEN
                                                : *(const void *const *)place != NULL;
}

bool domain_section_set(DomainSection *section, const SettingsKey *key, const char *text,
                        GError **error)
{
    void *place = settings_key_section_member(section, key);

    /* of two, the reader can't see which one counts */
    if (is_given(key, place)) {
        g_set_error(error, DOMAIN_MAP_ERROR, DOMAIN_MAP_ERROR_SYNTAX,
                    "%s: is given twice; leave one out", key->name);
        return false;
    }
    if (!settings_key_read(key, place, (const char *const[]){text, NULL}, NULL, error))
        return false;
    if (section->fallback_form != NULL)
        section->fallback = section->fallback_form->plain;
    return true;
}

static char *table_key(const DomainSection *section)
{
    return section->is_subdomains ? g_strconcat(".", section->name, NULL) : g_strdup(section->name);
}

static void section_free(gpointer section)
{
    domain_section_free(section);
}

GHashTable *domain_table_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, section_free);
}

bool domain_table_add(GHashTable *table, DomainSection *section, GError **error)
{
    g_autofree char *key = table_key(section);

    if (g_hash_table_contains(table, key)) {
        g_set_error(error, DOMAIN_MAP_ERROR, DOMAIN_MAP_ERROR_SYNTAX,
                    "\"%s\" is there twice; leave one out", key);
        domain_section_free(section);
        return false;
    }
    g_hash_table_insert(table, g_steal_pointer(&key), section);
    return true;
}

const DomainSection *domain_table_find(GHashTable *table, const char *domain_name)
{
    const DomainSection *section;

    if (g_hash_table_size(table) == 0)
        return NULL;
    section = g_hash_table_lookup(table, domain_name);
    for (const char *dot = strchr(domain_name, '.'); section == NULL && dot != NULL;
         dot = strchr(dot + 1, '.'))
        section = g_hash_table_lookup(table, dot);
    return section;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static const char *skip_blanks(const char *at)
{
    while (is_blank(*at))
        at++;
    return at;
}

/* Takes what stands in double quotes at *at off the line; NULL if the closing one is missing. */
static char *take_quoted(const char **at)
{
    g_autoptr(GString) value = g_string_new(NULL);
    const char *from = *at + 1;

    for (; *from != '\0' && *from != '"'; from++) {
        if (*from == '\\' && from[1] != '\0')
            from++;
        g_string_append_c(value, *from);
    }
    if (*from != '"')
        return NULL;
    *at = from + 1;
    return g_string_free(g_steal_pointer(&value), FALSE);
}

/* Takes the value at *at off the line, quoted or up to the next blank. */
static char *take_value(const char **at)
{
    size_t length;
    char *value;

    if (**at == '"')
        return take_quoted(at);
    length = strcspn(*at, " \t\r");
    value = g_strndup(*at, length);
    *at += length;
    return value;
}

/* Appends the names of the keys with that flag, ", " between two. */
static void append_names(GString *text, guint flag)
{
    const char *gap = "";

    for (size_t i = 0; i < settings_keys_length; i++) {
        if ((settings_keys[i].flags & flag) == 0)
            continue;
        g_string_append_printf(text, "%s%s", gap, settings_keys[i].name);
        gap = ", ";
    }
}

static const SettingsKey *find_key(const char *name, GError **error)
{
    const SettingsKey *key = settings_key_find(name);
    g_autoptr(GString) text = NULL;

    if (key != NULL && is_of_domain(key))
        return key;
    text = g_string_new(NULL);
    append_names(text, SETTINGS_KEY_SECTION);
    g_string_append(text, " and, in a domain_map, ");
    append_names(text, SETTINGS_KEY_MAP);
    g_set_error(error, DOMAIN_MAP_ERROR, DOMAIN_MAP_ERROR_SYNTAX,
                "\"%s\" is no key of a domain; there are %s", name, text->str);
    return NULL;
}

static bool parse_pair(DomainSection *section, const char **at, GError **error)
{
    size_t length = strcspn(*at, "= \t\r");
    g_autofree char *key = g_strndup(*at, length);
    g_autofree char *value = NULL;
    const SettingsKey *known;

    if ((*at)[length] != '=') {
        g_set_error(error, DOMAIN_MAP_ERROR, DOMAIN_MAP_ERROR_SYNTAX,
                    "\"%s\" has no value; write it like mode=log-only", key);
        return false;
    }
    *at += length + 1;
    value = take_value(at);
    if (value == NULL || (**at != '\0' && !is_blank(**at))) {
        g_set_error(error, DOMAIN_MAP_ERROR, DOMAIN_MAP_ERROR_SYNTAX,
                    "%s: the value's quotes are wrong; write %s=\"text\"", key, key);
        return false;
    }
    known = find_key(key, error);
    return known != NULL && domain_section_set(section, known, value, error);
}

/* Cuts a comment off: from a "#" at the start or behind a blank, outside of quotes. */
static void cut_comment(char *line)
{
    bool is_quoted = false;

    for (char *at = line; *at != '\0'; at++) {
        if (*at == '\\' && is_quoted && at[1] != '\0')
            at++;
        else if (*at == '"')
            is_quoted = !is_quoted;
        else if (*at == '#' && !is_quoted && (at == line || is_blank(at[-1]))) {
            *at = '\0';
            return;
        }
    }
}

static bool parse_line(GHashTable *table, char *line, GError **error)
{
    g_autoptr(DomainSection) section = NULL;
    g_autofree char *name = NULL;
    const char *at;

    if (!g_utf8_validate(line, -1, NULL)) {
        g_set_error_literal(error, DOMAIN_MAP_ERROR, DOMAIN_MAP_ERROR_SYNTAX,
                            "the line is not UTF-8; convert the file");
        return false;
    }
    cut_comment(line);
    at = skip_blanks(line);
    if (*at == '\0')
        return true;
    name = take_value(&at);
    section = domain_section_new(name != NULL ? name : at, error);
    if (section == NULL)
        return false;
    for (at = skip_blanks(at); *at != '\0'; at = skip_blanks(at))
        if (!parse_pair(section, &at, error))
            return false;
    return domain_table_add(table, g_steal_pointer(&section), error);
}

GHashTable *domain_map_parse(const char *text, const char *file, GError **error)
{
    g_autoptr(GHashTable) table = domain_table_new();
    guint number = 1;

    for (const char *at = text; *at != '\0'; number++) {
        size_t length = strcspn(at, "\n");
        g_autofree char *line = g_strndup(at, length);

        if (!parse_line(table, line, error)) {
            g_prefix_error(error, "%s:%u: ", file, number);
            return NULL;
        }
        at += length + (at[length] == '\n');
    }
    return g_steal_pointer(&table);
}
