#include "config.h"

#include "cli/subcommand.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/spelling.h"
#include "show/paragraph.h"
#include "show/page.h"

/* The longest head that has its text beside it; a longer one has the text on the next line. */
#define HEAD_MAX 24

/* A blank at which paragraph_append() does not break a line. */
#define HARD_BLANK "\302\240"

/* getopt_long() returns this number, and those after it, for the rows of a subcommand. */
#define OWN_OPTIONS 256

static const char daemon_file_help[] =
    "the daemon's configuration, for its control_socket (default " CLI_DEFAULT_FILE ")";
static const char file_help[] = "read the configuration from FILE (default " CLI_DEFAULT_FILE ")";

/* "--diff and --json", owned by the caller. */
static char *group_text(const Subcommand *subcommand, int group)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *last = NULL;
    g_autofree char *others = NULL;

    for (size_t i = 0; i < subcommand->options_count; i++)
        if (subcommand->options[i].group == group)
            g_ptr_array_add(names, g_strconcat("--", subcommand->options[i].name, NULL));
    last = g_ptr_array_steal_index(names, names->len - 1);
    g_ptr_array_add(names, NULL);
    others = g_strjoinv(", ", (char **)names->pdata);
    return g_strdup_printf("%s and %s", others, last);
}

static int take_number(const Subcommand *subcommand, const Option *option, guint *number)
{
    guint64 parsed = 0;

    if (!g_ascii_string_to_unsigned(optarg, 10, option->min, option->max, &parsed, NULL))
        return subcommand_usage_error(subcommand,
                                      "--%s: invalid number \"%s\"; use one from %u to %u",
                                      option->name, optarg, option->min, option->max);
    *number = (guint)parsed;
    return SUBCOMMAND_GO_ON;
}

static int take_option(const Subcommand *subcommand, const Option *option, void *options)
{
    void *member = (char *)options + option->member;

    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)member = true;
        break;
    case OPTION_TEXT:
        *(const char **)member = optarg;
        break;
    case OPTION_TEXTS:
        g_ptr_array_add(*(GPtrArray **)member, optarg);
        break;
    case OPTION_NUMBER:
        return take_number(subcommand, option, member);
    case OPTION_OPERAND: /* getopt_long() never returns it */
        break;
    }
    return SUBCOMMAND_GO_ON;
}

/* Takes an option that every subcommand has, or points to the help after an unknown one. */
static int take_common_option(const Subcommand *subcommand, CliContext *context, int option)
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

/* The rows for getopt_long(), with an empty one at the end; owned by the caller. */
static struct option *long_options_of(const Subcommand *subcommand)
{
    struct option *rows = g_new0(struct option, subcommand->options_count + 2);
    size_t used = 0;

    rows[used++] = (struct option){"help", no_argument, NULL, 'h'};
    for (size_t i = 0; i < subcommand->options_count; i++) {
        const Option *option = &subcommand->options[i];
        int has_argument = option->argument != NULL ? required_argument : no_argument;

        if (option->kind != OPTION_OPERAND)
            rows[used++] = (struct option){option->name, has_argument, NULL, OWN_OPTIONS + (int)i};
    }
    return rows;
}

static int take_options(const Subcommand *subcommand, CliContext *context, int argc, char **argv,
                        void *options)
{
    g_autofree struct option *rows = long_options_of(subcommand);
    /* The last option so far that belongs to a group. */
    const Option *grouped = NULL;
    int found;

    while ((found = getopt_long(argc, argv, "c:h", rows, NULL)) != -1) {
        const Option *option =
            found >= OWN_OPTIONS ? &subcommand->options[found - OWN_OPTIONS] : NULL;
        int status = option != NULL ? take_option(subcommand, option, options)
                                    : take_common_option(subcommand, context, found);

        if (status != SUBCOMMAND_GO_ON)
            return status;
        if (option == NULL || option->group == 0)
            continue;
        if (grouped != NULL && grouped != option && grouped->group == option->group) {
            g_autofree char *names = group_text(subcommand, option->group);

            return subcommand_usage_error(subcommand, "%s exclude each other", names);
        }
        grouped = option;
    }
    return SUBCOMMAND_GO_ON;
}

int subcommand_parse(const Subcommand *subcommand, CliContext *context, int argc, char **argv,
                     void *options, char ***operands)
{
    int status = take_options(subcommand, context, argc, argv, options);
    guint max = subcommand->operands_max;

    if (status != SUBCOMMAND_GO_ON)
        return status;
    *operands = argv + optind;
    if (subcommand->operands == NULL && **operands != NULL)
        return subcommand_usage_error(subcommand, "unexpected argument \"%s\"", **operands);
    if (max > 0 && g_strv_length(*operands) > max)
        return subcommand_usage_error(subcommand, "unexpected argument \"%s\"; one %s at a time",
                                      (*operands)[max], subcommand->operand);
    return SUBCOMMAND_GO_ON;
}

/* Appends the usage line. No line is broken inside of brackets. */
static void append_usage(const Subcommand *subcommand, GString *text)
{
    g_autoptr(GString) line = g_string_new(NULL);
    g_autoptr(GString) wrapped = g_string_new(NULL);
    g_autofree char *first = g_strdup_printf("usage: spfrom %s ", subcommand->name);
    g_autofree char *others = g_strnfill(strlen(first), ' ');
    int group = 0;

    for (size_t i = 0; i < subcommand->options_count; i++) {
        const Option *option = &subcommand->options[i];
        const char *before = "[";

        if (option->kind == OPTION_OPERAND)
            continue;
        if (option->group != 0 && option->group == group) {
            g_string_truncate(line, line->len - strlen("] "));
            before = HARD_BLANK "|" HARD_BLANK;
        }
        g_string_append_printf(line, "%s--%s", before, option->name);
        if (option->argument != NULL)
            g_string_append_printf(line, HARD_BLANK "%s", option->argument);
        g_string_append(line, option->kind == OPTION_TEXTS ? "]... " : "] ");
        group = option->group;
    }
    g_string_append(line, "[-c" HARD_BLANK "FILE]");
    if (subcommand->operands != NULL)
        g_string_append_printf(line, " %s", subcommand->operands);
    paragraph_append(wrapped, line->str, first, others);
    g_string_replace(wrapped, HARD_BLANK, " ", 0);
    g_string_append(text, wrapped->str);
}

/* "--relay IP", owned by the caller. */
static char *head_of(const Option *option)
{
    const char *dashes = option->kind == OPTION_OPERAND ? "" : "--";

    if (option->argument == NULL)
        return g_strconcat(dashes, option->name, NULL);
    return g_strconcat(dashes, option->name, " ", option->argument, NULL);
}

static void append_row(GString *text, const char *head, const char *help, guint width)
{
    g_autofree char *others = g_strnfill(width + 4, ' ');
    g_autofree char *first = g_strdup_printf("  %-*s  ", (int)width, head);

    if (strlen(head) > width)
        g_string_append_printf(text, "  %s\n", head);
    paragraph_append(text, help, strlen(head) > width ? others : first, others);
}

static void append_options(const Subcommand *subcommand, GString *text)
{
    size_t width = strlen("-h, --help");

    for (size_t i = 0; i < subcommand->options_count; i++) {
        g_autofree char *head = head_of(&subcommand->options[i]);

        if (strlen(head) <= HEAD_MAX)
            width = MAX(width, strlen(head));
    }
    for (size_t i = 0; i < subcommand->options_count; i++) {
        g_autofree char *head = head_of(&subcommand->options[i]);

        append_row(text, head, subcommand->options[i].help, (guint)width);
    }
    append_row(text, "-c FILE", subcommand->asks_daemon ? daemon_file_help : file_help,
               (guint)width);
    append_row(text, "-h, --help", "print this help", (guint)width);
}

static void append_paragraphs(GString *text, const char *paragraphs)
{
    g_auto(GStrv) each = g_strsplit(paragraphs, "\n\n", -1);

    for (guint i = 0; each[i] != NULL; i++) {
        paragraph_append(text, each[i], "", "");
        g_string_append_c(text, '\n');
    }
}

static void append_examples(GString *text, const char *examples)
{
    g_auto(GStrv) lines = g_strsplit(examples, "\n", -1);

    g_string_append_c(text, '\n');
    for (guint i = 0; lines[i] != NULL; i++)
        g_string_append_printf(text, "  %s\n", lines[i]);
}

int subcommand_help(const Subcommand *subcommand)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *exit_status = g_strdup_printf("Exit status: %s.", subcommand->exit_status);

    append_usage(subcommand, text);
    g_string_append_c(text, '\n');
    append_paragraphs(text, subcommand->description);
    append_options(subcommand, text);
    g_string_append_c(text, '\n');
    if (subcommand->notes != NULL)
        append_paragraphs(text, subcommand->notes);
    paragraph_append(text, exit_status, "", "");
    if (subcommand->examples != NULL)
        append_examples(text, subcommand->examples);
    fputs(text->str, stdout);
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

const Subcommand *const subcommands[] = {
    &check_subcommand,
    &advise_subcommand,
    &test_subcommand,
    &why_subcommand,
    &status_subcommand,
    &mode_subcommand,
    &config_subcommand,
    &reload_subcommand,
    &flush_subcommand,
    &report_subcommand,
    &resolve_subcommand,
    &fleet_subcommand,
    &letters_subcommand,
    &watch_subcommand,
    &doctor_subcommand,
    &web_subcommand,
    &metrics_subcommand,
    &completion_subcommand,
    NULL,
};

const Subcommand *subcommand_find(const char *name)
{
    for (size_t i = 0; subcommands[i] != NULL; i++)
        if (strcmp(subcommands[i]->name, name) == 0)
            return subcommands[i];
    return NULL;
}

const Subcommand *subcommand_closest(const char *name)
{
    const Subcommand *best = NULL;
    guint best_distance = 3;

    for (size_t i = 0; subcommands[i] != NULL; i++) {
        guint found = spelling_distance(name, subcommands[i]->name);

        if (found < best_distance) {
            best = subcommands[i];
            best_distance = found;
        }
    }
    return best;
}
