#include "config.h"

#include <stdio.h>

#include "control/control_client.h"
#include "cli/control.h"
#include "cli/subcommand.h"

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
    const ControlRequest request = {.command = CONTROL_RELOAD};
    json_t *answer = NULL;
    char **operands;
    int status = subcommand_parse(&reload_subcommand, context, argc, argv, NULL, &operands);

    if (status == SUBCOMMAND_GO_ON)
        status = control_ask(&reload_subcommand, context, &request, CONTROL_SLOW, &answer);
    if (status == SUBCOMMAND_GO_ON)
        status = tell(answer);
    json_decref(answer);
    return status;
}

const Subcommand reload_subcommand = {
    .name = "reload",
    .summary = "let the daemon load its configuration anew",
    .asks_daemon = true,
    .description =
        "The daemon loads its configuration anew, the file that it was started with: all of it "
        "or, if anything in it is wrong, none of it. Messages under way keep the settings that "
        "they began with, no connection is cut, a mode that was switched stays. It answers when "
        "the new configuration is in force, which takes as long as looking the relay hosts up.",
    .exit_status =
        "0 reloaded, 2 wrong usage, 69 the daemon is not reachable, 78 the configuration is "
        "wrong, and the old one stays in force",
    .run = run,
};
