#include "config.h"

#include "daemon/control.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"
#include "control/control_request.h"
#include "control/control_server.h"
#include "control/daemon_status.h"
#include "control/message_record.h"
#include "control/return_resolution.h"
#include "daemon/fallback_watch.h"
#include "daemon/fleet_agent.h"
#include "daemon/ledger_writer.h"
#include "daemon/live_settings.h"
#include "daemon/metrics.h"
#include "daemon/mode_switch.h"
#include "daemon/message_log.h"
#include "daemon/reload.h"
#include "daemon/returns.h"
#include "daemon/unix_socket.h"
#include "policy/settings_keys.h"
#include "verdict/setup.h"

#define RESOLVE_SECONDS 5 /* that a look-up may wait for others */

/* All set before other threads use them. */
static Settings *first; /* the settings of the start */
static int socket_fd = -1;
static char *socket_path; /* NULL: there is no socket of ours */
static ControlServer *server;
static Worker *switcher; /* keeps the mode switch on the disk, and ends it when its time is over */
static Worker *loader;   /* reload and flush */

/* What a worker needs to answer. */
typedef struct {
    ControlCaller caller;
    ModeStatus mode; /* mode, as the next one */
    bool has_detail;
    bool is_here;
    char *forget; /* fleet */
    char *domain; /* flush */
    char *query;  /* resolve */
} Task;

static void post(Worker *worker, void (*job)(void *data), const ControlCaller *caller, Task task)
{
    Task *posted = g_new(Task, 1);

    *posted = task;
    posted->caller = *caller;
    worker_post(worker, job, posted);
}

/* Answers and frees task. */
static void finish(Task *task, json_t *answer)
{
    control_server_answer(&task->caller, answer);
    g_free(task->domain);
    g_free(task->query);
    g_free(task->forget);
    g_free(task);
}

static json_t *ok(void)
{
    json_t *answer = json_object();

    json_object_set_new(answer, "ok", json_true());
    return answer;
}

static json_t *valid_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    return json_string(valid);
}

/* What "status" and "mode" answer. */
static void fill_process(DaemonStatus *status)
{
    status->version = g_strdup(PACKAGE_VERSION);
    status->pid = getpid();
    status->up_since = metrics_started();
    status->socket = g_strdup(first->socket);
    status->control_socket = g_strdup(first->control_socket);
    status->state_dir = g_strdup(first->state_dir);
}

static void fill_mode(DaemonStatusMode *mode, const ModeStatus *now)
{
    mode->mode = g_strdup(mode_text(now->mode));
    mode->since = now->since;
    mode->by = g_strdup(now->is_switch ? "switch" : "configuration");
    mode->until = now->until;
    mode->who = *now->who != '\0' ? g_strdup(now->who) : NULL;
    mode->next = now->until != 0 ? g_strdup(mode_text(now->next)) : NULL;
    mode->host = *now->host != '\0' ? g_strdup(now->host) : NULL;
    if (mode->host != NULL || now->is_here)
        mode->here = now->is_here ? DAEMON_STATUS_YES : DAEMON_STATUS_NO;
}

static void fill_configuration(DaemonStatus *status, Settings *settings)
{
    ModeStatus mode;

    mode_switch_get(&mode);
    fill_mode(&status->mode, &mode);
    status->mode_configured = g_strdup(mode_text(settings->mode));
    status->configuration.file = g_strdup(settings->file);
    status->configuration.loaded = reload_last(&status->configuration.error);
}

static char **networks_of(const RelaySet *set)
{
    char **texts = g_new0(char *, set->networks->len + 1);

    for (guint i = 0; i < set->networks->len; i++) {
        char text[NETWORK_TEXT_MAX];

        texts[i] = g_strdup(network_text(&g_array_index(set->networks, Network, i), text));
    }
    return texts;
}

static char **problems_of(const RelaySet *set)
{
    char **texts = g_new0(char *, set->problems->len + 1);

    for (guint i = 0; i < set->problems->len; i++)
        texts[i] = g_strdup(g_ptr_array_index(set->problems, i));
    return texts;
}

static void fill_relay_set(DaemonStatus *status, const LiveSettings *live)
{
    g_autoptr(RelaySet) set = verdicts_relay_set(live->verdicts);

    status->relay_set.networks = networks_of(set);
    status->relay_set.complete = set->is_complete ? DAEMON_STATUS_YES : DAEMON_STATUS_NO;
    status->relay_set.policy =
        g_strdup(live->settings->relay_policy == RELAY_POLICY_ALL ? "all" : "any");
    status->relay_set.problems = problems_of(set);
}

static const DaemonStatusAnswer answers[] = {
    [FALLBACK_UNKNOWN] = DAEMON_STATUS_UNKNOWN,
    [FALLBACK_UNAUTHORISED] = DAEMON_STATUS_NO,
    [FALLBACK_AUTHORISED] = DAEMON_STATUS_YES,
};

static void fill_fallback(DaemonStatus *status, Settings *settings)
{
    g_auto(FallbackVerdict) fallback = {0};
    const Verdict *verdict;

    fallback_watch_get(&fallback);
    status->fallback.address =
        g_strdup(fallback.address != NULL ? fallback.address : settings->fallback->addr_spec);
    status->fallback.authorised = answers[fallback.state];
    status->fallback.checked = fallback.checked;
    verdict = fallback.verdict;
    if (verdict == NULL)
        return;
    status->fallback.result = g_strdup(spf_result_text(verdict->result));
    status->fallback.relay = g_strdup(verdict->relay);
    status->fallback.mechanism = g_strdup(verdict->mechanism);
    status->fallback.reason = g_strdup(verdict->reason);
}

static void fill_other_fallbacks(DaemonStatus *status)
{
    guint watched;
    guint unauthorised;

    status->other_fallbacks.list = fallback_watch_get_others(&watched, &unauthorised);
    status->other_fallbacks.watched = watched;
    status->other_fallbacks.unauthorised = unauthorised;
}

static void fill_counts(DaemonStatus *status)
{
    MetricsSnapshot snapshot;

    metrics_take(&snapshot);
    status->connections = snapshot.connections;
    for (int i = 0; i < MESSAGE_ACTIONS; i++)
        status->messages[i] = (gint64)snapshot.messages[i];
    status->ledger_errors = (gint64)snapshot.ledger_errors;
}

static void fill_ledger(DaemonStatus *status)
{
    g_auto(LedgerWriterStatus) writer;

    ledger_writer_status(&writer);
    status->ledger.file = g_strdup(writer.file);
    status->ledger.error = g_strdup(writer.trouble);
    status->ledger.written = (gint64)writer.written;
    status->ledger.waiting = (gint64)writer.waiting;
    status->ledger.written_at = writer.written_at;
}

static void fill_verdicts(DaemonStatus *status, Settings *settings,
                          const VerdictsCounters *counters)
{
    for (int i = 0; i < SPF_RESULTS; i++)
        status->verdicts[i] = (gint64)counters->results[i];
    status->cache.entries = (gint64)counters->entries;
    status->cache.size = (gint64)settings->cache_size;
    status->cache.hit = (gint64)counters->hits;
    status->cache.miss = (gint64)counters->misses;
    status->cache.wait = (gint64)counters->waits;
    status->cache.stale = (gint64)counters->stales;
    status->cache.evaluations = (gint64)counters->evaluations;
}

/* The servers that the DNS is asked through, for people. */
static char *dns_source(Settings *settings)
{
    if (settings->dns_zone_file != NULL)
        return g_strconcat("zone file ", settings->dns_zone_file, NULL);
    if (settings->dns_servers != NULL && settings->dns_servers[0] != NULL)
        return g_strjoinv(", ", settings->dns_servers);
    return g_strdup("the system's resolvers");
}

/* Monotonic time as wall time; 0 stays. */
static gint64 wall_of(gint64 monotonic)
{
    if (monotonic == 0)
        return 0;
    return clock_wall(&clock_system) - (clock_monotonic(&clock_system) - monotonic);
}

static void fill_dns(DaemonStatus *status, Settings *settings, const VerdictsCounters *counters)
{
    status->dns.source = dns_source(settings);
    status->dns.found = (gint64)counters->queries[DNS_FOUND];
    status->dns.no_data = (gint64)counters->queries[DNS_NO_DATA];
    status->dns.no_name = (gint64)counters->queries[DNS_NO_NAME];
    status->dns.trouble = (gint64)counters->queries[DNS_TROUBLE];
    status->dns.last_answer = wall_of(counters->dns_answered);
    status->dns.last_trouble = wall_of(counters->dns_troubled);
}

static void fill_returns(DaemonStatus *status)
{
    g_auto(ReturnsStatus) returns;
    g_auto(FallbackVerdict) verdict = {0};

    returns_status(&returns);
    fallback_watch_get_return(&verdict);
    status->returns.address = g_strdup(verdict.address);
    if (verdict.address != NULL)
        status->returns.authorised = answers[verdict.state];
    status->returns.socket = g_strdup(returns.socket);
    status->returns.file = g_strdup(returns.file);
    status->returns.error = g_strdup(returns.store.trouble);
    status->returns.addresses = (gint64)returns.store.addresses;
    status->returns.found = (gint64)returns.found;
    status->returns.unknown = (gint64)returns.unknown;
    status->returns.trouble = (gint64)returns.trouble;
}

static void fill_fleet(DaemonStatus *status)
{
    g_auto(FleetAgentStatus) fleet;

    fleet_agent_status(&fleet);
    if (!fleet.is_there)
        return;
    status->fleet.up = fleet.store.is_up ? DAEMON_STATUS_YES : DAEMON_STATUS_NO;
    status->fleet.store = *fleet.store.member != '\0' ? g_strdup(fleet.store.member) : NULL;
    status->fleet.since = fleet.store.since;
    status->fleet.error = g_strdup(fleet.store.trouble);
    status->fleet.hosts = fleet.hosts;
    status->fleet.unseen = g_steal_pointer(&fleet.unseen);
    status->fleet.differing = g_steal_pointer(&fleet.differing);
    status->fleet.doubled = g_steal_pointer(&fleet.doubled);
}

static json_t *status_answer(void)
{
    g_autoptr(DaemonStatus) status = g_new0(DaemonStatus, 1);
    VerdictsCounters counters;
    LiveSettings live;

    if (!live_settings_take(&live))
        return control_server_refusal("the daemon is ending");
    verdicts_counters(live.verdicts, &counters);
    fill_process(status);
    fill_configuration(status, live.settings);
    fill_relay_set(status, &live);
    fill_fallback(status, live.settings);
    fill_other_fallbacks(status);
    fill_counts(status);
    fill_ledger(status);
    fill_verdicts(status, live.settings, &counters);
    fill_dns(status, live.settings, &counters);
    fill_returns(status);
    fill_fleet(status);
    live_settings_release(&live);
    return daemon_status_write(status);
}

static char *digest_in_force(void)
{
    LiveSettings live = {0};
    char *digest = live_settings_take(&live) ? settings_digest(live.settings) : NULL;

    live_settings_release(&live);
    return digest;
}

static json_t *mode_answer(const ModeStatus *now, bool has_detail)
{
    g_autoptr(DaemonStatusMode) mode = g_new0(DaemonStatusMode, 1);

    fill_mode(mode, now);
    if (has_detail)
        mode->digest = digest_in_force();
    return daemon_status_mode_write(mode, has_detail);
}

static void add_warning(GString *warnings, const char *warning)
{
    g_string_append_printf(warnings, "%s%s", warnings->len > 0 ? "; " : "", warning);
}

/* The mode is in force by now. */
static void run_mode(void *data)
{
    Task *task = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) warnings = g_string_new(NULL);
    json_t *answer = mode_answer(&task->mode, task->has_detail);

    if (!mode_switch_save(&error)) {
        g_autofree char *warning =
            g_strdup_printf("in force, but a restart will forget it: %s", error->message);

        log_write(LOG_WARNING, "mode switch: %s", warning);
        add_warning(warnings, warning);
    }
    if (!task->is_here && !fleet_agent_tell_switch())
        add_warning(warnings, "the store of the fleet is away; the other hosts will learn of this "
                              "when it is back");
    if (!task->is_here && task->mode.is_here)
        add_warning(warnings, "this host stays as it was switched for it alone; to end that: "
                              "spfrom mode --clear --here");
    if (warnings->len > 0)
        json_object_set_new(answer, "warning", valid_text(warnings->str));
    finish(task, answer);
}

static json_t *reload_refusal(const GError *error)
{
    json_t *answer =
        control_server_refusal(error != NULL ? error->message : "the daemon is ending");

    json_object_set_new(
        answer, "is_configuration",
        json_boolean(g_error_matches(error, SETUP_ERROR, SETUP_ERROR_CONFIGURATION)));
    return answer;
}

static void run_reload(void *data)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    json_t *answer;
    json_t *list;

    if (!reload_run(warnings, &error)) {
        finish(data, reload_refusal(error));
        return;
    }
    answer = ok();
    list = json_array();
    for (guint i = 0; i < warnings->len; i++)
        json_array_append_new(list, valid_text(g_ptr_array_index(warnings, i)));
    json_object_set_new(answer, "warnings", list);
    finish(data, answer);
}

static void run_flush(void *data)
{
    Task *task = data;
    LiveSettings live;
    json_t *answer;
    bool is_told;

    if (!live_settings_take(&live)) {
        finish(task, control_server_refusal("the daemon is ending"));
        return;
    }
    is_told = fleet_agent_tell_flush(task->domain); /* before the cache asks the store anew */
    verdicts_flush(live.verdicts, task->domain);
    live_settings_release(&live);
    fallback_watch_wake();
    log_write(LOG_NOTICE, "verdicts flushed: %s", task->domain != NULL ? task->domain : "all");
    answer = ok();
    json_object_set_new(answer, "domain",
                        task->domain != NULL ? json_string(task->domain) : json_null());
    if (!is_told)
        json_object_set_new(answer, "warning",
                            json_string("the store of the fleet is away; the other hosts will "
                                        "learn of this when it is back"));
    finish(task, answer);
}

static ReturnStoreOutcome find_token(void *hook, const char *token, ReturnStoreRow *row)
{
    ReturnStore *store = returns_store();

    (void)hook;
    return store != NULL ? return_store_find(store, token, deadline_in(RESOLVE_SECONDS), row)
                         : RETURN_STORE_UNKNOWN;
}

static void run_resolve(void *data)
{
    Task *task = data;
    LiveSettings live;
    json_t *answer;

    if (!live_settings_take(&live)) {
        finish(task, control_server_refusal("the daemon is ending"));
        return;
    }
    answer = return_resolution_new(live.settings, task->query, find_token, NULL);
    live_settings_release(&live);
    finish(task, answer);
}

static void run_fleet(void *data)
{
    Task *task = data;

    finish(task, fleet_agent_report(task->forget));
}

static void answer_mode(const ControlCaller *caller, bool has_detail)
{
    ModeStatus status;

    mode_switch_get(&status);
    control_server_answer(caller, mode_answer(&status, has_detail));
}

/* Switches at once; only the disk is left to the worker. */
static void change_mode(const ControlCaller *caller, const ControlRequest *request)
{
    bool has_name = request->who != NULL && *request->who != '\0';
    g_autofree char *uid = g_strdup_printf("uid %u", (guint)caller->uid);
    const char *name = has_name ? request->who : uid;
    Task task = {.has_detail = request->has_detail, .is_here = request->is_here};

    if (request->command == CONTROL_MODE_CLEAR && request->is_here)
        mode_switch_clear_here(name, &task.mode);
    else if (request->command == CONTROL_MODE_CLEAR)
        mode_switch_clear(name, &task.mode);
    else if (request->is_here)
        mode_switch_set_here(request->mode, request->seconds, name, &task.mode);
    else
        mode_switch_set(request->mode, request->seconds, name, &task.mode);
    post(switcher, run_mode, caller, task);
}

/* What spfrom watch left beside the ledger; all 0 if there is nothing that can be read. */
static WatchSummary watch_summary(void)
{
    WatchSummary summary = {0};
    LiveSettings live = {0};
    g_autofree char *file = NULL;
    g_autoptr(WatchRows) rows = NULL;

    if (live_settings_take(&live) && live.settings->ledger != NULL)
        file = watch_rows_file(live.settings->ledger);
    live_settings_release(&live);
    if (file != NULL)
        rows = watch_rows_open_read_only(file, NULL);
    if (rows != NULL)
        watch_rows_summary(rows,
                           clock_wall(&clock_system) - WATCH_BROKEN_DAYS * 86400 * CLOCK_SECOND,
                           &summary, NULL);
    return summary;
}

static void add_returns(MetricsSnapshot *snapshot)
{
    g_auto(ReturnsStatus) returns;

    returns_status(&returns);
    snapshot->returns_found = returns.found;
    snapshot->returns_unknown = returns.unknown;
    snapshot->returns_trouble = returns.trouble;
    snapshot->return_addresses = returns.store.addresses;
}

static void add_fleet(MetricsSnapshot *snapshot)
{
    g_autoptr(Fleet) fleet = fleet_agent_fleet();
    FleetStoreState state;

    snapshot->has_fleet = fleet != NULL;
    if (fleet == NULL)
        return;
    fleet_store_state(fleet_store(fleet), &state);
    snapshot->is_fleet_up = state.is_up;
    memcpy(snapshot->fleet_requests, state.requests, sizeof snapshot->fleet_requests);
    memcpy(snapshot->fleet_seconds, state.seconds, sizeof snapshot->fleet_seconds);
    snapshot->fleet_microseconds = (guint64)state.seconds_sum;
    fleet_store_state_clear(&state);
}

static void answer_metrics(const ControlCaller *caller, bool is_prometheus)
{
    MetricsSnapshot snapshot;
    json_t *answer = ok();
    g_autofree char *text = NULL;

    metrics_take(&snapshot);
    add_returns(&snapshot);
    add_fleet(&snapshot);
    snapshot.watch = watch_summary();
    text = metrics_text(&snapshot, is_prometheus ? METRICS_PROMETHEUS : METRICS_OPENMETRICS);
    json_object_set_new(
        answer, "type",
        json_string(is_prometheus ? METRICS_PROMETHEUS_TYPE : METRICS_OPENMETRICS_TYPE));
    json_object_set_new(answer, "text", valid_text(text));
    control_server_answer(caller, answer);
}

/* What became of a message, as its log line says; null for one that is not known (any more). */
static void answer_find(const ControlCaller *caller, const char *queue_id)
{
    const MessageLogKey wanted = {.queue_id = queue_id};
    g_autoptr(GPtrArray) found = message_log_find(&wanted, 1);
    json_t *answer = ok();

    json_object_set_new(answer, "line",
                        found->len > 0 ? json_string(((MessageRecord *)found->pdata[0])->line)
                                       : json_null());
    control_server_answer(caller, answer);
}

/* The keys as they are in force, whatever the file says by now. */
static void answer_config(const ControlCaller *caller)
{
    LiveSettings live;
    json_t *answer;
    json_t *values;

    if (!live_settings_take(&live)) {
        control_server_answer(caller, control_server_refusal("the daemon is ending"));
        return;
    }
    answer = ok();
    values = json_object();
    for (size_t i = 0; i < settings_keys_length; i++)
        if (live.settings->texts != NULL && live.settings->texts[i] != NULL)
            json_object_set_new(values, settings_keys[i].name, valid_text(live.settings->texts[i]));
    json_object_set_new(answer, "file", valid_text(live.settings->file));
    json_object_set_new(answer, "values", values);
    live_settings_release(&live);
    control_server_answer(caller, answer);
}

/* The last messages of a domain or an address, or those of an id, newest first. */
static void answer_recent(const ControlCaller *caller, const ControlRequest *request)
{
    const MessageLogKey wanted = {.queue_id = request->queue_id,
                                  .message_id = request->message_id,
                                  .author = request->address,
                                  .domain = request->domain};
    g_autoptr(GPtrArray) found =
        message_log_find(&wanted, request->limit > 0 ? request->limit : CONTROL_RECENT_DEFAULT);
    json_t *answer = ok();
    json_t *messages = json_array();

    for (guint i = 0; i < found->len; i++)
        json_array_append_new(messages, message_record_write(g_ptr_array_index(found, i)));
    json_object_set_new(answer, "messages", messages);
    control_server_answer(caller, answer);
}

static void carry_out(const ControlCaller *caller, ControlRequest *request)
{
    switch (request->command) {
    case CONTROL_STATUS:
        control_server_answer(caller, status_answer());
        return;
    case CONTROL_MODE:
        answer_mode(caller, request->has_detail);
        return;
    case CONTROL_MODE_SET:
    case CONTROL_MODE_CLEAR:
        change_mode(caller, request);
        return;
    case CONTROL_RELOAD:
        post(loader, run_reload, caller, (Task){.domain = NULL});
        return;
    case CONTROL_FLUSH:
        post(loader, run_flush, caller, (Task){.domain = g_steal_pointer(&request->domain)});
        return;
    case CONTROL_METRICS:
        answer_metrics(caller, request->is_prometheus);
        return;
    case CONTROL_FIND:
        answer_find(caller, request->queue_id);
        return;
    case CONTROL_RESOLVE:
        post(loader, run_resolve, caller, (Task){.query = g_steal_pointer(&request->query)});
        return;
    case CONTROL_CONFIG:
        answer_config(caller);
        return;
    case CONTROL_FLEET:
        post(loader, run_fleet, caller, (Task){.forget = g_steal_pointer(&request->forget)});
        return;
    case CONTROL_RECENT:
        answer_recent(caller, request);
        return;
    }
}

static void on_line(const ControlCaller *caller, const char *line, gsize length)
{
    g_auto(ControlRequest) request = {0};
    g_autoptr(GError) error = NULL;

    if (control_request_parse(line, length, &request, &error))
        carry_out(caller, &request);
    else
        control_server_answer(caller, control_server_refusal(error->message));
}

bool control_open(Settings *settings, const Privileges *privileges, GError **error)
{
    uid_t uid = privileges->is_to_drop ? privileges->uid : (uid_t)-1;
    gid_t gid = geteuid() == 0 ? privileges->gid : (gid_t)-1;
    g_autofree char *path = NULL;

    if (settings->control_socket == NULL)
        return true;
    path = privileges_enter(privileges, settings->control_socket, gid, error);
    if (path == NULL)
        return false;
    socket_fd = unix_socket_listen(path, uid, gid, error);
    privileges_leave(privileges);
    if (socket_fd < 0) {
        g_prefix_error(error, "control_socket: ");
        return false;
    }
    socket_path = g_strdup(settings->control_socket);
    return true;
}

bool control_start(Settings *settings)
{
    first = settings_ref(settings);
    switcher = worker_start("spfrom-mode", mode_switch_tend);
    loader = worker_start("spfrom-loader", NULL);
    if (switcher == NULL || loader == NULL)
        return false;
    if (socket_fd < 0)
        return true;
    server = control_server_start(socket_fd, &control_limits, on_line);
    socket_fd = -1;
    return server != NULL;
}

void control_close(void)
{
    if (socket_path != NULL)
        unlink(socket_path);
    g_clear_pointer(&socket_path, g_free);
    if (server != NULL)
        control_server_stop(server);
}
