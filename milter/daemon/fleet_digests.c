#include "config.h"

#include "daemon/fleet_digests.h"

#include <string.h>

#include "base/network.h"
#include "fleet/fleet_values.h"
#include "policy/settings_keys.h"

/* Is it a key in which the hosts of a fleet differ by nature? */
static bool is_own(const char *name)
{
    static const char *const names[] = {"hostname",    "control_socket", "state_dir",
                                        "ledger",      "user",           "group",
                                        "dns_servers", "return_socket"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return g_str_has_prefix(name, "socket") || g_str_has_prefix(name, "log") ||
           g_str_has_prefix(name, "fleet");
}

/* What stands in the file that a key names; "" if it can't be read. */
static char *content_digest(const char *file)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autofree char *sum = NULL;

    if (file != NULL)
        g_file_get_contents(file, &text, &length, NULL);
    sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, length);
    return g_strdup(text != NULL ? sum : "");
}

static char *value_text(Settings *settings, const SettingsKey *key)
{
    const void *member = settings_key_member((struct Settings *)settings, key);

    if ((key->flags & SETTINGS_KEY_FILE) != 0)
        return content_digest(*(char *const *)member);
    if (strcmp(key->name, "domain_map") == 0)
        return g_strdup(settings->map_digest != NULL ? settings->map_digest : "");
    return settings_key_text(key, member);
}

static void append_section(GString *text, DomainSection *section)
{
    g_string_append_printf(text, "\n[%s%s]\n", section->is_subdomains ? "." : "", section->name);
    for (size_t i = 0; i < settings_keys_length; i++) {
        const SettingsKey *key = &settings_keys[i];
        g_autofree char *value = NULL;

        if ((key->flags & SETTINGS_KEY_SECTION) == 0)
            continue;
        value = settings_key_text(key, settings_key_section_member(section, key));
        g_string_append_printf(text, "%s %s\n", key->name, value);
    }
}

static char *sections_text(Settings *settings)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GList) names = g_hash_table_get_keys(settings->sections);

    names = g_list_sort(names, (GCompareFunc)strcmp);
    for (GList *name = names; name != NULL; name = name->next)
        append_section(text, g_hash_table_lookup(settings->sections, name->data));
    return g_string_free(text, FALSE);
}

GHashTable *fleet_digests_new(Settings *settings)
{
    GHashTable *made = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *sections = sections_text(settings);

    for (size_t i = 0; i < settings_keys_length; i++) {
        const SettingsKey *key = &settings_keys[i];
        g_autofree char *value = NULL;

        if ((key->flags & SETTINGS_KEY_MAP) != 0 || is_own(key->name))
            continue;
        value = value_text(settings, key);
        g_hash_table_insert(made, g_strdup(key->name), fleet_digest(value));
    }
    g_hash_table_insert(made, g_strdup("domain"), fleet_digest(sections));
    return made;
}

char *fleet_digests_relays(const RelaySet *set)
{
    g_autoptr(GString) text = g_string_new(set->is_complete ? "complete" : "incomplete");

    for (guint i = 0; i < set->networks->len; i++) {
        char network[NETWORK_TEXT_MAX];

        g_string_append_printf(text, " %s",
                               network_text(&g_array_index(set->networks, Network, i), network));
    }
    return fleet_digest(text->str);
}

char *fleet_digests_return_key(Settings *settings)
{
    g_autofree char *sum = NULL;

    if (!settings->has_return_secret)
        return g_strdup("");
    sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, settings->return_secret,
                                      sizeof settings->return_secret);
    return fleet_digest(sum);
}
