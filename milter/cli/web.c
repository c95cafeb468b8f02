#include "config.h"

#include "cli/configuration.h"
#include "cli/subcommand.h"
#include "web/listen_address.h"
#include "web/web.h"

typedef struct {
    WebOptions web;
    /* Of const char *. */
    GPtrArray *hosts;
} Options;

static const Option option_rows[] = {
    {.name = "listen",
     .argument = "ADDR",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, web.listen),
     .words = LISTEN_DEFAULT_ADDRESS ":" LISTEN_DEFAULT_PORT,
     .help =
         "where to listen: ADDRESS:PORT, [ADDRESS]:PORT, ADDRESS or PORT (default " LISTEN_DEFAULT_ADDRESS
         ":" LISTEN_DEFAULT_PORT "; port 0 takes a free one and prints it)"},
    {.name = "host",
     .argument = "NAME",
     .kind = OPTION_TEXTS,
     .member = offsetof(Options, hosts),
     .help = "a name by which browsers may call it; again for more. Others than localhost and the "
             "addresses of this machine are refused (DNS rebinding)"},
    {.name = "password-file",
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, web.password_file),
     .files = FILES_ANY,
     .help = "ask for a password: FILE holds NAME:PASSWORD, or a password alone that goes with any "
             "name, and must not be readable for everyone"},
    {.name = "here",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, web.is_here),
     .help = "in a fleet: this host's ledger alone"},
};

static int parse_options(Options *options, CliContext *context, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    char **operands;
    int status = subcommand_parse(&web_subcommand, context, argc, argv, options, &operands);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    if (!web_options_check(&options->web, &error))
        return subcommand_usage_error(&web_subcommand, "%s", error->message);
    return SUBCOMMAND_GO_ON;
}

/* The exit code for an error of web_run(). */
static int status_of(const GError *error)
{
    return web_error_is_configuration(error) ? CLI_CONFIGURATION : CLI_UNAVAILABLE;
}

static int serve(const WebOptions *options, const CliContext *context)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = configuration_read(context, false, &error);

    if (settings == NULL)
        return subcommand_error(&web_subcommand, configuration_status(error), "%s", error->message);
    if (!web_run(options, settings, &error))
        return subcommand_error(&web_subcommand, status_of(error), "%s", error->message);
    return CLI_YES;
}

static int run(int argc, char **argv, CliContext *context)
{
    g_autoptr(GPtrArray) hosts = g_ptr_array_new();
    Options options = {.hosts = hosts};
    int status = parse_options(&options, context, argc, argv);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    g_ptr_array_add(hosts, NULL);
    options.web.hosts = (const char *const *)hosts->pdata;
    return serve(&options.web, context);
}

const Subcommand web_subcommand = {
    .name = "web",
    .summary = "the report, a page for each domain, and the advice in the browser",
    .description =
        "Serves the report, a page for each domain, and the advice to a browser, until it is "
        "stopped. The pages only show; nothing can be changed there. They are made from the "
        "daemon's ledger and from its control socket, which are opened for each page and closed "
        "again; if there is no daemon, they say so, and domains can be checked all the same.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .notes =
        "/metrics is what `spfrom metrics` prints, and 503 if the daemon doesn't answer; "
        "/metrics?up=1 says so with spfrom_up 0 instead, so that Prometheus can tell the milter "
        "from this server. /healthz says 200 if the daemon answers and "
        "503 if it doesn't, without a password. The configuration is read once, at the "
        "start.\n\n"
        "It speaks HTTP without TLS. For other machines put a proxy with TLS before it that "
        "keeps the Host field, name that host with --host, and set a password here or there. It "
        "needs to read the ledger and to write to the control socket: run it as the daemon's "
        "user.",
    .exit_status =
        "0 stopped by SIGINT or SIGTERM, 2 wrong usage, 69 it can't listen there, or no DNS "
        "library, 78 configuration or password file",
    .examples = "spfrom web\n"
                "spfrom web --listen 0.0.0.0:8895 --host spfrom.example.org \\\n"
                "           --password-file /etc/spfrom/web",
    .run = run,
};
