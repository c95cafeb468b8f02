#include <getopt.h>
#include <string.h>

#include "unit/table.h"
#include "cli/subcommand.h"

typedef struct {
    bool is_json;
    bool is_csv;
    const char *helo;
    GPtrArray *relays;
    guint days;
} Options;

static const Option option_rows[] = {
    {.name = "off", .kind = OPTION_OPERAND, .help = "nothing"},
    {.name = "relay",
     .argument = "IP",
     .kind = OPTION_TEXTS,
     .member = offsetof(Options, relays),
     .help = "again for more"},
    {.name = "helo",
     .argument = "NAME",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, helo),
     .help = "a name"},
    {.name = "days",
     .argument = "N",
     .kind = OPTION_NUMBER,
     .member = offsetof(Options, days),
     .min = 1,
     .max = 365,
     .help = "days"},
    {.name = "csv",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_csv),
     .group = 1,
     .help = "CSV"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .group = 1,
     .help = "JSON"},
};

static const Subcommand several = {
    .name = "trial",
    .operands = "DOMAIN...",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .description = "",
    .exit_status = "0",
};
static const Subcommand one = {
    .name = "one", .operands = "[DOMAIN]", .operand = "domain", .operands_max = 1};
static const Subcommand none = {.name = "none"};

static const struct row {
    const char *name;
    const Subcommand *subcommand;
    const char *line;
    /* Options as "json csv helo relays days|operands"; NULL: wrong usage. */
    const char *wanted;
} rows[] = {
    {"nothing", &several, "trial", "0 0 - 0 30|"},
    {"a flag", &several, "trial --json", "1 0 - 0 30|"},
    {"a text", &several, "trial --helo a.example", "0 0 a.example 0 30|"},
    {"the last text counts", &several, "trial --helo a --helo=b", "0 0 b 0 30|"},
    {"texts", &several, "trial --relay 1 --relay 2", "0 0 - 2 30|"},
    {"a number", &several, "trial --days 365", "0 0 - 0 365|"},
    {"a number that is too large", &several, "trial --days 366", NULL},
    {"a number that is too small", &several, "trial --days 0", NULL},
    {"no number", &several, "trial --days 3x", NULL},
    {"a negative number", &several, "trial --days -1", NULL},
    {"an option without its value", &several, "trial --helo", NULL},
    {"an unknown option", &several, "trial --nonsense", NULL},
    {"what is no option", &several, "trial --off", NULL},
    {"an abbreviation", &several, "trial --js", "1 0 - 0 30|"},
    {"one of a group twice", &several, "trial --json --json", "1 0 - 0 30|"},
    {"two of a group", &several, "trial --json --csv", NULL},
    {"two of a group, others between", &several, "trial --json --days 2 --csv", NULL},
    {"operands", &several, "trial a --json b", "1 0 - 0 30|a b"},
    {"operands behind two dashes", &several, "trial -- --json", "0 0 - 0 30|--json"},
    {"one operand", &one, "one a", "0 0 - 0 30|a"},
    {"one operand too many", &one, "one a b", NULL},
    {"no operand", &none, "none", "0 0 - 0 30|"},
    {"an operand where there is none", &none, "none a", NULL},
};

static void test_parse(void **state)
{
    const struct row *row = *state;
    g_auto(GStrv) words = g_strsplit(row->line, " ", -1);
    g_autofree char **argv = g_memdup2(words, (g_strv_length(words) + 1) * sizeof *words);
    g_autoptr(GPtrArray) relays = g_ptr_array_new();
    Options options = {.relays = relays, .days = 30};
    CliContext context = {0};
    char **operands = NULL;
    int status;

    optind = 0;
    status = subcommand_parse(row->subcommand, &context, (int)g_strv_length(words), argv, &options,
                              &operands);
    if (row->wanted == NULL) {
        assert_int_equal(status, CLI_USAGE);
        return;
    }
    g_autofree char *left = g_strjoinv(" ", operands);
    g_autofree char *got =
        g_strdup_printf("%d %d %s %u %u|%s", options.is_json, options.is_csv,
                        options.helo != NULL ? options.helo : "-", relays->len, options.days, left);

    assert_int_equal(status, SUBCOMMAND_GO_ON);
    assert_string_equal(got, row->wanted);
}

static const struct name_row {
    const char *name;
    /* NULL if no name is close. */
    const char *closest;
} name_rows[] = {
    {"check", "check"},   {"chekc", "check"}, {"repot", "report"},
    {"doktor", "doctor"}, {"", NULL},         {"frobnicate-it-all-of-it", NULL},
};

static void test_closest(void **state)
{
    const struct name_row *row = *state;
    const Subcommand *closest = subcommand_closest(row->name);

    assert_int_equal(g_strcmp0(closest != NULL ? closest->name : NULL, row->closest), 0);
    assert_true(row->closest == NULL || subcommand_find(row->closest) == closest);
}

static void test_file(void **state G_GNUC_UNUSED)
{
    g_auto(GStrv) words = g_strsplit("trial -c a.conf", " ", -1);
    char *argv[] = {words[0], words[1], words[2], NULL};
    g_autoptr(GPtrArray) relays = g_ptr_array_new();
    Options options = {.relays = relays};
    CliContext context = {0};
    char **operands;

    optind = 0;
    assert_int_equal(subcommand_parse(&several, &context, 3, argv, &options, &operands),
                     SUBCOMMAND_GO_ON);
    assert_true(context.is_file_given);
    assert_string_equal(context.file, "a.conf");
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_parse);
    TABLE_ADD(tests, name_rows, test_closest);
    table_add(tests, "-c", test_file, NULL);
    return table_run(tests, "subcommand");
}
