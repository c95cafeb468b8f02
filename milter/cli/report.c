#include "config.h"

#include "cli/report.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/configuration.h"
#include "cli/page.h"
#include "cli/report_csv.h"
#include "cli/report_data.h"
#include "cli/report_html.h"
#include "cli/report_json.h"
#include "cli/report_text.h"

#define DAYS_DEFAULT 30
#define DAYS_MAX 36500
#define LIMIT_DEFAULT 50
#define LIMIT_MAX 1000000
#define HTML_MODE 0644

static const char help[] =
    "Shows what the ledger has seen: how many outgoing messages were kept and rewritten on each "
    "day, and\n"
    "the domains by volume with their SPF result, how much of their mail was rewritten and kept, "
    "when they\n"
    "were first and last seen, and since when they are authorised. The daemon writes the ledger "
    "once a\n"
    "second; it need not run.\n"
    "\n"
    "  --days N     the last N days, today included (default 30)\n"
    "  --limit N    at most N domains (default 50, in JSON and CSV all); 0 for all\n"
    "  --html FILE  write a page for the browser to FILE, in place of a text: it needs nothing "
    "else, and\n"
    "               FILE is replaced in one step. - is stdout\n"
    "  --csv        print the domains as CSV, for a spreadsheet\n"
    "  --json       print JSON\n"
    "  -c FILE      read the configuration from FILE, for its ledger (default " CLI_DEFAULT_FILE
    ")\n"
    "  -h, --help   print this help\n"
    "\n"
    "Days are those of local time. rewritten counts what would be rewritten, in log-only, too. A "
    "domain\n"
    "is authorised since its first pass after another result; temperror says nothing. "
    "\"unchecked\" "
    "is\n"
    "mail whose domain needed no look-up. \"(no author domain)\" is mail without an author that "
    "can "
    "be read\n"
    "(null in JSON), \"(other domains)\" what was too much at once to be told apart (\"*\" in "
    "JSON).\n"
    "\n"
    "Exit status: 0 printed, 2 wrong usage, 69 there is no ledger that can be read, 74 the output "
    "can't be\n"
    "written, 78 configuration, or it wants no ledger.\n"
    "\n"
    "  spfrom report --days 7\n"
    "  spfrom report --days 90 --html /var/www/html/spf.html\n";

typedef enum { FORM_TEXT, FORM_HTML, FORM_CSV, FORM_JSON } Form;

typedef struct {
    Form form;
    const char *html_file;
    guint days;
    guint limit;
    bool is_limit_given;
} Options;

enum { OPTION_DAYS = SUBCOMMAND_OPTION_FIRST, OPTION_LIMIT, OPTION_HTML, OPTION_CSV, OPTION_JSON };

static const struct option long_options[] = {
    {"days", required_argument, NULL, OPTION_DAYS},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"html", required_argument, NULL, OPTION_HTML},
    {"csv", no_argument, NULL, OPTION_CSV},
    {"json", no_argument, NULL, OPTION_JSON},
    SUBCOMMAND_HELP_OPTION,
    {NULL, 0, NULL, 0},
};

static int parse_number(const char *option, guint min, guint max, guint *number)
{
    guint64 parsed = 0;

    if (!g_ascii_string_to_unsigned(optarg, 10, min, max, &parsed, NULL))
        return subcommand_usage_error(&report_subcommand,
                                      "%s: \"%s\" is not possible; write a number from %u to %u",
                                      option, optarg, min, max);
    *number = (guint)parsed;
    return SUBCOMMAND_GO_ON;
}

static int take_form(Options *options, Form form)
{
    if (options->form != FORM_TEXT && options->form != form)
        return subcommand_usage_error(&report_subcommand,
                                      "--html, --csv and --json exclude each other");
    options->form = form;
    return SUBCOMMAND_GO_ON;
}

static int parse_option(void *data, int option)
{
    Options *options = data;

    switch (option) {
    case OPTION_DAYS:
        return parse_number("--days", 1, DAYS_MAX, &options->days);
    case OPTION_LIMIT:
        options->is_limit_given = true;
        return parse_number("--limit", 0, LIMIT_MAX, &options->limit);
    case OPTION_HTML:
        options->html_file = optarg;
        return take_form(options, FORM_HTML);
    case OPTION_CSV:
        return take_form(options, FORM_CSV);
    default:
        return take_form(options, FORM_JSON);
    }
}

static int print_text(const ReportData *data)
{
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    report_text_add(&page, data);
    fputs(page.text->str, stdout);
    return CLI_YES;
}

static int print_csv(const ReportData *data)
{
    g_autofree char *csv = report_csv(data);

    fputs(csv, stdout);
    return CLI_YES;
}

static int print_json(const ReportData *data)
{
    json_t *json = report_json(data);

    json_dumpf(json, stdout, 0);
    putchar('\n');
    json_decref(json);
    return CLI_YES;
}

static int write_html(const ReportData *data, const char *file)
{
    g_autofree char *html = report_html(data);
    g_autoptr(GError) error = NULL;

    if (strcmp(file, "-") == 0) {
        fputs(html, stdout);
        return CLI_YES;
    }
    if (g_file_set_contents_full(file, html, -1, G_FILE_SET_CONTENTS_CONSISTENT, HTML_MODE, &error))
        return CLI_YES;
    return subcommand_error(&report_subcommand, CLI_OUTPUT, "%s", error->message);
}

static int print(const Options *options, const ReportData *data)
{
    switch (options->form) {
    case FORM_TEXT:
        return print_text(data);
    case FORM_HTML:
        return write_html(data, options->html_file);
    case FORM_CSV:
        return print_csv(data);
    case FORM_JSON:
        return print_json(data);
    }
    return CLI_YES;
}

static guint domains_max(const Options *options)
{
    if (options->is_limit_given)
        return options->limit;
    return options->form == FORM_CSV || options->form == FORM_JSON ? 0 : LIMIT_DEFAULT;
}

static int report(const Options *options, Settings *settings)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ReportData) data = NULL;

    if (settings->ledger == NULL)
        return subcommand_error(&report_subcommand, CLI_CONFIGURATION,
                                "%s: ledger is empty, so none is kept", settings->file);
    data = report_data_new(settings->ledger, clock_wall(&clock_system), options->days,
                           domains_max(options), &error);
    if (data == NULL)
        return subcommand_error(&report_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    return print(options, data);
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.days = DAYS_DEFAULT, .limit = LIMIT_DEFAULT};
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;
    int status = subcommand_parse(&report_subcommand, context, argc, argv, long_options,
                                  parse_option, &options);

    if (status == SUBCOMMAND_GO_ON && optind < argc)
        status = subcommand_usage_error(&report_subcommand, "\"%s\" is too much", argv[optind]);
    if (status != SUBCOMMAND_GO_ON)
        return status;
    settings = configuration_read(context, true, &error);
    if (settings == NULL)
        return subcommand_error(&report_subcommand, configuration_status(error), "%s",
                                error->message);
    return report(&options, settings);
}

const Subcommand report_subcommand = {
    .name = "report",
    .arguments = "[--days N] [--limit N] [--html FILE | --csv | --json] [-c FILE]",
    .summary = "which domains sent, and what became of it?",
    .help = help,
    .run = run,
};
