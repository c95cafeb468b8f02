#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/advise.h"
#include "cli/check.h"
#include "cli/doctor.h"
#include "cli/flush.h"
#include "cli/metrics.h"
#include "cli/mode.h"
#include "cli/page.h"
#include "cli/reload.h"
#include "cli/report.h"
#include "cli/status.h"
#include "cli/subcommand.h"
#include "cli/test.h"
#include "cli/web.h"
#include "mail/mailboxes.h"
#include "spf/evaluation.h"

#define PROGRAM "spfrom"

static const Subcommand *const subcommands[] = {
    &check_subcommand,   &advise_subcommand, &test_subcommand,  &status_subcommand,
    &mode_subcommand,    &reload_subcommand, &flush_subcommand, &report_subcommand,
    &metrics_subcommand, &doctor_subcommand, &web_subcommand,
};

static const char usage[] = "usage: spfrom [-c FILE] SUBCOMMAND [ARGUMENT]...\n"
                            "       spfrom help [SUBCOMMAND]\n"
                            "       spfrom --version\n";

static int print_help(void)
{
    printf("%s\n", usage);
    for (size_t i = 0; i < G_N_ELEMENTS(subcommands); i++)
        printf("  %-8s  %s\n", subcommands[i]->name, subcommands[i]->summary);
    printf("  %-8s  %s\n\n", "help",
           "this help, or that of a subcommand (as spfrom SUBCOMMAND --help)");
    puts("  -c FILE        read the configuration from FILE (default " CLI_DEFAULT_FILE ");\n"
         "                 before or after the subcommand\n"
         "  -V, --version  print the version\n"
         "  -h, --help     print this help\n"
         "\n"
         "Exit status: 0 yes, 1 no, 2 wrong usage, 69 the daemon is not reachable or there is no "
         "DNS\n"
         "library, 74 the output can't be written, 75 DNS trouble, 78 configuration.");
    return CLI_YES;
}

static const Subcommand *find_subcommand(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(subcommands); i++)
        if (strcmp(subcommands[i]->name, name) == 0)
            return subcommands[i];
    return NULL;
}

#define WORD_MAX 16 /* octets; longer than any subcommand */

/* How many letters have to be put in, left out or replaced to make b of a; WORD_MAX where a is far
 * too long. */
static guint distance(const char *a, const char *b)
{
    guint row[WORD_MAX + 1];
    size_t length = strlen(b);

    if (strlen(a) > WORD_MAX || length > WORD_MAX)
        return WORD_MAX;
    for (guint j = 0; j <= length; j++)
        row[j] = j;
    for (guint i = 0; a[i] != '\0'; i++) {
        guint corner = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            guint replaced = corner + (a[i] != b[j]);

            corner = row[j + 1];
            row[j + 1] = MIN(replaced, MIN(row[j], corner) + 1);
        }
    }
    return row[length];
}

/* The subcommand that name is most likely a slip of, or NULL. */
static const char *closest(const char *name)
{
    const char *best = NULL;
    guint best_distance = 3;

    for (size_t i = 0; i < G_N_ELEMENTS(subcommands); i++) {
        guint found = distance(name, subcommands[i]->name);

        if (found < best_distance) {
            best = subcommands[i]->name;
            best_distance = found;
        }
    }
    return best;
}

static int refuse_name(const char *name)
{
    g_autofree char *safe = page_safe(name, -1);
    const char *meant = closest(name);

    fprintf(stderr, PROGRAM ": \"%s\" is no subcommand", safe);
    if (meant != NULL)
        fprintf(stderr, "; did you mean \"%s\"?\n", meant);
    else
        fputs("\ntry: spfrom help\n", stderr);
    return CLI_USAGE;
}

static int help_of(const char *name)
{
    const Subcommand *subcommand;

    if (name == NULL || strcmp(name, "help") == 0)
        return print_help();
    subcommand = find_subcommand(name);
    return subcommand != NULL ? subcommand_help(subcommand) : refuse_name(name);
}

/* Reads what stands before the subcommand. Returns SUBCOMMAND_GO_ON or the exit code. */
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
    fputs(usage, stderr);
    return CLI_USAGE;
}

static int run_subcommand(const Subcommand *subcommand, int argc, char **argv, CliContext *context)
{
    g_autofree char *title =
        g_strconcat(PROGRAM " ", subcommand->name, NULL); /* for what getopt_long() says */
    g_autoptr(GError) error = NULL;

    log_open(PROGRAM, LOG_TARGET_STDERR, LOG_WARNING);
    mailboxes_init();
    if (!evaluation_init(&error))
        return subcommand_error(subcommand, CLI_UNAVAILABLE, "%s", error->message);
    argv[0] = title;
    optind = 0; /* glibc: begin anew */
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
    subcommand = find_subcommand(argv[0]);
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
