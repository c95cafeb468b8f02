#include "config.h"

#include <stdio.h>

#include "base/domain_name.h"
#include "cli/control.h"
#include "cli/subcommand.h"

static int flush(const CliContext *context, char *domain)
{
    const ControlRequest request = {.command = CONTROL_FLUSH, .domain = domain};
    json_t *answer;
    int status = control_order(&flush_subcommand, context, &request, CONTROL_SLOW, &answer);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    if (domain != NULL)
        printf("verdicts on %s and below forgotten\n", domain);
    else
        puts("all verdicts forgotten");
    if (control_text(answer, "warning") != NULL)
        subcommand_error(&flush_subcommand, CLI_YES, "warning: %s",
                         control_text(answer, "warning"));
    json_decref(answer);
    return CLI_YES;
}

static int run(int argc, char **argv, CliContext *context)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *domain = NULL;
    char **operands;
    int status = subcommand_parse(&flush_subcommand, context, argc, argv, NULL, &operands);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    if (*operands != NULL)
        domain = domain_name_parse(*operands, &error);
    if (error != NULL)
        return subcommand_usage_error(&flush_subcommand, "%s", error->message);
    return flush(context, domain);
}

const Subcommand flush_subcommand = {
    .name = "flush",
    .summary = "let the daemon forget its verdicts",
    .operands = "[DOMAIN]",
    .operand = "domain",
    .operands_max = 1,
    .asks_daemon = true,
    .description =
        "The daemon forgets its verdicts on DOMAIN and on what is below it, or without DOMAIN "
        "all of them, and the answers of the DNS that they rest on: a record that was just "
        "published takes effect with the next message. Without DOMAIN the relay hosts are "
        "looked up again, too. In a fleet all hosts forget them.",
    .exit_status = "0 forgotten, 2 wrong usage, 69 the daemon is not reachable, 78 configuration",
    .run = run,
};
