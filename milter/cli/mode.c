#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/control_client.h"
#include "cli/control.h"
#include "show/page.h"
#include "cli/subcommand.h"
#include "policy/settings.h"

typedef struct {
    const char *mode;
    const char *span;
    bool is_clear;
    bool is_here;
    bool is_json;
} Options;

static const Option option_rows[] = {
    {.name = "rewrite",
     .kind = OPTION_OPERAND,
     .help = "rewrite the author if its domain does not authorise the relays"},
    {.name = "log-only",
     .kind = OPTION_OPERAND,
     .help = "log what would be rewritten, touch nothing"},
    {.name = "off", .kind = OPTION_OPERAND, .help = "look nothing up, touch nothing"},
    {.name = "for",
     .argument = "TIME",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, span),
     .words = "10m 30m 1h 2h 8h 1d",
     .help = "go back to what counted before, after that time: 10s, 5m, 2h, 1d"},
    {.name = "clear",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_clear),
     .help = "go back to the configuration's mode now"},
    {.name = "here",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_here),
     .help = "switch this host alone, not its fleet; it stays so until --clear --here"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .help = "print JSON"},
};

static int read_span(const char *span, gint64 *seconds)
{
    g_autoptr(GError) error = NULL;

    *seconds = clock_span_parse(span, &error);
    if (*seconds > 0)
        return SUBCOMMAND_GO_ON;
    return subcommand_usage_error(&mode_subcommand, "--for: %s",
                                  error != NULL ? error->message : "at least 1s");
}

/* Returns SUBCOMMAND_GO_ON with request filled, or the exit code. */
static int read_options(const Options *options, ControlRequest *request)
{
    *request = (ControlRequest){.command = options->is_clear ? CONTROL_MODE_CLEAR : CONTROL_MODE};
    if (options->mode != NULL) {
        request->command = CONTROL_MODE_SET;
        if (!mode_parse(options->mode, &request->mode))
            return subcommand_usage_error(&mode_subcommand,
                                          "invalid mode \"%s\"; use off, log-only or rewrite",
                                          options->mode);
        if (options->is_clear)
            return subcommand_usage_error(&mode_subcommand,
                                          "a mode and --clear exclude each other");
    }
    request->is_here = options->is_here;
    if (options->is_here && request->command == CONTROL_MODE)
        return subcommand_usage_error(&mode_subcommand, "--here goes with a mode or --clear");
    if (options->span == NULL)
        return SUBCOMMAND_GO_ON;
    if (options->mode == NULL)
        return subcommand_usage_error(&mode_subcommand, "--for goes with a mode");
    return read_span(options->span, &request->seconds);
}

static void add_line(Page *page, const char *label, const char *text)
{
    page_add_padded(page, PAGE_PLAIN, label, 7);
    page_add(page, PAGE_PLAIN, text != NULL ? text : "-");
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_time(Page *page, const char *label, gint64 wall)
{
    g_autofree char *text = wall != 0 ? clock_rfc3339(wall) : NULL;
    g_autofree char *relative = page_relative_time(text, clock_wall(&clock_system) / CLOCK_SECOND);

    add_line(page, label, relative);
}

/* The user's name: the daemon can't know it in a user namespace of its own (PrivateUsers). */
static char *user_name(void)
{
    const char *behind_sudo = getuid() == 0 ? g_getenv("SUDO_USER") : NULL;
    const char *name = behind_sudo != NULL ? behind_sudo : g_get_user_name();

    return g_utf8_make_valid(name, -1);
}

static void print_text(const DaemonStatusMode *mode)
{
    g_autofree char *by =
        mode->who != NULL ? g_strdup_printf("%s (%s)", mode->by, mode->who) : g_strdup(mode->by);

    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    page_add_padded(&page, PAGE_PLAIN, "mode", 7);
    page_add(&page, PAGE_STRONG, mode->mode);
    page_raw(&page, PAGE_PLAIN, "\n");
    add_time(&page, "since", mode->since);
    add_line(&page, "by", by);
    if (mode->here != DAEMON_STATUS_UNKNOWN)
        add_line(&page, "for", mode->here == DAEMON_STATUS_YES ? "this host alone" : "the fleet");
    if (mode->here == DAEMON_STATUS_NO && mode->host != NULL && mode->who != NULL)
        add_line(&page, "at", mode->host);
    if (mode->until != 0)
        add_time(&page, "until", mode->until);
    if (mode->next != NULL)
        add_line(&page, "then", mode->next);
    page_print(&page, stdout);
}

static int tell(const Options *options, const json_t *answer)
{
    g_autoptr(DaemonStatusMode) mode = daemon_status_mode_read(answer);
    const char *warning = control_text(answer, "warning");

    if (mode->mode == NULL)
        return subcommand_error(&mode_subcommand, CLI_UNAVAILABLE,
                                "the daemon's answer has no mode");
    if (options->is_json)
        control_print_json(answer);
    else
        print_text(mode);
    if (warning != NULL)
        subcommand_error(&mode_subcommand, CLI_YES, "warning: %s", warning);
    return CLI_YES;
}

static int ask(const Options *options, const CliContext *context)
{
    g_auto(ControlRequest) request = {0};
    json_t *answer = NULL;
    int status = read_options(options, &request);

    request.who = user_name();
    request.has_detail = !options->is_json;
    if (status == SUBCOMMAND_GO_ON)
        status = control_order(&mode_subcommand, context, &request, CONTROL_SLOW, &answer);
    if (status == SUBCOMMAND_GO_ON)
        status = tell(options, answer);
    json_decref(answer);
    return status;
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.mode = NULL};
    char **operands;
    int status = subcommand_parse(&mode_subcommand, context, argc, argv, &options, &operands);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    options.mode = *operands;
    return ask(&options, context);
}

const Subcommand mode_subcommand = {
    .name = "mode",
    .summary = "show or switch the daemon's mode",
    .operands = "[rewrite|log-only|off]",
    .operand = "mode",
    .operands_max = 1,
    .asks_daemon = true,
    .description =
        "Shows which mode the daemon is in, since when, and what set it: the configuration, or "
        "a switch. With a mode it switches, at once, whatever the configuration says, until "
        "--clear or the end of --for. A switch survives a restart and a reload. Messages under "
        "way keep the mode that they began with. A domain section of the configuration still "
        "counts if it is less active than the switch. In a fleet a switch holds for all hosts "
        "within a second; --here is for this host alone.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .exit_status =
        "0 shown or switched, 2 wrong usage, 69 the daemon is not reachable, 78 configuration",
    .examples = "spfrom mode log-only --for 2h",
    .run = run,
};
