#include "config.h"

#include "cli/status.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/control.h"
#include "cli/page.h"
#include "cli/status_text.h"

static const char help[] =
    "Shows how the daemon is: since when it runs, its mode, its configuration, the relay set, "
    "whether the\n"
    "fallback address's own domain authorises the relays, what became of messages since the start, "
    "the\n"
    "verdicts given, the cache, and how many questions the DNS has left unanswered.\n"
    "\n"
    "  --json       print JSON\n"
    "  -c FILE      the daemon's configuration, for its control_socket (default " CLI_DEFAULT_FILE
    ")\n"
    "  -h, --help   print this help\n"
    "\n"
    "Exit status: 0 it runs, 2 wrong usage, 69 the daemon is not reachable, 78 configuration.\n";

typedef struct {
    bool is_json;
} Options;

enum { OPTION_JSON = SUBCOMMAND_OPTION_FIRST };

static const struct option long_options[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    SUBCOMMAND_HELP_OPTION,
    {NULL, 0, NULL, 0},
};

static int parse_option(void *data, int option G_GNUC_UNUSED)
{
    ((Options *)data)->is_json = true;
    return SUBCOMMAND_GO_ON;
}

static void print_text(const json_t *answer)
{
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    status_text_add(&page, answer, clock_wall(&clock_system) / CLOCK_SECOND);
    fputs(page.text->str, stdout);
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.is_json = false};
    json_t *answer = NULL;
    int status = subcommand_parse(&status_subcommand, context, argc, argv, long_options,
                                  parse_option, &options);

    if (status == SUBCOMMAND_GO_ON && optind < argc)
        status = subcommand_usage_error(&status_subcommand, "\"%s\" is too much", argv[optind]);
    if (status == SUBCOMMAND_GO_ON)
        status = control_order(&status_subcommand, context, control_command("status"),
                               CONTROL_QUICK, &answer);
    if (status == SUBCOMMAND_GO_ON) {
        (options.is_json ? control_print_json : print_text)(answer);
        status = CLI_YES;
    }
    json_decref(answer);
    return status;
}

const Subcommand status_subcommand = {
    .name = "status",
    .arguments = "[--json] [-c FILE]",
    .summary = "how is the daemon?",
    .help = help,
    .run = run,
};
