#include "config.h"

#include "unit/verdict/settings_from.h"

#include <stdlib.h>
#include <string.h>

#include "mail/mailboxes.h"
#include "policy/settings_parse.h"

static const char *configuration;

static gboolean read_configuration(const char *file G_GNUC_UNUSED, char **text, gsize *length,
                                   GError **error G_GNUC_UNUSED)
{
    *text = g_strconcat("fallback_address = \"noreply@fallback.example\"\n", configuration, NULL);
    if (length != NULL)
        *length = strlen(*text);
    return TRUE;
}

Settings *settings_from(const char *text)
{
    static const SettingsSource source = {read_configuration, "relay.example.org"};
    g_autoptr(GError) error = NULL;
    Settings *settings;

    if (configuration == NULL)
        mailboxes_init();
    configuration = text;
    settings = settings_parse("spfrom.conf", &source, &error);
    if (settings != NULL)
        return settings;
    g_printerr("%s\n", error->message);
    exit(1);
}
