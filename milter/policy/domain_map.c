#include "config.h"

#include "policy/domain_map.h"

#include <string.h>

#include "base/domain_name.h"
#include "mail/display_name.h"
#include "policy/settings_text.h"

G_DEFINE_QUARK(spfrom_domain_map_error, domain_map_error)

static bool refuse(GError **error, const char *key, const char *text, const char *instead)
{
    g_set_error(error, DOMAIN_MAP_ERROR, DOMAIN_MAP_ERROR_SYNTAX,
                "%s: \"%s\" is not possible; write %s", key, text, instead);
    return false;
}

DomainSection *domain_section_new(const char *name, GError **error)
{
    g_autoptr(DomainSection) section = g_new0(DomainSection, 1);

    section->is_subdomains = name[0] == '.';
    section->name = domain_name_parse(section->is_subdomains ? name + 1 : name, error);
    return section->name != NULL ? g_steal_pointer(&section) : NULL;
}

void domain_section_free(DomainSection *section)
{
    g_free(section->name);
    g_clear_pointer(&section->fallback, mailbox_free);
    g_free(section->display_name);
    g_free(section->display_name_missing);
    g_free(section);
}

/* Each key may stand once: of two, the reader can't see which one counts. */
static bool is_first(bool is_given, const char *key, GError **error)
{
    if (is_given)
        g_set_error(error, DOMAIN_MAP_ERROR, DOMAIN_MAP_ERROR_SYNTAX,
                    "%s: is given twice; leave one out", key);
    return !is_given;
}

static bool set_mode(DomainSection *section, const char *text, GError **error)
{
    if (!is_first(section->has_mode, "mode", error))
        return false;
    section->has_mode = mode_parse(text, &section->mode);
    return section->has_mode || refuse(error, "mode", text, "rewrite, log-only or off");
}

static bool set_fallback(DomainSection *section, const char *text, GError **error)
{
    if (!is_first(section->fallback != NULL, "fallback_address", error))
        return false;
    section->fallback = settings_fallback_parse(text);
    return section->fallback != NULL ||
           refuse(error, "fallback_address", text, "an address such as noreply@example.org");
}

static bool set_template(char **template, const char *key, const char *text, GError **error)
{
    if (!is_first(*template != NULL, key, error))
        return false;
    if (!display_name_is_template(text))
        return refuse(error, key, text, "text with %n, %l, %d or %%");
    *template = g_strdup(text);
    return true;
}

static bool set_reply_to(DomainSection *section, const char *text, GError **error)
{
    if (!is_first(section->has_reply_to, "reply_to", error))
        return false;
    section->reply_to = strcmp(text, "add") == 0;
    section->has_reply_to = section->reply_to || strcmp(text, "never") == 0;
    return section->has_reply_to || refuse(error, "reply_to", text, "add or never");
}

static bool set_authorised(DomainSection *section, const char *text, GError **error)
{
    if (!is_first(section->has_authorised, "authorised", error))
        return false;
    section->authorised = strcmp(text, "yes") == 0;
    section->has_authorised = section->authorised || strcmp(text, "no") == 0;
    return section->has_authorised || refuse(error, "authorised", text, "yes or no");
}

bool domain_section_set(DomainSection *section, const char *key, const char *text, GError **error)
{
    if (!settings_text_is_value(text)) {
        g_set_error(error, DOMAIN_MAP_ERROR, DOMAIN_MAP_ERROR_SYNTAX,
                    "%s: a control character or what is no UTF-8 is not possible; leave it out",
                    key);
        return false;
    }
    if (strcmp(key, "mode") == 0)
        return set_mode(section, text, error);
    if (strcmp(key, "fallback_address") == 0)
        return set_fallback(section, text, error);
    if (strcmp(key, "display_name") == 0)
        return set_template(&section->display_name, key, text, error);
    if (strcmp(key, "display_name_missing") == 0)
        return set_template(&section->display_name_missing, key, text, error);
    if (strcmp(key, "reply_to") == 0)
        return set_reply_to(section, text, error);
    g_set_error(error, DOMAIN_MAP_ERROR, DOMAIN_MAP_ERROR_SYNTAX,
                "\"%s\" is no key of a domain; there are mode, fallback_address, display_name, "
                "display_name_missing, reply_to and, in a domain_map, authorised",
                key);
    return false;
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

/* Takes what stands in double quotes at *at off the line; NULL where the closing one is missing. */
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

static bool parse_pair(DomainSection *section, const char **at, GError **error)
{
    size_t length = strcspn(*at, "= \t\r");
    g_autofree char *key = g_strndup(*at, length);
    g_autofree char *value = NULL;

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
    if (strcmp(key, "authorised") == 0)
        return set_authorised(section, value, error);
    return domain_section_set(section, key, value, error);
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
