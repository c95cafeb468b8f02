#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/subcommand.h"

typedef enum { SHELL_BASH, SHELL_ZSH, SHELL_FISH } Shell;

/* The operands that a completion offers for subcommand, with blanks between; owned by the
 * caller. */
static char *operand_words(const Subcommand *subcommand)
{
    g_autoptr(GString) words = g_string_new(NULL);

    for (size_t i = 0; i < subcommand->options_count; i++)
        if (subcommand->options[i].kind == OPTION_OPERAND)
            g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "",
                                   subcommand->options[i].name);
    return g_string_free(g_steal_pointer(&words), FALSE);
}

static char *subcommand_names(void)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (size_t i = 0; subcommands[i] != NULL; i++)
        g_string_append_printf(names, "%s ", subcommands[i]->name);
    g_string_append(names, "help");
    return g_string_free(g_steal_pointer(&names), FALSE);
}

/* The first clause of a help, as a completion has no room for more. Owned by the caller. */
static char *short_help(const char *help)
{
    size_t end = strcspn(help, ".;:(");

    while (end > 0 && help[end - 1] == ' ')
        end--;
    return g_strndup(help, end);
}

/* Returns text in single quotes, for a POSIX shell and for fish; owned by the caller. */
static char *quoted(const char *text)
{
    g_autoptr(GString) copy = g_string_new(text);

    g_string_replace(copy, "'", "'\\''", 0);
    g_string_prepend_c(copy, '\'');
    g_string_append_c(copy, '\'');
    return g_string_free(g_steal_pointer(&copy), FALSE);
}

static const char bash_head[] = "# bash completion for spfrom, made by: spfrom completion bash\n"
                                "\n"
                                "_spfrom_words() {\n"
                                "    local IFS=$' \\t\\n'\n"
                                "    COMPREPLY=($(compgen -W \"$1\" -- \"$2\"))\n"
                                "}\n"
                                "\n"
                                "_spfrom_files() {\n"
                                "    local IFS=$'\\n'\n"
                                "    compopt -o filenames 2>/dev/null\n"
                                "    COMPREPLY=($(compgen \"-$1\" -- \"$2\"))\n"
                                "}\n"
                                "\n"
                                "# The options of a subcommand.\n"
                                "_spfrom_options() {\n"
                                "    case $1 in\n";

static const char bash_values[] =
    "    esac\n"
    "}\n"
    "\n"
    "# Completes the value of option $2 of subcommand $1 from $3. Fails if it has none.\n"
    "_spfrom_value() {\n"
    "    case $1:$2 in\n"
    "    *:-c) _spfrom_files f \"$3\" ;;\n";

static const char bash_main[] =
    "    *) return 1 ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "_spfrom() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} subcommand='' i\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        -c) ((i++)) ;;\n"
    "        -*) ;;\n"
    "        *)\n"
    "            subcommand=${COMP_WORDS[i]}\n"
    "            break\n"
    "            ;;\n"
    "        esac\n"
    "    done\n"
    "    COMPREPLY=()\n"
    "    _spfrom_value \"$subcommand\" \"${COMP_WORDS[COMP_CWORD - 1]}\" \"$word\" && return\n"
    "    case $subcommand:$word in\n"
    "    :-*) _spfrom_words '-c -h --help -V --version' \"$word\" ;;\n"
    "    *:-*) _spfrom_words \"$(_spfrom_options \"$subcommand\") -c -h --help\" \"$word\" ;;\n";

static void print_bash_options(const Subcommand *subcommand)
{
    printf("    %s) echo", subcommand->name);
    for (size_t i = 0; i < subcommand->options_count; i++)
        if (subcommand->options[i].kind != OPTION_OPERAND)
            printf(" --%s", subcommand->options[i].name);
    puts(" ;;");
}

static void print_bash_values(const Subcommand *subcommand)
{
    for (size_t i = 0; i < subcommand->options_count; i++) {
        const Option *option = &subcommand->options[i];

        if (option->argument == NULL)
            continue;
        printf("    %s:--%s) ", subcommand->name, option->name);
        if (option->files != FILES_NONE)
            printf("_spfrom_files %c \"$3\" ;;\n", option->files == FILES_DIRECTORY ? 'd' : 'f');
        else if (option->words != NULL)
            printf("_spfrom_words '%s' \"$3\" ;;\n", option->words);
        else
            puts("COMPREPLY=() ;;");
    }
}

static void print_bash(void)
{
    g_autofree char *names = subcommand_names();

    fputs(bash_head, stdout);
    for (size_t i = 0; subcommands[i] != NULL; i++)
        print_bash_options(subcommands[i]);
    fputs(bash_values, stdout);
    for (size_t i = 0; subcommands[i] != NULL; i++)
        print_bash_values(subcommands[i]);
    fputs(bash_main, stdout);
    printf("    :* | help:*) _spfrom_words '%s' \"$word\" ;;\n", names);
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        g_autofree char *words = operand_words(subcommands[i]);

        if (*words != '\0')
            printf("    %s:*) _spfrom_words '%s' \"$word\" ;;\n", subcommands[i]->name, words);
        else if (subcommands[i]->operand_files != FILES_NONE)
            printf("    %s:*) _spfrom_files f \"$word\" ;;\n", subcommands[i]->name);
    }
    fputs("    esac\n"
          "}\n"
          "\n"
          "complete -F _spfrom spfrom\n",
          stdout);
}

static const char zsh_head[] = "#compdef spfrom\n"
                               "# zsh completion for spfrom, made by: spfrom completion zsh\n"
                               "\n"
                               "_spfrom_subcommands() {\n"
                               "    local -a subcommands=(\n";

static const char zsh_common[] =
    "    )\n"
    "    _describe subcommand subcommands\n"
    "}\n"
    "\n"
    "_spfrom_subcommand() {\n"
    "    local -a common=('-c[configuration]:file:_files' '(- *)'{-h,--help}'[print this "
    "help]')\n"
    "    case $words[1] in\n";

static const char zsh_main[] =
    "    help) _arguments ':subcommand:_spfrom_subcommands' ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "_spfrom() {\n"
    "    local curcontext=$curcontext state line\n"
    "    _arguments -C '-c[configuration]:file:_files' '(- *)'{-h,--help}'[print this help]' \\\n"
    "        '(- *)'{-V,--version}'[print the version]' \\\n"
    "        ':subcommand:_spfrom_subcommands' '*::argument:_spfrom_subcommand'\n"
    "}\n"
    "\n"
    "_spfrom \"$@\"\n";

/* Appends the other options of the option's group: "(--csv --html)". */
static void append_zsh_group(GString *spec, const Subcommand *subcommand, const Option *option)
{
    const char *before = "(";

    for (size_t i = 0; option->group != 0 && i < subcommand->options_count; i++) {
        const Option *other = &subcommand->options[i];

        if (other == option || other->group != option->group)
            continue;
        g_string_append_printf(spec, "%s--%s", before, other->name);
        before = " ";
    }
    if (*before == ' ')
        g_string_append_c(spec, ')');
}

/* The action with which _arguments completes; "" for none. Owned by the caller. */
static char *zsh_action(OptionFiles files, const char *words)
{
    g_autoptr(GString) escaped = g_string_new(words);

    if (files != FILES_NONE)
        return g_strdup(files == FILES_DIRECTORY ? "_files -/" : "_files");
    if (escaped->len == 0)
        return g_strdup("");
    g_string_replace(escaped, ":", "\\:", 0);
    return g_strdup_printf("(%s)", escaped->str);
}

static void print_zsh_option(const Subcommand *subcommand, const Option *option)
{
    g_autoptr(GString) spec = g_string_new(NULL);
    g_autofree char *help = short_help(option->help);
    g_autofree char *argument = NULL;
    g_autofree char *word = NULL;

    append_zsh_group(spec, subcommand, option);
    if (option->kind == OPTION_TEXTS)
        g_string_append_c(spec, '*');
    g_string_append_printf(spec, "--%s[%s]", option->name, help);
    if (option->argument != NULL) {
        g_autoptr(GString) name = g_string_new(option->argument);
        g_autofree char *action = zsh_action(option->files, option->words);

        g_string_replace(name, ":", "\\:", 0);
        g_string_append_printf(spec, ":%s:%s", name->str, action);
    }
    word = quoted(spec->str);
    printf(" \\\n            %s", word);
}

static void print_zsh_subcommand(const Subcommand *subcommand)
{
    g_autofree char *words = operand_words(subcommand);
    g_autofree char *action = zsh_action(subcommand->operand_files, words);

    printf("    %s)\n        _arguments $common", subcommand->name);
    for (size_t i = 0; i < subcommand->options_count; i++)
        if (subcommand->options[i].kind != OPTION_OPERAND)
            print_zsh_option(subcommand, &subcommand->options[i]);
    if (subcommand->operands != NULL)
        printf(" \\\n            '%s:%s:%s'", subcommand->operands_max == 1 ? "" : "*",
               subcommand->operand, action);
    puts("\n        ;;");
}

static void print_zsh(void)
{
    fputs(zsh_head, stdout);
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        g_autofree char *row =
            g_strconcat(subcommands[i]->name, ":", subcommands[i]->summary, NULL);
        g_autofree char *word = quoted(row);

        printf("        %s\n", word);
    }
    puts("        'help:the help of a subcommand'");
    fputs(zsh_common, stdout);
    for (size_t i = 0; subcommands[i] != NULL; i++)
        print_zsh_subcommand(subcommands[i]);
    fputs(zsh_main, stdout);
}

static void print_fish_option(const Subcommand *subcommand, const Option *option)
{
    g_autofree char *help = short_help(option->help);
    g_autofree char *description = quoted(help);

    printf("complete -c spfrom -n '__fish_seen_subcommand_from %s' ", subcommand->name);
    if (option->kind == OPTION_OPERAND) {
        printf("-a %s -d %s\n", option->name, description);
        return;
    }
    printf("-l %s", option->name);
    if (option->files == FILES_DIRECTORY)
        fputs(" -x -a '(__fish_complete_directories)'", stdout);
    else if (option->files == FILES_ANY)
        fputs(" -r -F", stdout);
    else if (option->argument != NULL)
        fputs(" -x", stdout);
    if (option->words != NULL)
        printf(" -a '%s'", option->words);
    printf(" -d %s\n", description);
}

static void print_fish(void)
{
    g_autofree char *names = subcommand_names();
    const char *none = "not __fish_seen_subcommand_from $subcommands";

    printf("# fish completion for spfrom, made by: spfrom completion fish\n"
           "\n"
           "set -l subcommands %s\n"
           "\n"
           "complete -c spfrom -f\n"
           "complete -c spfrom -s c -r -F -d configuration\n"
           "complete -c spfrom -s h -l help -d 'print this help'\n"
           "complete -c spfrom -n \"%s\" -s V -l version -d 'print the version'\n",
           names, none);
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        g_autofree char *summary = quoted(subcommands[i]->summary);

        printf("complete -c spfrom -n \"%s\" -a %s -d %s\n", none, subcommands[i]->name, summary);
    }
    printf("complete -c spfrom -n \"%s\" -a help -d 'the help of a subcommand'\n"
           "complete -c spfrom -n '__fish_seen_subcommand_from help' -a '%s'\n",
           none, names);
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        for (size_t j = 0; j < subcommands[i]->options_count; j++)
            print_fish_option(subcommands[i], &subcommands[i]->options[j]);
        if (subcommands[i]->operand_files != FILES_NONE)
            printf("complete -c spfrom -n '__fish_seen_subcommand_from %s' -F\n",
                   subcommands[i]->name);
    }
}

static bool shell_parse(const char *name, Shell *shell)
{
    static const char *const names[] = {
        [SHELL_BASH] = "bash", [SHELL_ZSH] = "zsh", [SHELL_FISH] = "fish"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_strcmp0(name, names[i]) != 0)
            continue;
        *shell = (Shell)i;
        return true;
    }
    return false;
}

static int run(int argc, char **argv, CliContext *context)
{
    char **operands;
    Shell shell;
    int status = subcommand_parse(&completion_subcommand, context, argc, argv, NULL, &operands);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    if (*operands == NULL)
        return subcommand_usage_error(&completion_subcommand,
                                      "missing shell; use bash, zsh or fish");
    if (!shell_parse(*operands, &shell))
        return subcommand_usage_error(&completion_subcommand,
                                      "invalid shell \"%s\"; use bash, zsh or fish", *operands);
    switch (shell) {
    case SHELL_BASH:
        print_bash();
        break;
    case SHELL_ZSH:
        print_zsh();
        break;
    case SHELL_FISH:
        print_fish();
        break;
    }
    return CLI_YES;
}

static const Option option_rows[] = {
    {.name = "bash", .kind = OPTION_OPERAND, .help = "for bash-completion"},
    {.name = "zsh", .kind = OPTION_OPERAND, .help = "a file _spfrom for fpath"},
    {.name = "fish", .kind = OPTION_OPERAND, .help = "for completions/spfrom.fish"},
};

const Subcommand completion_subcommand = {
    .name = "completion",
    .summary = "the completion of this command for a shell",
    .operands = "bash|zsh|fish",
    .operand = "shell",
    .operands_max = 1,
    .description =
        "Prints what a shell needs to complete this command: its subcommands, options and their "
        "values. A package installs it already.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .exit_status = "0 printed, 2 wrong usage",
    .examples = "spfrom completion bash > ~/.local/share/bash-completion/completions/spfrom",
    .run = run,
};
