#include "config.h"

#include "cli/web.h"

#include "cli/configuration.h"
#include "web/listen_address.h"
#include "web/web.h"

static const char help[] =
    "Serves the report, a page for each domain, and the advice to a browser, until it is stopped. "
    "The\n"
    "pages only show; nothing can be changed there. They are made from the daemon's ledger and "
    "from its\n"
    "control socket, which are opened for each page and closed again; where there is no daemon, "
    "they\n"
    "say so, and domains can be checked all the same.\n"
    "\n"
    "  --listen ADDR         where to listen: ADDRESS:PORT, [ADDRESS]:PORT, ADDRESS or PORT\n"
    "                        (default " LISTEN_DEFAULT_ADDRESS ":" LISTEN_DEFAULT_PORT
    "; port 0 takes a free one and prints it)\n"
    "  --host NAME           a name by which browsers may call it; again for more. Others than\n"
    "                        localhost and the addresses of this machine are refused (DNS "
    "rebinding)\n"
    "  --password-file FILE  ask for a password: FILE holds NAME:PASSWORD, or a password alone "
    "that\n"
    "                        goes with any name, and must not be readable for everyone\n"
    "  -c FILE               read the configuration from FILE (default " CLI_DEFAULT_FILE ")\n"
    "  -h, --help            print this help\n"
    "\n"
    "/metrics is what `spfrom metrics` prints; /healthz says 200 where the daemon answers and "
    "503\n"
    "where it doesn't, without a password. The configuration is read once, at the start.\n"
    "\n"
    "It speaks HTTP without TLS. For other machines put a proxy with TLS before it that keeps the "
    "Host\n"
    "field, name that host with --host, and set a password here or there. It needs to read the "
    "ledger\n"
    "and to write to the control socket: run it as the daemon's user.\n"
    "\n"
    "Exit status: 0 stopped by SIGINT or SIGTERM, 2 wrong usage, 69 it can't listen there, or no "
    "DNS\n"
    "library, 78 configuration or password file.\n"
    "\n"
    "  spfrom web\n"
    "  spfrom web --listen 0.0.0.0:8895 --host spfrom.example.org --password-file "
    "/etc/spfrom/web\n";

typedef struct {
    WebOptions web;
    GPtrArray *hosts; /* of const char * */
} Options;

enum { OPTION_LISTEN = SUBCOMMAND_OPTION_FIRST, OPTION_HOST, OPTION_PASSWORD_FILE };

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"host", required_argument, NULL, OPTION_HOST},
    {"password-file", required_argument, NULL, OPTION_PASSWORD_FILE},
    SUBCOMMAND_HELP_OPTION,
    {NULL, 0, NULL, 0},
};

static int parse_option(void *data, int option)
{
    Options *options = data;

    switch (option) {
    case OPTION_LISTEN:
        options->web.listen = optarg;
        break;
    case OPTION_HOST:
        g_ptr_array_add(options->hosts, optarg);
        break;
    case OPTION_PASSWORD_FILE:
        options->web.password_file = optarg;
        break;
    default:
        break;
    }
    return SUBCOMMAND_GO_ON;
}

static int parse_options(Options *options, CliContext *context, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status =
        subcommand_parse(&web_subcommand, context, argc, argv, long_options, parse_option, options);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    if (optind < argc)
        return subcommand_usage_error(&web_subcommand, "\"%s\" is too much", argv[optind]);
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
    .arguments = "[--listen ADDR] [--host NAME]... [--password-file FILE] [-c FILE]",
    .summary = "the report, a page for each domain, and the advice in the browser",
    .help = help,
    .run = run,
};
