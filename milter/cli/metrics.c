#include "config.h"

#include "cli/metrics.h"

#include <stdbool.h>
#include <stdio.h>

#include "cli/control.h"

static const char help[] =
    "Prints what the daemon counts, as OpenMetrics text: messages by what became of them, verdicts "
    "by\n"
    "result, cache, DNS, time, mode. The same is at /metrics of spfrom web.\n"
    "\n"
    "  --prometheus  print Prometheus' older text format, which promtool check metrics reads\n"
    "  -c FILE       the daemon's configuration, for its control_socket (default " CLI_DEFAULT_FILE
    ")\n"
    "  -h, --help    print this help\n"
    "\n"
    "Exit status: 0 printed, 2 wrong usage, 69 the daemon is not reachable, 78 configuration.\n"
    "\n"
    "  spfrom metrics --prometheus | promtool check metrics\n";

enum { OPTION_PROMETHEUS = SUBCOMMAND_OPTION_FIRST };

static const struct option long_options[] = {
    {"prometheus", no_argument, NULL, OPTION_PROMETHEUS},
    SUBCOMMAND_HELP_OPTION,
    {NULL, 0, NULL, 0},
};

static int parse_option(void *is_prometheus, int option G_GNUC_UNUSED)
{
    *(bool *)is_prometheus = true;
    return SUBCOMMAND_GO_ON;
}

static json_t *request_of(bool is_prometheus)
{
    json_t *request = control_command("metrics");

    if (is_prometheus)
        json_object_set_new(request, "format", json_string("prometheus"));
    return request;
}

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
    bool is_prometheus = false;
    int status = subcommand_parse(&metrics_subcommand, context, argc, argv, long_options,
                                  parse_option, &is_prometheus);

    if (status == SUBCOMMAND_GO_ON && optind < argc)
        status = subcommand_usage_error(&metrics_subcommand, "\"%s\" is too much", argv[optind]);
    if (status == SUBCOMMAND_GO_ON)
        status = control_order(&metrics_subcommand, context, request_of(is_prometheus),
                               CONTROL_QUICK, &answer);
    if (status == SUBCOMMAND_GO_ON)
        status = print(answer);
    json_decref(answer);
    return status;
}

const Subcommand metrics_subcommand = {
    .name = "metrics",
    .arguments = "[--prometheus] [-c FILE]",
    .summary = "what the daemon counts, as OpenMetrics text",
    .help = help,
    .run = run,
};
