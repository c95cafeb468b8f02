#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/control.h"
#include "show/page.h"
#include "cli/status_text.h"
#include "cli/subcommand.h"

typedef struct {
    bool is_json;
} Options;

static const Option option_rows[] = {
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .help = "print JSON"},
};

static void print_text(const json_t *answer)
{
    g_autoptr(DaemonStatus) status = daemon_status_read(answer);
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    status_text_add(&page, status, clock_wall(&clock_system) / CLOCK_SECOND);
    fputs(page.text->str, stdout);
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.is_json = false};
    const ControlRequest request = {.command = CONTROL_STATUS};
    json_t *answer = NULL;
    char **operands;
    int status = subcommand_parse(&status_subcommand, context, argc, argv, &options, &operands);

    if (status == SUBCOMMAND_GO_ON)
        status = control_order(&status_subcommand, context, &request, CONTROL_QUICK, &answer);
    if (status == SUBCOMMAND_GO_ON) {
        (options.is_json ? control_print_json : print_text)(answer);
        status = CLI_YES;
    }
    json_decref(answer);
    return status;
}

const Subcommand status_subcommand = {
    .name = "status",
    .summary = "how is the daemon?",
    .asks_daemon = true,
    .description =
        "Shows how the daemon is: since when it runs, its mode, its configuration, the relay "
        "set, whether the fallback address's own domain authorises the relays, what became of "
        "messages since the start, the verdicts given, the cache, and how many questions the "
        "DNS has left unanswered.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .exit_status = "0 it runs, 2 wrong usage, 69 the daemon is not reachable, 78 configuration",
    .run = run,
};
