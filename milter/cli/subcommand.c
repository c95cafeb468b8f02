#include "config.h"

#include "cli/subcommand.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/page.h"

/* Does what an option of every subcommand asks for, and complains of an unknown one. */
static int common_option(const Subcommand *subcommand, CliContext *context, int option)
{
    switch (option) {
    case 'c':
        context->file = optarg;
        context->is_file_given = true;
        return SUBCOMMAND_GO_ON;
    case 'h':
        return subcommand_help(subcommand);
    default: /* getopt_long() has said what is wrong */
        fprintf(stderr, "try: spfrom %s --help\n", subcommand->name);
        return CLI_USAGE;
    }
}

int subcommand_parse(const Subcommand *subcommand, CliContext *context, int argc, char **argv,
                     const struct option *long_options, SubcommandOption own, void *options)
{
    int option;

    while ((option = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        int status = option >= SUBCOMMAND_OPTION_FIRST ? own(options, option)
                                                       : common_option(subcommand, context, option);

        if (status != SUBCOMMAND_GO_ON)
            return status;
    }
    return SUBCOMMAND_GO_ON;
}

int subcommand_help(const Subcommand *subcommand)
{
    printf("usage: spfrom %s %s\n\n%s", subcommand->name, subcommand->arguments, subcommand->help);
    return CLI_YES;
}

static void complain(const Subcommand *subcommand, const char *format, va_list arguments)
    G_GNUC_PRINTF(2, 0);

static void complain(const Subcommand *subcommand, const char *format, va_list arguments)
{
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    g_autofree char *safe = page_safe(message, -1);

    fprintf(stderr, "spfrom %s: %s\n", subcommand->name, safe);
}

int subcommand_usage_error(const Subcommand *subcommand, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain(subcommand, format, arguments);
    va_end(arguments);
    fprintf(stderr, "try: spfrom %s --help\n", subcommand->name);
    return CLI_USAGE;
}

int subcommand_error(const Subcommand *subcommand, int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain(subcommand, format, arguments);
    va_end(arguments);
    return status;
}
