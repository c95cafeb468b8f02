#include "config.h"

#include "cli/configuration.h"

#include <string.h>
#include <unistd.h>

#include "policy/settings_parse.h"
#include "spf/setup.h"

/* A configuration with nothing in it but the one key that has no default, which a question about
 * the DNS never uses. */
static gboolean read_nothing(const char *file, char **text, gsize *length, GError **error)
{
    (void)file;
    (void)error;
    *text = g_strdup("fallback_address = \"nobody@spfrom.invalid\"\n");
    *length = strlen(*text);
    return TRUE;
}

static Settings *read_defaults(GError **error)
{
    const SettingsSource source = {.read = read_nothing, .hostname = g_get_host_name()};
    g_autoptr(GError) cause = NULL;
    Settings *settings = settings_parse("defaults", &source, &cause);

    if (settings == NULL)
        g_set_error_literal(error, SETUP_ERROR, SETUP_ERROR_CONFIGURATION, cause->message);
    return settings;
}

Settings *configuration_read(const CliContext *context, bool is_optional, GError **error)
{
    g_autofree char *file = g_canonicalize_filename(context->file, NULL);

    if (is_optional && !context->is_file_given && access(file, F_OK) != 0)
        return read_defaults(error);
    return setup_read(file, error);
}

int configuration_status(const GError *error)
{
    return g_error_matches(error, SETUP_ERROR, SETUP_ERROR_LIBRARY) ? CLI_UNAVAILABLE
                                                                    : CLI_CONFIGURATION;
}
