#include "config.h"

#include "verdict/setup.h"

#include <unistd.h>

#include "base/clock.h"
#include "policy/settings_parse.h"
#include "returns/return_key.h"
#include "policy/settings_examine.h"

#define HOST_NAME_LENGTH 256
#define ZONE_FILE_MAX (64 * 1024 * 1024) /* octets */

G_DEFINE_QUARK(spfrom_setup_error, setup_error)

/* The message of settings_parse(), with what was most likely meant. Owned by the caller. */
static char *with_hint(const char *file, const SettingsSource *source, const char *message)
{
    g_autoptr(GPtrArray) problems = settings_problems_new();
    g_autoptr(Settings) settings = settings_examine(file, source, problems);

    for (guint i = 0; i < problems->len; i++) {
        const SettingsProblem *problem = g_ptr_array_index(problems, i);

        if (g_str_has_prefix(problem->text, message))
            return g_strdup(problem->text);
    }
    return g_strdup(message);
}

Settings *setup_read(const char *file, GError **error)
{
    char hostname[HOST_NAME_LENGTH] = "";
    const SettingsSource source = {.read = g_file_get_contents, .hostname = hostname};
    g_autoptr(GError) cause = NULL;
    g_autofree char *hinted = NULL;
    Settings *settings;

    gethostname(hostname, sizeof hostname - 1);
    settings = settings_parse(file, &source, &cause);
    if (settings != NULL)
        return settings;
    hinted = with_hint(file, &source, cause->message);
    g_set_error_literal(error, SETUP_ERROR, SETUP_ERROR_CONFIGURATION, hinted);
    return NULL;
}

Settings *setup_examine(const char *file, GPtrArray *problems)
{
    char hostname[HOST_NAME_LENGTH] = "";
    const SettingsSource source = {.read = g_file_get_contents, .hostname = hostname};

    gethostname(hostname, sizeof hostname - 1);
    return settings_examine(file, &source, problems);
}

Settings *setup_read_map(Settings *last, GError **error)
{
    const SettingsSource source = {.read = g_file_get_contents, .hostname = last->hostname};
    g_autoptr(GError) cause = NULL;
    Settings *settings = settings_parse_map(last, &source, &cause);

    if (settings == NULL)
        g_set_error_literal(error, SETUP_ERROR, SETUP_ERROR_CONFIGURATION, cause->message);
    return settings;
}

bool setup_return_key(Settings *settings, SetupKey how, GError **error)
{
    guint8 secret[RETURN_KEY_LENGTH];
    g_autoptr(GError) cause = NULL;
    bool is_there;

    if (!settings_has_tokens(settings) || settings->has_return_secret)
        return true;
    is_there = return_key_read(settings, secret, &cause);
    if (!is_there && g_error_matches(cause, RETURN_KEY_ERROR, RETURN_KEY_ERROR_MISSING)) {
        g_clear_error(&cause);
        if (how == SETUP_KEY_READ)
            return true;
        is_there = return_key_make(settings, secret, &cause);
    }
    if (is_there) {
        settings_put_return_secret(settings, secret);
        return true;
    }
    settings_locate(settings, &cause);
    g_set_error_literal(error, SETUP_ERROR, SETUP_ERROR_CONFIGURATION, cause->message);
    return false;
}

static Dns *open_zone_file(const char *file, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    Dns *dns = NULL;

    if (g_file_get_contents(file, &text, &length, error) && length > ZONE_FILE_MAX)
        g_set_error(error, DNS_ERROR, DNS_ERROR_FILE, "%s: is too long", file);
    else if (text != NULL)
        dns = dns_zone_file_new(text, file, error);
    if (dns == NULL)
        g_prefix_error(error, "dns_zone_file: ");
    return dns;
}

static Dns *open_unbound(Settings *settings, GError **error)
{
    const DnsUnboundOptions options = {
        .servers = (const char *const *)settings->dns_servers,
        .timeout = settings->dns_timeout,
        .trust_anchor = settings->dns_trust_anchor,
        /* A record that has just been published must be seen when a verdict is asked for anew. */
        .max_ttl = MIN(settings->cache_max_ttl, settings->cache_retry_ttl),
        .max_negative_ttl = settings->cache_retry_ttl,
    };
    Dns *dns = dns_unbound_new(&options, error);
    bool is_anchor;

    if (dns != NULL || g_error_matches(*error, DNS_ERROR, DNS_ERROR_LIBRARY))
        return dns;
    is_anchor = settings->dns_trust_anchor != NULL &&
                g_str_has_prefix((*error)->message, settings->dns_trust_anchor);
    g_prefix_error(error, "%s: ", is_anchor ? "dns_trust_anchor" : "dns_servers");
    return NULL;
}

static Dns *open_dns(Settings *settings, GError **error)
{
    if (settings->dns_zone_file != NULL)
        return open_zone_file(settings->dns_zone_file, error);
    return open_unbound(settings, error);
}

/* What the caller tells apart is whose fault it is: the configuration's, or that of a library of
 * this machine. */
static void propagate(Settings *settings, GError *cause, GError **error)
{
    bool is_library = g_error_matches(cause, DNS_ERROR, DNS_ERROR_LIBRARY);

    if (!is_library)
        settings_locate(settings, &cause);
    g_set_error_literal(error, SETUP_ERROR,
                        is_library ? SETUP_ERROR_LIBRARY : SETUP_ERROR_CONFIGURATION,
                        cause->message);
}

Dns *setup_dns(Settings *settings, GError **error)
{
    g_autoptr(GError) cause = NULL;
    Dns *dns = open_dns(settings, &cause);

    if (dns == NULL)
        propagate(settings, cause, error);
    return dns;
}

Verdicts *setup_verdicts(Settings *settings, Deadline deadline, GError **error)
{
    return setup_verdicts_after(NULL, settings, deadline, error);
}

Verdicts *setup_verdicts_after(Verdicts *before, Settings *settings, Deadline deadline,
                               GError **error)
{
    g_autoptr(GError) cause = NULL;
    Dns *dns = setup_dns(settings, error);
    Verdicts *verdicts;

    if (dns == NULL)
        return NULL;
    verdicts = before != NULL ? verdicts_new_after(before, settings, dns, deadline, &cause)
                              : verdicts_new(settings, dns, &clock_system, deadline, &cause);
    if (verdicts == NULL)
        propagate(settings, cause, error);
    return verdicts;
}
