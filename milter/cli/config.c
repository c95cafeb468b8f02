#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/configuration.h"
#include "cli/control.h"
#include "cli/subcommand.h"
#include "policy/settings_keys.h"
#include "show/page.h"

#define DAEMON_TIME 5 /* seconds for an answer of the daemon */

typedef struct {
    bool is_changed_only;
} Options;

static const Option option_rows[] = {
    {.name = "changed",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_changed_only),
     .help = "print only what differs from the defaults; -n says the same"},
};

/* The value of a key in force: of the daemon's answer, else of settings; NULL: none. */
static const char *value_of(const json_t *values, Settings *settings, size_t key)
{
    if (values != NULL)
        return json_string_value(json_object_get(values, settings_keys[key].name));
    return settings->texts != NULL ? settings->texts[key] : NULL;
}

static void print_keys(const Options *options, const json_t *values, Settings *settings,
                       Settings *defaults)
{
    for (size_t i = 0; i < settings_keys_length; i++) {
        const SettingsKey *key = &settings_keys[i];
        const char *value = value_of(values, settings, i);
        bool has_no_default = strcmp(key->name, "fallback_address") == 0;
        g_autofree char *safe = value != NULL ? page_safe(value, -1) : NULL;

        if ((key->flags & SETTINGS_KEY_MAP) != 0 || value == NULL)
            continue;
        if (options->is_changed_only && !has_no_default &&
            g_strcmp0(value, defaults->texts[i]) == 0)
            continue;
        printf("%s = %s\n", key->name, safe);
    }
}

static int print_config(const Options *options, const CliContext *context)
{
    const ControlRequest request = {.command = CONTROL_CONFIG};
    g_autoptr(GError) error = NULL;
    g_autofree char *warning = NULL;
    g_autofree char *socket = configuration_control_socket(context, &warning, NULL);
    json_t *answer =
        socket != NULL ? control_client_ask(socket, &request, DAEMON_TIME, NULL) : NULL;
    const json_t *values = json_object_get(answer, "values");
    g_autoptr(Settings) settings = NULL;
    g_autoptr(Settings) defaults = configuration_defaults(&error);
    int status = CLI_YES;

    if (values == NULL && defaults != NULL)
        settings = configuration_read(context, false, &error);
    if (defaults == NULL || (values == NULL && settings == NULL))
        status =
            subcommand_error(&config_subcommand, configuration_status(error), "%s", error->message);
    else
        print_keys(options, values, settings, defaults);
    json_decref(answer);
    return status;
}

static int run(int argc, char **argv, CliContext *context)
{
    static char changed[] = "--changed";
    Options options = {.is_changed_only = false};
    char **operands;
    int status;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-n") == 0)
            argv[i] = changed;
    status = subcommand_parse(&config_subcommand, context, argc, argv, &options, &operands);
    return status == SUBCOMMAND_GO_ON ? print_config(&options, context) : status;
}

const Subcommand config_subcommand = {
    .name = "config",
    .summary = "which configuration is in force?",
    .description =
        "Prints each key with its value, as the file may have it: those in force in the daemon, or, "
        "if there is none, those of the file. Domain sections and domain_map are left out.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .exit_status = "0 printed, 2 wrong usage, 78 configuration",
    .examples = "spfrom config -n",
    .run = run,
};
