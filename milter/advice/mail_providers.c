#include "config.h"

#include "advice/mail_providers.h"

#include <string.h>

#include "advice/list_file.h"
#include "base/domain_name.h"
#include "base/installation.h"

#define NAME "mail-providers"

struct MailProviders {
    GHashTable *names; /* set of char *, those for subdomains with their dot */
};

MailProviders *mail_providers_new(void)
{
    MailProviders *providers = g_new(MailProviders, 1);

    providers->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return providers;
}

void mail_providers_free(MailProviders *providers)
{
    g_hash_table_unref(providers->names);
    g_free(providers);
}

static bool take_entry(gpointer data, const char *entry, GError **error)
{
    MailProviders *providers = data;
    bool is_out = *entry == '!';
    const char *name = is_out ? entry + 1 : entry;
    bool is_subdomains = *name == '.';
    g_autofree char *domain_name = domain_name_parse(is_subdomains ? name + 1 : name, error);
    g_autofree char *key = NULL;

    if (domain_name == NULL)
        return false;
    key = g_strconcat(is_subdomains ? "." : "", domain_name, NULL);
    if (is_out)
        g_hash_table_remove(providers->names, key);
    else
        g_hash_table_add(providers->names, g_steal_pointer(&key));
    return true;
}

bool mail_providers_add(MailProviders *providers, const char *text, const char *file,
                        GError **error)
{
    return list_file_parse(text, file, take_entry, providers, error);
}

MailProviders *mail_providers_read(const char *configuration, GError **error)
{
    g_autoptr(MailProviders) providers = mail_providers_new();
    g_autofree char *installed = installation_data_file(NAME);
    g_autofree char *added = installation_administrators_file(configuration, NAME);

    if (!list_file_read(installed, false, take_entry, providers, error) ||
        !list_file_read(added, true, take_entry, providers, error))
        return NULL;
    return g_steal_pointer(&providers);
}

bool mail_providers_has(const MailProviders *providers, const char *domain_name)
{
    if (g_hash_table_contains(providers->names, domain_name))
        return true;
    for (const char *dot = strchr(domain_name, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
        if (g_hash_table_contains(providers->names, dot))
            return true;
    return false;
}

guint mail_providers_count(const MailProviders *providers)
{
    return g_hash_table_size(providers->names);
}
