#include "config.h"

#include "cli/configuration.h"

#include <string.h>
#include <unistd.h>

#include "policy/settings_parse.h"
#include "verdict/setup.h"

/* Gives a configuration that has only the one key without a default; a question about the DNS never
 * uses it. */
static gboolean read_nothing(const char *file, char **text, gsize *length, GError **error)
{
    (void)file;
    (void)error;
    *text = g_strdup("fallback_address = \"nobody@spfrom.invalid\"\n");
    *length = strlen(*text);
    return TRUE;
}

Settings *configuration_defaults(GError **error)
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
        return configuration_defaults(error);
    return setup_read(file, error);
}

#define DEFAULT_CONTROL_SOCKET "/run/spfrom/control.sock"

/* The value of control_socket in text, or its default. */
static char *find_control_socket(const char *text)
{
    g_autoptr(GRegex) regex = g_regex_new("^\\s*control_socket\\s*=\\s*[\"']?([^\\s\"'#]+)",
                                          G_REGEX_MULTILINE | G_REGEX_RAW, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    if (text != NULL && g_regex_match(regex, text, 0, &match))
        return g_match_info_fetch(match, 1);
    return g_strdup(DEFAULT_CONTROL_SOCKET);
}

static char *control_socket_in_spite(const char *file, const GError *cause, char **warning)
{
    g_autofree char *text = NULL;
    char *path;

    g_file_get_contents(file, &text, NULL, NULL);
    path = find_control_socket(text);
    *warning = g_strdup_printf("%s; asking the daemon at %s all the same", cause->message, path);
    return path;
}

char *configuration_control_socket(const CliContext *context, char **warning, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(Settings) settings = configuration_read(context, true, &cause);

    *warning = NULL;
    if (settings != NULL && settings->control_socket != NULL)
        return g_strdup(settings->control_socket);
    if (settings == NULL && access(context->file, F_OK) == 0)
        return control_socket_in_spite(context->file, cause, warning);
    if (settings != NULL)
        g_set_error(error, SETUP_ERROR, SETUP_ERROR_CONFIGURATION,
                    "%s: control_socket is empty: the daemon takes no commands", context->file);
    else
        g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}

int configuration_status(const GError *error)
{
    return g_error_matches(error, SETUP_ERROR, SETUP_ERROR_LIBRARY) ? CLI_UNAVAILABLE
                                                                    : CLI_CONFIGURATION;
}
