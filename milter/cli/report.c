#include "config.h"

#include <stdio.h>
#include <string.h>

#include "advice/check_subject.h"
#include "base/clock.h"
#include "cli/configuration.h"
#include "cli/report_output.h"
#include "cli/subcommand.h"
#include "ledger/ledger_union.h"
#include "show/domains_csv.h"
#include "show/page.h"

#define DAYS_DEFAULT 30
#define DAYS_MAX 36500
#define LIMIT_DEFAULT 50
#define LIMIT_MAX 1000000
#define LIMIT_NONE G_MAXUINT
#define HTML_MODE 0644

typedef struct {
    /* The one whose days are wanted; NULL: the report of all. */
    const char *domain;
    const char *html_file;
    /* Its code; NULL: the environment's. */
    const char *language;
    bool is_csv;
    bool is_json;
    bool is_here;
    guint days;
    /* LIMIT_NONE: not given. */
    guint limit;
} Options;

static const Option option_rows[] = {
    {.name = "days",
     .argument = "N",
     .kind = OPTION_NUMBER,
     .member = offsetof(Options, days),
     .min = 1,
     .max = DAYS_MAX,
     .words = "1 7 30 90 365",
     .help = "the last N days, today included (default 30)"},
    {.name = "limit",
     .argument = "N",
     .kind = OPTION_NUMBER,
     .member = offsetof(Options, limit),
     .max = LIMIT_MAX,
     .words = "0 10 50 100",
     .help = "at most N domains (default 50, in JSON and CSV all); 0 for all"},
    {.name = "domain",
     .argument = "NAME",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, domain),
     .group = 1,
     .help = "print the days of one domain: what became of its messages, and their SPF results"},
    {.name = "html",
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, html_file),
     .files = FILES_ANY,
     .group = 1,
     .help = "write a page for the browser to FILE instead of a text: it needs nothing else, and "
             "FILE is replaced in one step. - is stdout"},
    {.name = "csv",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_csv),
     .group = 1,
     .help = "print the domains as CSV, for a spreadsheet"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .group = 1,
     .help = "print JSON"},
    {.name = "here",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_here),
     .help = "in a fleet: this host alone"},
    {.name = "lang",
     .argument = "de|en",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, language),
     .words = "de en",
     .help = "the language of the page (default: as LC_ALL, LC_MESSAGES, LANG and LANGUAGE say, "
             "else en)"},
};

static int print_text(const ReportData *data)
{
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    page.columns = page_columns(stdout);
    report_output_add_text(&page, data);
    page_print(&page, stdout);
    return CLI_YES;
}

static int print_csv(const ReportData *data)
{
    g_autofree char *csv = domains_csv(data->ledger->by_messages);

    fputs(csv, stdout);
    return CLI_YES;
}

static int print_json(const ReportData *data)
{
    json_t *json = report_output_json(data);

    json_dumpf(json, stdout, 0);
    putchar('\n');
    json_decref(json);
    return CLI_YES;
}

static int write_html(const ReportData *data, const Language *language, const char *file)
{
    g_autofree char *html = report_output_html(data, language);
    g_autoptr(GError) error = NULL;

    if (strcmp(file, "-") == 0) {
        fputs(html, stdout);
        return CLI_YES;
    }
    if (g_file_set_contents_full(file, html, -1, G_FILE_SET_CONTENTS_CONSISTENT, HTML_MODE, &error))
        return CLI_YES;
    return subcommand_error(&report_subcommand, CLI_OUTPUT, "%s", error->message);
}

static int print(const Options *options, const Language *language, const ReportData *data)
{
    if (options->html_file != NULL)
        return write_html(data, language, options->html_file);
    if (options->is_csv)
        return print_csv(data);
    return options->is_json ? print_json(data) : print_text(data);
}

/* The domain was not seen in the ledger at all. */
static int not_seen(Ledger *file, const char *name)
{
    g_autofree char *similar = ledger_report_similar(file, name, NULL);

    if (similar == NULL)
        return subcommand_error(&report_subcommand, CLI_NO, "%s was never seen", name);
    return subcommand_error(&report_subcommand, CLI_NO, "%s was never seen; did you mean %s?", name,
                            similar);
}

static int print_history(const Options *options, Ledger *file, LedgerPeriod period)
{
    g_autoptr(CheckSubject) subject = check_subject_parse(options->domain);
    g_autoptr(GError) error = NULL;
    g_autoptr(LedgerDomain) domain = NULL;
    g_autoptr(GArray) history = NULL;
    g_auto(Page) page;

    if (subject->is_nothing)
        return subcommand_usage_error(&report_subcommand, CHECK_SUBJECT_NOTHING, options->domain);
    domain = ledger_report_domain(file, subject->domain, period, &error);
    if (domain == NULL && error == NULL)
        return not_seen(file, subject->domain);
    if (domain != NULL)
        history = ledger_report_history(file, subject->domain, period, &error);
    if (history == NULL)
        return subcommand_error(&report_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    page_init(&page, page_wants_colour(stdout));
    report_output_add_history(&page, period, domain, history);
    page_print(&page, stdout);
    return CLI_YES;
}

static guint domains_max(const Options *options)
{
    if (options->limit != LIMIT_NONE)
        return options->limit;
    return options->is_csv || options->is_json ? 0 : LIMIT_DEFAULT;
}

static int report(const Options *options, const Language *language, Settings *settings)
{
    gint64 now = clock_wall(&clock_system);
    guint max = domains_max(options);
    const LedgerLimits limits = {.by_messages = max > 0 ? max : LEDGER_ALL,
                                 .newly_authorised = LEDGER_ALL,
                                 .no_longer_authorised = LEDGER_ALL};
    LedgerPeriod period = ledger_period_of(now, options->days);
    g_autoptr(GError) error = NULL;
    g_autofree char *trouble = NULL;
    g_autoptr(Ledger) file = NULL;
    g_autoptr(LedgerReport) ledger = NULL;

    if (settings->ledger == NULL)
        return subcommand_error(&report_subcommand, CLI_CONFIGURATION,
                                "%s: ledger is empty, so none is kept", settings->file);
    file = options->is_here ? ledger_open_read_only(settings->ledger, &error)
                            : ledger_union_open(settings, period, &trouble, &error);
    if (trouble != NULL)
        fprintf(stderr, "spfrom report: not all of the fleet is in it: %s\n", trouble);
    if (file != NULL && options->domain != NULL)
        return print_history(options, file, period);
    if (file != NULL)
        ledger = ledger_report_read(file, period, &limits, &error);
    if (ledger == NULL)
        return subcommand_error(&report_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    return print(options, language, &(ReportData){now, period, ledger});
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.days = DAYS_DEFAULT, .limit = LIMIT_NONE};
    g_autoptr(GError) error = NULL;
    g_autoptr(Language) language = NULL;
    g_autoptr(Settings) settings = NULL;
    char **operands;
    int status = subcommand_parse(&report_subcommand, context, argc, argv, &options, &operands);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    language = language_choose(options.language, &error);
    if (language == NULL && g_error_matches(error, LANGUAGE_ERROR, LANGUAGE_ERROR_UNKNOWN))
        return subcommand_usage_error(&report_subcommand, "--lang: %s", error->message);
    if (language == NULL)
        return subcommand_error(&report_subcommand, CLI_CONFIGURATION, "%s", error->message);
    settings = configuration_read(context, true, &error);
    if (settings == NULL)
        return subcommand_error(&report_subcommand, configuration_status(error), "%s",
                                error->message);
    return report(&options, language, settings);
}

const Subcommand report_subcommand = {
    .name = "report",
    .summary = "which domains sent, and what became of it?",
    .description =
        "Shows what the ledger has seen: how many outgoing messages were kept and rewritten on "
        "each day, and the domains by volume with their SPF result, how much of their mail was "
        "rewritten and kept, when they were first and last seen, and since when they are "
        "authorised. The daemon writes the ledger once a second; it need not run. In a fleet, what "
        "the other hosts saw is in it, as far as the store can be asked.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .notes =
        "Days are those of local time. rewritten counts what would be rewritten, in log-only, "
        "too. A domain is authorised since its first pass after another result; temperror says "
        "nothing. \"dkim\" is mail whose author stayed for a DKIM key of ours (dkim_consent), "
        "which counts as authorised; \"by DKIM key\" counts it. \"unchecked\" is mail whose domain needed no look-up. \"(no author domain)\" "
        "is mail without an author that can be read (null in JSON), \"(other domains)\" what "
        "was too much at once to be told apart (\"*\" in JSON).",
    .exit_status =
        "0 printed, 1 the domain of --domain was never seen, 2 wrong usage, 69 there is no ledger that can be read, 74 the output can't "
        "be written, 78 configuration, or it wants no ledger",
    .examples = "spfrom report --days 7\n"
                "spfrom report --domain praxis.example --days 90\n"
                "spfrom report --days 90 --lang de --html /var/www/html/spf.html",
    .run = run,
};
