#include "config.h"

#include "cli/flush.h"

#include <stdio.h>

#include "base/domain_name.h"
#include "cli/control.h"

static const char help[] =
    "The daemon forgets its verdicts on DOMAIN and on what is below it, or without DOMAIN all of "
    "them, and\n"
    "the answers of the DNS that they rest on: a record that was just published takes effect with "
    "the next\n"
    "message. Without DOMAIN the relay hosts are looked up again, too.\n"
    "\n"
    "  -c FILE      the daemon's configuration, for its control_socket (default " CLI_DEFAULT_FILE
    ")\n"
    "  -h, --help   print this help\n"
    "\n"
    "Exit status: 0 forgotten, 2 wrong usage, 69 the daemon is not reachable, 78 configuration.\n";

static const struct option long_options[] = {SUBCOMMAND_HELP_OPTION, {NULL, 0, NULL, 0}};

static int flush(const CliContext *context, const char *domain)
{
    json_t *request = control_command("flush");
    json_t *answer;
    int status;

    if (domain != NULL)
        json_object_set_new(request, "domain", json_string(domain));
    status = control_order(&flush_subcommand, context, request, CONTROL_SLOW, &answer);
    if (status != SUBCOMMAND_GO_ON)
        return status;
    json_decref(answer);
    if (domain != NULL)
        printf("verdicts on %s and below forgotten\n", domain);
    else
        puts("all verdicts forgotten");
    return CLI_YES;
}

static int flush_arguments(const CliContext *context, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *domain = NULL;

    if (argc > 1)
        return subcommand_usage_error(&flush_subcommand, "one domain at a time: \"%s\" is too much",
                                      argv[1]);
    if (argc == 1)
        domain = domain_name_parse(argv[0], &error);
    if (error != NULL)
        return subcommand_usage_error(&flush_subcommand, "%s", error->message);
    return flush(context, domain);
}

static int run(int argc, char **argv, CliContext *context)
{
    int status = subcommand_parse(&flush_subcommand, context, argc, argv, long_options, NULL, NULL);

    return status != SUBCOMMAND_GO_ON ? status
                                      : flush_arguments(context, argc - optind, argv + optind);
}

const Subcommand flush_subcommand = {
    .name = "flush",
    .arguments = "[-c FILE] [DOMAIN]",
    .summary = "let the daemon forget its verdicts",
    .help = help,
    .run = run,
};
