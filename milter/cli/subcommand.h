#ifndef SPFROM_CLI_SUBCOMMAND_H
#define SPFROM_CLI_SUBCOMMAND_H

#include <getopt.h>
#include <glib.h>
#include <stdbool.h>

/* Exit codes (design section 12). */
enum {
    CLI_YES = 0,
    CLI_NO = 1, /* not authorised, not healthy, would be changed */
    CLI_USAGE = 2,
    CLI_UNAVAILABLE = 69, /* no daemon, no DNS library */
    CLI_OUTPUT = 74,      /* stdout can't be written */
    CLI_TROUBLE = 75,     /* DNS trouble */
    CLI_CONFIGURATION = 78,
};

#define CLI_DEFAULT_FILE "/etc/spfrom/spfrom.conf"

/* What stood before the subcommand, or belongs to all of them. */
typedef struct {
    const char *file;
    bool is_file_given;
} CliContext;

/* One row of the table in main.c. */
typedef struct {
    const char *name;
    const char *arguments;                                  /* for the usage line */
    const char *summary;                                    /* one line */
    const char *help;                                       /* what stands under the usage line */
    int (*run)(int argc, char **argv, CliContext *context); /* returns the exit code */
} Subcommand;

/* What every subcommand's long_options have besides its own. */
#define SUBCOMMAND_HELP_OPTION                                                                     \
    {                                                                                              \
        "help", no_argument, NULL, 'h'                                                             \
    }

/* Returned in place of an exit code: go on. */
#define SUBCOMMAND_GO_ON (-1)

/* Does what an option of one subcommand asks for, in options. Returns SUBCOMMAND_GO_ON or the exit
 * code. */
typedef int (*SubcommandOption)(void *options, int option);

/*
 * Reads the options of argv: those of every subcommand, and those in long_options whose val is at
 * least SUBCOMMAND_OPTION_FIRST, which go to own. optind is then where the arguments begin.
 * Returns SUBCOMMAND_GO_ON or the exit code.
 */
#define SUBCOMMAND_OPTION_FIRST 256
int subcommand_parse(const Subcommand *subcommand, CliContext *context, int argc, char **argv,
                     const struct option *long_options, SubcommandOption own, void *options);

/* Prints the help on stdout. Returns CLI_YES. */
int subcommand_help(const Subcommand *subcommand);

/* Prints "spfrom NAME: message" and where the help is on stderr, control characters made visible.
 * Returns CLI_USAGE. */
int subcommand_usage_error(const Subcommand *subcommand, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* The same without the pointer to the help. Returns status. */
int subcommand_error(const Subcommand *subcommand, int status, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
#endif
