#include "config.h"

#include "cli/status.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/control.h"
#include "cli/subcommand.h"
#include "show/page.h"

#define LABEL_WIDTH 15
#define NETWORKS_SHOWN_MAX 8

static void add_line(Page *page, const char *label, PageStyle style, const char *text)
{
    if (text == NULL)
        return;
    page_add_padded(page, PAGE_FAINT, label, LABEL_WIDTH);
    page_add(page, style, text);
    page_raw(page, PAGE_PLAIN, "\n");
}

/* Adds nothing if wall is 0. */
static void add_time(Page *page, const char *label, gint64 wall, gint64 now)
{
    g_autofree char *text = wall != 0 ? clock_rfc3339(wall) : NULL;
    g_autofree char *relative = text != NULL ? page_relative_time(text, now) : NULL;

    add_line(page, label, PAGE_PLAIN, relative);
}

/* A number with its thousands parted: 100,000. */
static char *count_text(gint64 count)
{
    GString *text = g_string_new(NULL);

    g_string_printf(text, "%" G_GINT64_FORMAT, count);
    for (gssize at = (gssize)text->len - 3; at > 0; at -= 3)
        g_string_insert_c(text, at, ',');
    return g_string_free(text, FALSE);
}

static void add_process(Page *page, const DaemonStatus *status, gint64 now)
{
    g_autofree char *title = g_strdup_printf("spfrom-milter %s, process %" G_GINT64_FORMAT,
                                             status->version, status->pid);

    add_line(page, "daemon", PAGE_PLAIN, title);
    add_time(page, "up since", status->up_since, now);
}

static void add_mode(Page *page, const DaemonStatus *status, gint64 now)
{
    const DaemonStatusMode *mode = &status->mode;
    g_autofree char *by =
        g_strcmp0(mode->by, "switch") == 0
            ? g_strdup_printf("switch; the configuration says %s", status->mode_configured)
            : g_strdup(mode->by);

    add_line(page, "mode", PAGE_STRONG, mode->mode);
    add_time(page, "  since", mode->since, now);
    add_line(page, "  by", PAGE_PLAIN, by);
    add_line(page, "  switched by", PAGE_PLAIN, mode->who);
    if (mode->here == DAEMON_STATUS_YES)
        add_line(page, "  for", PAGE_PLAIN, "this host alone");
    add_time(page, "  until", mode->until, now);
    add_line(page, "  then", PAGE_PLAIN, mode->next);
}

static void add_configuration(Page *page, const DaemonStatus *status, gint64 now)
{
    add_line(page, "configuration", PAGE_PLAIN, status->configuration.file);
    add_time(page, "  loaded", status->configuration.loaded, now);
    add_line(page, "  not reloaded", PAGE_BAD, status->configuration.error);
    add_line(page, "socket", PAGE_PLAIN, status->socket);
    add_line(page, "control socket", PAGE_PLAIN, status->control_socket);
}

static guint length_of(char **texts)
{
    return texts != NULL ? g_strv_length(texts) : 0;
}

static void add_relay_set(Page *page, const DaemonStatus *status)
{
    char **networks = status->relay_set.networks;
    char **problems = status->relay_set.problems;
    const char *policy = status->relay_set.policy;
    guint count = length_of(networks);
    g_autoptr(GString) text = g_string_new(count == 0 ? "not known yet" : NULL);

    for (guint i = 0; i < MIN(count, NETWORKS_SHOWN_MAX); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", networks[i]);
    if (count > NETWORKS_SHOWN_MAX)
        g_string_append_printf(text, " and %u more", count - NETWORKS_SHOWN_MAX);
    if (count > 1 && policy != NULL)
        g_string_append_printf(text, " (%s must be authorised)",
                               strcmp(policy, "any") == 0 ? "one of them" : "all");
    add_line(page, "relay set", count == 0 ? PAGE_BAD : PAGE_PLAIN, text->str);
    if (status->relay_set.complete == DAEMON_STATUS_NO)
        add_line(page, "  incomplete", PAGE_BAD,
                 g_strcmp0(policy, "any") == 0
                     ? "what is not known of it vouches for no domain"
                     : "no domain is vouched for until the rest is known");
    for (guint i = 0; i < length_of(problems); i++)
        add_line(page, "  problem", PAGE_DOUBTFUL, problems[i]);
}

static void append_part(GString *text, const char *part)
{
    if (part != NULL)
        g_string_append_printf(text, " %s", part);
}

static void add_fallback(Page *page, const DaemonStatus *status)
{
    static const PageStyle styles[] = {
        [DAEMON_STATUS_UNKNOWN] = PAGE_DOUBTFUL,
        [DAEMON_STATUS_NO] = PAGE_BAD,
        [DAEMON_STATUS_YES] = PAGE_GOOD,
    };
    DaemonStatusAnswer authorised = status->fallback.authorised;
    const char *result = status->fallback.result;
    g_autoptr(GString) text = g_string_new(NULL);

    add_line(page, "fallback", PAGE_PLAIN, status->fallback.address);
    if (authorised == DAEMON_STATUS_YES)
        g_string_append(text, "authorised:");
    else if (authorised == DAEMON_STATUS_NO)
        g_string_append(text, "NOT authorised, rewritten mail fails SPF:");
    else
        g_string_append(text, result != NULL ? "not known:" : "not looked up yet");
    append_part(text, result);
    append_part(text, status->fallback.relay);
    append_part(text, status->fallback.mechanism);
    append_part(text, status->fallback.reason);
    add_line(page, "  its domain", styles[authorised], text->str);
}

/* Of tenants: those that are wrong, each on its line. */
static void add_other_fallbacks(Page *page, const DaemonStatus *status)
{
    gint64 watched = status->other_fallbacks.watched;
    gint64 wrong = status->other_fallbacks.unauthorised;
    g_autofree char *text = g_strdup_printf(
        "%" G_GINT64_FORMAT " of sections and domain_map, %" G_GINT64_FORMAT " not authorised",
        watched, wrong);

    if (watched > 0)
        add_line(page, "  others", wrong > 0 ? PAGE_BAD : PAGE_PLAIN, text);
    for (guint i = 0; i < length_of(status->other_fallbacks.list); i++)
        add_line(page, "  not auth.", PAGE_BAD, status->other_fallbacks.list[i]);
}

/* Adds name and count to text, a list, unless count is 0: "keep 12, rewrite 3". */
static void append_count(GString *text, const char *name, gint64 count)
{
    g_autofree char *number = count_text(count);

    if (count > 0)
        g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", name, number);
}

static void add_counts(Page *page, const DaemonStatus *status)
{
    g_autofree char *connections = count_text(status->connections);
    g_autoptr(GString) messages = g_string_new(NULL);
    g_autoptr(GString) verdicts = g_string_new(NULL);

    for (int i = 0; i < MESSAGE_ACTIONS; i++)
        append_count(messages, message_action_text((MessageAction)i), status->messages[i]);
    for (int i = 0; i < SPF_RESULTS; i++)
        append_count(verdicts, spf_result_text((SpfResult)i), status->verdicts[i]);
    add_line(page, "connections", PAGE_PLAIN, connections);
    add_line(page, "messages", PAGE_PLAIN, messages->len > 0 ? messages->str : "none yet");
    add_line(page, "verdicts", PAGE_PLAIN, verdicts->len > 0 ? verdicts->str : "none yet");
}

static void add_cache(Page *page, const DaemonStatus *status)
{
    gint64 hits = status->cache.hit;
    gint64 all = hits + status->cache.miss + status->cache.wait + status->cache.stale;
    g_autofree char *entries = count_text(status->cache.entries);
    g_autofree char *size = count_text(status->cache.size);
    g_autofree char *asked = count_text(all);
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_printf(text, "%s of %s entries", entries, size);
    if (all > 0)
        g_string_append_printf(text, "; %.1f %% of %s look-ups were hits",
                               100.0 * (double)hits / (double)all, asked);
    if (status->cache.stale > 0)
        g_string_append_printf(text, ", %" G_GINT64_FORMAT " stale", status->cache.stale);
    add_line(page, "cache", PAGE_PLAIN, text->str);
}

static void add_dns(Page *page, const DaemonStatus *status, gint64 now)
{
    gint64 trouble = status->dns.trouble;
    gint64 all = trouble + status->dns.found + status->dns.no_data + status->dns.no_name;
    g_autofree char *asked = count_text(all);
    g_autofree char *unanswered = count_text(trouble);
    g_autofree char *text =
        g_strdup_printf("%s questions, %s without an answer", asked, unanswered);

    add_line(page, "DNS", trouble * 10 > all ? PAGE_DOUBTFUL : PAGE_PLAIN, text);
    add_line(page, "  through", PAGE_PLAIN, status->dns.source);
    add_time(page, "  last answer", status->dns.last_answer, now);
    add_time(page, "  last trouble", status->dns.last_trouble, now);
}

static void add_ledger(Page *page, const DaemonStatus *status)
{
    const char *error = status->ledger.error;
    g_autofree char *count = count_text(status->ledger.waiting);
    g_autofree char *text = g_strdup_printf("%s messages' counts wait in memory", count);

    add_line(page, "ledger", PAGE_PLAIN, status->ledger.file);
    add_line(page, "  trouble", PAGE_BAD, error);
    add_line(page, "  waiting", PAGE_DOUBTFUL, error != NULL ? text : NULL);
}

static void add_returns(Page *page, const DaemonStatus *status)
{
    g_autofree char *addresses = count_text(status->returns.addresses);
    g_autofree char *found = count_text(status->returns.found);
    g_autofree char *unknown = count_text(status->returns.unknown);
    g_autofree char *asked = g_strdup_printf(
        "%s; asked: %s found, %s unknown",
        status->returns.socket != NULL ? status->returns.socket : "nobody can ask", found, unknown);

    if (status->returns.file == NULL)
        return;
    add_line(page, "way back", PAGE_PLAIN,
             status->returns.address != NULL ? status->returns.address : "fallback_address");
    if (status->returns.authorised == DAEMON_STATUS_NO)
        add_line(page, "  its domain", PAGE_BAD, "NOT authorised, rewritten mail fails SPF");
    add_line(page, "  addresses", PAGE_PLAIN, addresses);
    add_line(page, "  socket", status->returns.socket != NULL ? PAGE_PLAIN : PAGE_BAD, asked);
    add_line(page, "  trouble", PAGE_BAD, status->returns.error);
}

static void add_names(Page *page, const char *label, char **names)
{
    g_autofree char *text = length_of(names) > 0 ? g_strjoinv(", ", names) : NULL;

    add_line(page, label, PAGE_BAD, text);
}

static void add_fleet(Page *page, const DaemonStatus *status, gint64 now)
{
    DaemonStatusAnswer up = status->fleet.up;
    g_autofree char *hosts = count_text(status->fleet.hosts);

    if (up == DAEMON_STATUS_UNKNOWN)
        return;
    add_line(page, "fleet", up == DAEMON_STATUS_YES ? PAGE_PLAIN : PAGE_BAD,
             up == DAEMON_STATUS_YES ? status->fleet.store : "the store can't be used");
    add_time(page, "  since", status->fleet.since, now);
    add_line(page, "  trouble", PAGE_BAD, status->fleet.error);
    add_line(page, "  hosts", PAGE_PLAIN, hosts);
    add_names(page, "  not seen", status->fleet.unseen);
    add_names(page, "  different", status->fleet.differing);
    add_names(page, "  same name", status->fleet.doubled);
}

void status_add(Page *page, const DaemonStatus *status, gint64 now)
{
    add_process(page, status, now);
    add_mode(page, status, now);
    add_configuration(page, status, now);
    add_relay_set(page, status);
    add_fallback(page, status);
    add_other_fallbacks(page, status);
    add_counts(page, status);
    add_cache(page, status);
    add_dns(page, status, now);
    add_ledger(page, status);
    add_returns(page, status);
    add_fleet(page, status, now);
}

typedef struct {
    bool is_json;
} Options;

static const Option option_rows[] = {
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .help = "print JSON"},
};

static void print_text(const json_t *answer)
{
    g_autoptr(DaemonStatus) status = daemon_status_read(answer);
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    status_add(&page, status, clock_wall(&clock_system) / CLOCK_SECOND);
    page_print(&page, stdout);
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.is_json = false};
    const ControlRequest request = {.command = CONTROL_STATUS};
    json_t *answer = NULL;
    char **operands;
    int status = subcommand_parse(&status_subcommand, context, argc, argv, &options, &operands);

    if (status == SUBCOMMAND_GO_ON)
        status = control_order(&status_subcommand, context, &request, CONTROL_QUICK, &answer);
    if (status == SUBCOMMAND_GO_ON) {
        (options.is_json ? control_print_json : print_text)(answer);
        status = CLI_YES;
    }
    json_decref(answer);
    return status;
}

const Subcommand status_subcommand = {
    .name = "status",
    .summary = "how is the daemon?",
    .asks_daemon = true,
    .description =
        "Shows how the daemon is: since when it runs, its mode, its configuration, the relay "
        "set, whether the fallback address's own domain authorises the relays, what became of "
        "messages since the start, the verdicts given, the cache, and how many questions the "
        "DNS has left unanswered.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .exit_status = "0 it runs, 2 wrong usage, 69 the daemon is not reachable, 78 configuration",
    .run = run,
};
