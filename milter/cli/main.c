#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "show/page.h"
#include "cli/subcommand.h"
#include "mail/mailboxes.h"
#include "spf/evaluation.h"

#define PROGRAM "spfrom"

static const char usage[] = "usage: spfrom [-c FILE] SUBCOMMAND [ARGUMENT]...\n"
                            "       spfrom help [SUBCOMMAND]\n"
                            "       spfrom --version\n";

static void list_subcommands(FILE *stream)
{
    fprintf(stream, "%s\n", usage);
    for (size_t i = 0; subcommands[i] != NULL; i++)
        fprintf(stream, "  %-10s  %s\n", subcommands[i]->name, subcommands[i]->summary);
    fprintf(stream, "  %-10s  %s\n", "help",
            "this help, or that of a subcommand (as spfrom SUBCOMMAND --help)");
}

static int print_help(void)
{
    list_subcommands(stdout);
    puts("\n"
         "  -c FILE        read the configuration from FILE; may follow the subcommand\n"
         "                 (default " CLI_DEFAULT_FILE ")\n"
         "  -V, --version  print the version\n"
         "  -h, --help     print this help\n"
         "\n"
         "Exit status: 0 yes, 1 no, 2 wrong usage, 69 the daemon is not reachable or\n"
         "there is no DNS library, 74 the output can't be written, 75 DNS trouble, 78\n"
         "configuration.");
    return CLI_YES;
}

static int refuse_name(const char *name)
{
    g_autofree char *safe = page_safe(name, -1);
    const Subcommand *meant = subcommand_closest(name);

    fprintf(stderr, PROGRAM ": \"%s\" is not a subcommand", safe);
    if (meant != NULL)
        fprintf(stderr, "; did you mean \"%s\"?\n", meant->name);
    else
        fputs("\ntry: spfrom help\n", stderr);
    return CLI_USAGE;
}

static int help_of(const char *name)
{
    const Subcommand *subcommand;

    if (name == NULL || strcmp(name, "help") == 0)
        return print_help();
    subcommand = subcommand_find(name);
    return subcommand != NULL ? subcommand_help(subcommand) : refuse_name(name);
}

/* Reads the options before the subcommand. Returns SUBCOMMAND_GO_ON or the exit code. */
static int parse_options(int argc, char **argv, CliContext *context)
{
    static const struct option long_options[] = {
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "+c:hV", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            context->file = optarg;
            context->is_file_given = true;
            break;
        case 'h':
            return print_help();
        case 'V':
            puts(PROGRAM " " PACKAGE_VERSION);
            return CLI_YES;
        default:
            fputs(usage, stderr);
            return CLI_USAGE;
        }
    }
    if (optind < argc)
        return SUBCOMMAND_GO_ON;
    list_subcommands(stderr);
    return CLI_USAGE;
}

static int run_subcommand(const Subcommand *subcommand, int argc, char **argv, CliContext *context)
{
    /* What getopt_long() puts before its complaints. */
    g_autofree char *title = g_strconcat(PROGRAM " ", subcommand->name, NULL);
    g_autoptr(GError) error = NULL;

    log_open(PROGRAM, LOG_TARGET_STDERR, LOG_WARNING);
    mailboxes_init();
    if (!evaluation_init(&error))
        return subcommand_error(subcommand, CLI_UNAVAILABLE, "%s", error->message);
    argv[0] = title;
    optind = 0; /* glibc: forget the scan of the options before */
    return subcommand->run(argc, argv, context);
}

static int run(int argc, char **argv)
{
    CliContext context = {.file = CLI_DEFAULT_FILE};
    int status = parse_options(argc, argv, &context);
    const Subcommand *subcommand;

    if (status != SUBCOMMAND_GO_ON)
        return status;
    argc -= optind;
    argv += optind;
    if (strcmp(argv[0], "help") == 0)
        return help_of(argv[1]);
    subcommand = subcommand_find(argv[0]);
    if (subcommand == NULL)
        return refuse_name(argv[0]);
    return run_subcommand(subcommand, argc, argv, &context);
}

int main(int argc, char **argv)
{
    int status = run(argc, argv);

    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fputs(PROGRAM ": the output can't be written\n", stderr);
    return CLI_OUTPUT;
}
