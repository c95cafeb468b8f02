#ifndef SPFROM_CLI_SUBCOMMAND_H
#define SPFROM_CLI_SUBCOMMAND_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Exit codes (design section 12). */
enum {
    CLI_YES = 0,
    /* Not authorised, not healthy, would be changed. */
    CLI_NO = 1,
    CLI_USAGE = 2,
    /* No daemon, or no DNS library. */
    CLI_UNAVAILABLE = 69,
    /* stdout can't be written. */
    CLI_OUTPUT = 74,
    /* DNS trouble. */
    CLI_TROUBLE = 75,
    CLI_CONFIGURATION = 78,
};

#define CLI_DEFAULT_FILE "/etc/spfrom/spfrom.conf"

/* What all subcommands have in common. */
typedef struct {
    const char *file;
    bool is_file_given;
} CliContext;

typedef enum {
    /* bool */
    OPTION_FLAG,
    /* const char *, borrowed from argv */
    OPTION_TEXT,
    /* GPtrArray * of const char *; the option may be repeated. */
    OPTION_TEXTS,
    /* guint, from min to max */
    OPTION_NUMBER,
    /* Not an option, but a word that may be an operand, with its meaning. */
    OPTION_OPERAND,
} OptionKind;

typedef enum { FILES_NONE, FILES_ANY, FILES_DIRECTORY } OptionFiles;

/*
 * One option of a subcommand. The usage line, the help, the parser, its errors and the completions
 * of the shells follow from this row.
 */
typedef struct {
    /* Without the dashes. */
    const char *name;
    /* The name of its value; NULL for OPTION_FLAG and OPTION_OPERAND. */
    const char *argument;
    /* One or more sentences on one line; the help wraps them. */
    const char *help;
    OptionKind kind;
    /* offsetof() in the structure that the subcommand hands to subcommand_parse(). */
    size_t member;
    guint min, max;
    /* The values that a completion offers, with blanks between. */
    const char *words;
    /* Does a completion offer the names of files? */
    OptionFiles files;
    /* Options of one group exclude each other; 0 is no group. */
    int group;
} Option;

/* One subcommand. Texts are paragraphs with an empty line
 * between, each on one line; the help wraps them. */
typedef struct {
    const char *name;
    /* One line, for `spfrom help` and the completions. */
    const char *summary;
    /* The operands in the usage line; NULL if none are allowed. */
    const char *operands;
    /* The name of one operand: "message". NULL if operands is. */
    const char *operand;
    /* More operands are an error; 0 for any number. */
    guint operands_max;
    /* Do the operands name files? */
    OptionFiles operand_files;
    /* Above the options. */
    const char *description;
    const Option *options;
    size_t options_count;
    /* Does -c only tell where the daemon's control socket is? */
    bool asks_daemon;
    /* Below the options; may be NULL. */
    const char *notes;
    /* "0 yes, 1 no" */
    const char *exit_status;
    /* Lines of a shell; may be NULL. */
    const char *examples;
    /* Returns the exit code. */
    int (*run)(int argc, char **argv, CliContext *context);
} Subcommand;

/* Returned in place of an exit code if the subcommand is to go on. */
#define SUBCOMMAND_GO_ON (-1)

/*
 * Reads the options of argv into the structure at options, which holds the defaults.
 *
 * operands  set to what follows the options, NULL-terminated, borrowed from argv
 * Returns SUBCOMMAND_GO_ON or the exit code.
 */
int subcommand_parse(const Subcommand *subcommand, CliContext *context, int argc, char **argv,
                     void *options, char ***operands);

/* Prints the help on stdout: usage, description, options, exit status, examples; at most 79
 * columns. Returns CLI_YES. */
int subcommand_help(const Subcommand *subcommand);

/* Prints "spfrom NAME: message" and where the help is on stderr, control characters made visible.
 * Returns CLI_USAGE. */
int subcommand_usage_error(const Subcommand *subcommand, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* The same without the pointer to the help. Returns status. */
int subcommand_error(const Subcommand *subcommand, int status, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Each is in the file that is named after it. */
extern const Subcommand advise_subcommand;
extern const Subcommand check_subcommand;
extern const Subcommand completion_subcommand;
extern const Subcommand config_subcommand;
extern const Subcommand doctor_subcommand;
extern const Subcommand fleet_subcommand;
extern const Subcommand flush_subcommand;
extern const Subcommand letters_subcommand;
extern const Subcommand metrics_subcommand;
extern const Subcommand mode_subcommand;
extern const Subcommand reload_subcommand;
extern const Subcommand report_subcommand;
extern const Subcommand resolve_subcommand;
extern const Subcommand status_subcommand;
extern const Subcommand test_subcommand;
extern const Subcommand watch_subcommand;
extern const Subcommand web_subcommand;
extern const Subcommand why_subcommand;

/* All subcommands, in the order of `spfrom help`; NULL-terminated. */
extern const Subcommand *const subcommands[];

/* Returns the subcommand of that name, or NULL. */
const Subcommand *subcommand_find(const char *name);

/* Returns the subcommand that a misspelt name most likely means, or NULL. */
const Subcommand *subcommand_closest(const char *name);
#endif
