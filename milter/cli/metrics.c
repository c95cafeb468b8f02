#include "config.h"

#include <stdbool.h>
#include <stdio.h>

#include "cli/control.h"
#include "cli/subcommand.h"

typedef struct {
    bool is_prometheus;
} Options;

static const Option option_rows[] = {
    {.name = "prometheus",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_prometheus),
     .help = "print Prometheus' older text format, which promtool check metrics reads"},
};

static int print(const json_t *answer)
{
    const char *text = control_text(answer, "text");

    if (text == NULL)
        return subcommand_error(&metrics_subcommand, CLI_UNAVAILABLE,
                                "the daemon's answer has no metrics");
    fputs(text, stdout);
    return CLI_YES;
}

static int run(int argc, char **argv, CliContext *context)
{
    json_t *answer = NULL;
    Options options = {.is_prometheus = false};
    ControlRequest request = {.command = CONTROL_METRICS};
    char **operands;
    int status = subcommand_parse(&metrics_subcommand, context, argc, argv, &options, &operands);

    request.is_prometheus = options.is_prometheus;
    if (status == SUBCOMMAND_GO_ON)
        status = control_order(&metrics_subcommand, context, &request, CONTROL_QUICK, &answer);
    if (status == SUBCOMMAND_GO_ON)
        status = print(answer);
    json_decref(answer);
    return status;
}

const Subcommand metrics_subcommand = {
    .name = "metrics",
    .summary = "what the daemon counts, as OpenMetrics text",
    .asks_daemon = true,
    .description =
        "Prints what the daemon counts, as OpenMetrics text: messages by what became of them, "
        "verdicts by result, cache, DNS, time, mode. The same is at /metrics of spfrom web.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .exit_status = "0 printed, 2 wrong usage, 69 the daemon is not reachable, 78 configuration",
    .examples = "spfrom metrics --prometheus | promtool check metrics",
    .run = run,
};
