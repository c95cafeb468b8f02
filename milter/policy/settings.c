#include "config.h"

#include "policy/settings.h"

#include <string.h>

#include "policy/domain_map.h"
#include "policy/settings_keys.h"

G_DEFINE_QUARK(spfrom_settings_error, settings_error)

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

/* True for the keys of the configuration, which have a member in struct Settings. */
static bool is_setting(const SettingsKey *key)
{
    return (key->flags & SETTINGS_KEY_MAP) == 0;
}

static void settings_free(struct Settings *settings)
{
    for (size_t i = 0; i < settings_keys_length; i++)
        if (is_setting(&settings_keys[i]))
            settings_key_clear(&settings_keys[i], settings_key_member(settings, &settings_keys[i]));
    g_clear_pointer(&settings->sections, g_hash_table_unref);
    g_clear_pointer(&settings->map, g_hash_table_unref);
    g_clear_pointer(&settings->fallbacks, g_hash_table_unref);
    g_clear_pointer(&settings->return_forms, g_hash_table_unref);
    g_free(settings->map_digest);
    g_free(settings->return_key_file);
    g_clear_pointer(&settings->return_hmac, g_hmac_unref);
    g_free(settings->text);
    for (size_t i = 0; settings->texts != NULL && i < settings_keys_length; i++)
        g_free(settings->texts[i]);
    g_free(settings->texts);
    g_free(settings->file);
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

char *settings_digest(Settings *settings)
{
    const char *map = settings->map_digest != NULL ? settings->map_digest : "";
    g_autofree char *both = g_strconcat(map, "\n", settings->text, NULL);

    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, both, -1);
}

bool settings_has_tokens(Settings *settings)
{
    return g_hash_table_size(settings->return_forms) > 0;
}

void settings_put_return_secret(Settings *settings, const guint8 secret[RETURN_KEY_LENGTH])
{
    struct Settings *own = (struct Settings *)settings;

    memcpy(own->return_secret, secret, RETURN_KEY_LENGTH);
    own->has_return_secret = true;
    g_clear_pointer(&own->return_hmac, g_hmac_unref);
    own->return_hmac = return_token_hmac(secret);
}

void settings_keep(Settings *next, Settings *running, GPtrArray *changed)
{
    struct Settings *to = (struct Settings *)next;
    struct Settings *from = (struct Settings *)running;

    for (size_t i = 0; i < settings_keys_length; i++) {
        const SettingsKey *key = &settings_keys[i];
        void *place = settings_key_member(to, key);
        void *old = settings_key_member(from, key);

        if ((key->flags & SETTINGS_KEY_RESTART) == 0 || settings_key_is_same(key, place, old))
            continue;
        if (changed != NULL)
            g_ptr_array_add(changed, (char *)key->name);
        settings_key_copy(key, place, old);
        if (to->texts != NULL && from->texts != NULL) {
            g_free(to->texts[i]);
            to->texts[i] = g_strdup(from->texts[i]);
        }
    }
    if (to->is_ledger_in_state_dir && to->state_dir != NULL) {
        g_free(to->ledger);
        to->ledger = g_build_filename(to->state_dir, SETTINGS_LEDGER_NAME, NULL);
    }
    g_free(to->return_key_file);
    to->return_key_file = g_strdup(from->return_key_file);
    if (from->has_return_secret)
        settings_put_return_secret(next, from->return_secret);
}

static bool has_same(const SettingsKey *key, Settings *a, Settings *b)
{
    const void *old = settings_key_member((struct Settings *)a, key);
    const void *new = settings_key_member((struct Settings *)b, key);

    /* what stands in a file of the same name may be another thing now */
    if ((key->flags & SETTINGS_KEY_FILE) != 0)
        return *(char *const *)old == NULL && *(char *const *)new == NULL;
    return settings_key_is_same(key, old, new);
}

static bool has_same_text(Settings *a, Settings *b)
{
    g_autofree char *of_a = settings_digest(a);
    g_autofree char *of_b = settings_digest(b);

    return strcmp(of_a, of_b) == 0;
}

bool settings_verdicts_survive(Settings *a, Settings *b)
{
    for (size_t i = 0; i < settings_keys_length; i++)
        if ((settings_keys[i].flags & SETTINGS_KEY_VERDICTS) != 0 &&
            !has_same(&settings_keys[i], a, b))
            return false;
    if (a->dkim_consent[0] == NULL)
        return true;
    /* DKIM was asked for these results alone; whose key counts may follow from any fallback address */
    return (a->rewrite_on | a->tempfail_on) == (b->rewrite_on | b->tempfail_on) &&
           (a->dkim_consent_domain != NULL || has_same_text(a, b));
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
