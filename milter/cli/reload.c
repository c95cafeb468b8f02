#include "config.h"

#include "cli/reload.h"

#include <stdio.h>

#include "base/control_client.h"
#include "cli/control.h"

static const char help[] =
    "The daemon loads its configuration anew, the file that it was started with: all of it or, "
    "where\n"
    "anything in it is wrong, none of it. Messages under way keep the settings that they began "
    "with, no\n"
    "connection is cut, a mode that was switched stays. It answers when the new configuration is "
    "in\n"
    "force, which takes as long as looking the relay hosts up.\n"
    "\n"
    "  -c FILE      the daemon's configuration, for its control_socket (default " CLI_DEFAULT_FILE
    ")\n"
    "  -h, --help   print this help\n"
    "\n"
    "Exit status: 0 reloaded, 2 wrong usage, 69 the daemon is not reachable, 78 the configuration "
    "is\n"
    "wrong, and the old one stays in force.\n";

static const struct option long_options[] = {SUBCOMMAND_HELP_OPTION, {NULL, 0, NULL, 0}};

static int refusal_status(const json_t *answer)
{
    if (json_is_true(json_object_get(answer, "is_configuration")))
        return CLI_CONFIGURATION;
    return CLI_UNAVAILABLE;
}

static int tell(const json_t *answer)
{
    const json_t *warnings = json_object_get(answer, "warnings");
    const char *refusal = control_client_refusal(answer);

    if (refusal != NULL)
        return subcommand_error(&reload_subcommand, refusal_status(answer), "%s", refusal);
    for (size_t i = 0; i < json_array_size(warnings); i++)
        subcommand_error(&reload_subcommand, CLI_YES, "warning: %s",
                         json_string_value(json_array_get(warnings, i)));
    puts("configuration reloaded");
    return CLI_YES;
}

static int run(int argc, char **argv, CliContext *context)
{
    json_t *answer = NULL;
    int status =
        subcommand_parse(&reload_subcommand, context, argc, argv, long_options, NULL, NULL);

    if (status == SUBCOMMAND_GO_ON && optind < argc)
        status = subcommand_usage_error(&reload_subcommand, "\"%s\" is too much", argv[optind]);
    if (status == SUBCOMMAND_GO_ON)
        status = control_ask(&reload_subcommand, context, control_command("reload"), CONTROL_SLOW,
                             &answer);
    if (status == SUBCOMMAND_GO_ON)
        status = tell(answer);
    json_decref(answer);
    return status;
}

const Subcommand reload_subcommand = {
    .name = "reload",
    .arguments = "[-c FILE]",
    .summary = "let the daemon load its configuration anew",
    .help = help,
    .run = run,
};
