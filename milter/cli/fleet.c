#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/control.h"
#include "cli/subcommand.h"
#include "show/page.h"

typedef struct {
    const char *forget;
    bool is_json;
} Options;

static const Option option_rows[] = {
    {.name = "forget",
     .argument = "HOST",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, forget),
     .help = "drop a host that is gone for good"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .help = "print JSON"},
};

static bool is_true(const json_t *object, const char *member)
{
    return json_is_true(json_object_get(object, member));
}

/* How long ago something was: "3s ago". */
static char *ago(const json_t *object, const char *member, gint64 now)
{
    gint64 wall = clock_rfc3339_parse(control_text(object, member));
    g_autofree char *span = page_span((now - wall) / CLOCK_SECOND);

    return wall != 0 ? g_strdup_printf("%s ago", span) : g_strdup("never");
}

static char *mode_of(const json_t *host)
{
    return g_strdup_printf("%s (%s%s)", control_text(host, "mode"), control_text(host, "by"),
                           is_true(host, "here") ? ", here alone" : "");
}

/* What is not as it should be; "" if all is well. */
static char *trouble_of(const json_t *host)
{
    GString *text = g_string_new(NULL);
    const json_t *differs = json_object_get(host, "differs");
    size_t i;
    const json_t *name;

    if (is_true(host, "stopped"))
        g_string_append(text, "  stopped");
    if (!is_true(host, "seen"))
        g_string_append(text, "  NOT SEEN for a minute");
    if (is_true(host, "unsent"))
        g_string_append(text, "  has something that the store lacks");
    if (is_true(host, "double"))
        g_string_append(text, "  TWO HOSTS have this name");
    json_array_foreach(differs, i, name) g_string_append_printf(
        text, "%s%s", i == 0 ? "  DIFFERS: " : ", ", json_string_value(name));
    return g_string_free(text, FALSE);
}

static void add_host(Page *page, const json_t *host, gint64 now, guint name_width, guint mode_width)
{
    g_autofree char *mode = mode_of(host);
    g_autofree char *up = ago(host, "up_since", now);
    g_autofree char *seen = ago(host, "last_seen", now);
    g_autofree char *trouble = trouble_of(host);

    page_add_padded(page, PAGE_STRONG, control_text(host, "host"), name_width + 2);
    page_add_padded(page, PAGE_PLAIN, control_text(host, "version"), 8);
    page_add_padded(page, PAGE_PLAIN, mode, mode_width + 2);
    page_printf(page, PAGE_PLAIN, "up %s, seen %s, %.0f messages a minute", up, seen,
                json_number_value(json_object_get(host, "messages_per_minute")));
    page_add(page, PAGE_BAD, trouble);
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_store(Page *page, const json_t *store)
{
    const char *member = control_text(store, "member");
    const char *error = control_text(store, "error");
    const char *since = control_text(store, "since");

    if (is_true(store, "up"))
        page_printf(page, PAGE_PLAIN, "store: %s, round trip %.1f ms, since %s", member,
                    json_number_value(json_object_get(store, "round_trip_ms")), since);
    else
        page_printf(page, PAGE_BAD, "store: AWAY since %s: %s; mail goes on without it", since,
                    error != NULL ? error : "not reached yet");
    page_raw(page, PAGE_PLAIN, "\n");
}

static guint width(const char *text)
{
    return text != NULL ? (guint)g_utf8_strlen(text, -1) : 0;
}

static void print_text(const json_t *answer)
{
    const json_t *hosts = json_object_get(answer, "hosts");
    gint64 now = clock_wall(&clock_system);
    guint name_width = 0;
    guint mode_width = 0;
    size_t i;
    const json_t *host;
    g_auto(Page) page;

    if (!is_true(answer, "fleet")) {
        puts("this host is alone: fleet is empty");
        return;
    }
    page_init(&page, page_wants_colour(stdout));
    json_array_foreach(hosts, i, host)
    {
        g_autofree char *mode = mode_of(host);

        name_width = MAX(name_width, width(control_text(host, "host")));
        mode_width = MAX(mode_width, width(mode));
    }
    json_array_foreach(hosts, i, host) add_host(&page, host, now, name_width, mode_width);
    add_store(&page, json_object_get(answer, "store"));
    fputs(page.text->str, stdout);
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.forget = NULL};
    g_auto(ControlRequest) request = {.command = CONTROL_FLEET};
    json_t *answer = NULL;
    char **operands;
    int status = subcommand_parse(&fleet_subcommand, context, argc, argv, &options, &operands);

    request.forget = g_strdup(options.forget);
    if (status == SUBCOMMAND_GO_ON)
        status = control_order(&fleet_subcommand, context, &request, CONTROL_SLOW, &answer);
    if (status == SUBCOMMAND_GO_ON) {
        if (options.is_json)
            control_print_json(answer);
        else if (options.forget != NULL)
            printf("%s is forgotten\n", options.forget);
        else
            print_text(answer);
        status = is_true(answer, "agree") || options.forget != NULL ? CLI_YES : CLI_NO;
    }
    json_decref(answer);
    return status;
}

const Subcommand fleet_subcommand = {
    .name = "fleet",
    .summary = "the hosts that share a store, and the store",
    .asks_daemon = true,
    .description =
        "Shows a line for each host of the fleet: its version, its mode and who switched it, "
        "since when it runs, when it was last seen, how many messages it had in the last minute, "
        "and in what it differs from the others: keys of the configuration, the relay set, the "
        "key of return addresses. Then the store: which member is used, its round trip, and since "
        "when.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .exit_status = "0 all hosts agree and are seen, 1 a host differs or was not seen for a minute, "
                   "or the store is away, 2 wrong usage, 69 the daemon is not reachable, 78 "
                   "configuration",
    .examples = "spfrom fleet --forget mx3.example.org",
    .run = run,
};
