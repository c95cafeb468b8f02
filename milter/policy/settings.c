#include "config.h"

#include "policy/settings.h"

#include <string.h>

#include "policy/domain_map.h"

static const char *const mode_texts[] = {
    [MODE_OFF] = "off", [MODE_LOG_ONLY] = "log-only", [MODE_REWRITE] = "rewrite"};

const char *mode_text(Mode mode)
{
    return mode_texts[mode];
}

bool mode_parse(const char *text, Mode *mode)
{
    for (size_t i = 0; i < G_N_ELEMENTS(mode_texts); i++) {
        if (strcmp(text, mode_texts[i]) == 0) {
            *mode = (Mode)i;
            return true;
        }
    }
    return false;
}

static void free_texts(struct Settings *settings)
{
    g_free(settings->file);
    g_free(settings->socket);
    g_free(settings->socket_group);
    g_free(settings->exempt_dkim);
    g_free(settings->display_name);
    g_free(settings->display_name_missing);
    g_free(settings->hostname);
    g_strfreev(settings->advice_mechanisms);
    g_free(settings->advice_policy);
    g_free(settings->dns_zone_file);
    g_free(settings->dns_trust_anchor);
    g_free(settings->state_dir);
    g_free(settings->ledger);
    g_free(settings->control_socket);
    g_free(settings->user);
    g_free(settings->group);
    g_free(settings->domain_map);
    g_free(settings->map_digest);
    g_free(settings->text);
    g_strfreev(settings->author_header);
    g_strfreev(settings->local_mailers);
    g_strfreev(settings->dns_servers);
}

static void settings_free(struct Settings *settings)
{
    free_texts(settings);
    g_clear_pointer(&settings->fallback, mailbox_free);
    g_clear_pointer(&settings->outbound, g_ptr_array_unref);
    g_clear_pointer(&settings->relay_hosts, g_ptr_array_unref);
    g_clear_pointer(&settings->sections, g_hash_table_unref);
    g_clear_pointer(&settings->map, g_hash_table_unref);
    g_clear_pointer(&settings->fallbacks, g_hash_table_unref);
    g_free(settings);
}

struct Settings *settings_new(const char *file)
{
    struct Settings *settings = g_new0(struct Settings, 1);

    settings->refs = 1;
    settings->file = g_strdup(file);
    return settings;
}

Settings *settings_ref(Settings *settings)
{
    g_atomic_int_inc(&((struct Settings *)settings)->refs);
    return settings;
}

void settings_unref(Settings *settings)
{
    struct Settings *last = (struct Settings *)settings;

    if (g_atomic_int_dec_and_test(&last->refs))
        settings_free(last);
}

Mailbox *settings_fallback_parse(const char *text)
{
    g_autoptr(Mailbox) fallback = mailbox_parse(text);

    if (fallback == NULL || fallback->addr_spec == NULL || !g_str_is_ascii(fallback->addr_spec))
        return NULL;
    return g_steal_pointer(&fallback);
}

const DomainSection *settings_section(Settings *settings, const char *domain_name)
{
    const DomainSection *section = domain_table_find(settings->sections, domain_name);

    if (section == NULL && settings->map != NULL)
        section = domain_table_find(settings->map, domain_name);
    return section;
}
