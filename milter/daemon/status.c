#include "config.h"

#include "daemon/status.h"

#include <unistd.h>

#include "base/clock.h"
#include "control/control_server.h"
#include "daemon/fallback_watch.h"
#include "daemon/ledger_writer.h"
#include "daemon/live_settings.h"
#include "daemon/metrics.h"
#include "daemon/reload.h"
#include "verdict/verdicts.h"

static void set_text(json_t *json, const char *key, const char *text)
{
    g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;

    json_object_set_new(json, key, valid != NULL ? json_string(valid) : json_null());
}

/* wall 0: null. */
static void set_time(json_t *json, const char *key, gint64 wall)
{
    g_autofree char *text = wall != 0 ? clock_rfc3339(wall) : NULL;

    set_text(json, key, text);
}

static void set_count(json_t *json, const char *key, guint64 count)
{
    json_object_set_new(json, key, json_integer((json_int_t)count));
}

static const char *by_text(const ModeStatus *mode)
{
    return mode->is_switch ? "switch" : "configuration";
}

json_t *status_mode_json(const ModeStatus *mode)
{
    json_t *json = json_object();

    json_object_set_new(json, "ok", json_true());
    set_text(json, "mode", mode_text(mode->mode));
    set_time(json, "since", mode->since);
    set_text(json, "by", by_text(mode));
    set_time(json, "until", mode->until);
    return json;
}

static void set_mode(json_t *json, Settings *settings)
{
    ModeStatus mode;

    mode_switch_get(&mode);
    set_text(json, "mode", mode_text(mode.mode));
    set_time(json, "mode_since", mode.since);
    set_text(json, "mode_by", by_text(&mode));
    set_time(json, "mode_until", mode.until);
    set_text(json, "mode_configured", mode_text(settings->mode));
}

static json_t *configuration_json(Settings *settings)
{
    json_t *json = json_object();
    g_autofree char *error = NULL;
    gint64 loaded = reload_last(&error);

    set_text(json, "file", settings->file);
    set_time(json, "loaded", loaded);
    set_text(json, "error", error);
    return json;
}

static json_t *networks_json(const RelaySet *set)
{
    json_t *networks = json_array();

    for (guint i = 0; i < set->networks->len; i++) {
        char text[NETWORK_TEXT_MAX];

        json_array_append_new(
            networks, json_string(network_text(&g_array_index(set->networks, Network, i), text)));
    }
    return networks;
}

static json_t *relay_set_json(Settings *settings, Verdicts *verdicts)
{
    g_autoptr(RelaySet) set = verdicts_relay_set(verdicts);
    json_t *json = json_object();
    json_t *problems = json_array();

    for (guint i = 0; i < set->problems->len; i++) {
        g_autofree char *valid = g_utf8_make_valid(g_ptr_array_index(set->problems, i), -1);

        json_array_append_new(problems, json_string(valid));
    }
    json_object_set_new(json, "networks", networks_json(set));
    json_object_set_new(json, "complete", json_boolean(set->is_complete));
    set_text(json, "policy", settings->relay_policy == RELAY_POLICY_ALL ? "all" : "any");
    json_object_set_new(json, "problems", problems);
    return json;
}

static json_t *state_json(FallbackState state)
{
    switch (state) {
    case FALLBACK_AUTHORISED:
        return json_true();
    case FALLBACK_UNAUTHORISED:
        return json_false();
    case FALLBACK_UNKNOWN:
        break;
    }
    return json_null();
}

static json_t *fallback_json(Settings *settings)
{
    g_auto(FallbackVerdict) fallback = {0};
    json_t *json = json_object();
    const Verdict *verdict;

    fallback_watch_get(&fallback);
    verdict = fallback.verdict;
    set_text(json, "address",
             fallback.address != NULL ? fallback.address : settings->fallback->addr_spec);
    json_object_set_new(json, "authorised", state_json(fallback.state));
    set_text(json, "result", verdict != NULL ? spf_result_text(verdict->result) : NULL);
    set_text(json, "relay", verdict != NULL ? verdict->relay : NULL);
    set_text(json, "mechanism", verdict != NULL ? verdict->mechanism : NULL);
    set_text(json, "reason", verdict != NULL ? verdict->reason : NULL);
    set_time(json, "checked", fallback.checked);
    return json;
}

static void set_messages(json_t *json)
{
    MetricsSnapshot snapshot;
    json_t *messages = json_object();

    metrics_take(&snapshot);
    for (int i = 0; i < MESSAGE_ACTIONS; i++)
        set_count(messages, message_action_text((MessageAction)i), snapshot.messages[i]);
    set_count(json, "connections", snapshot.connections);
    json_object_set_new(json, "messages", messages);
    set_count(json, "ledger_errors", snapshot.ledger_errors);
}

static json_t *ledger_json(void)
{
    g_auto(LedgerWriterStatus) status;
    json_t *json = json_object();

    ledger_writer_status(&status);
    set_text(json, "file", status.file);
    set_text(json, "error", status.trouble);
    set_count(json, "written", status.written);
    set_count(json, "waiting", status.waiting);
    set_time(json, "written_at", status.written_at);
    return json;
}

static json_t *results_json(const VerdictsCounters *counters)
{
    json_t *json = json_object();

    for (int i = 0; i < SPF_RESULTS; i++)
        set_count(json, spf_result_text((SpfResult)i), counters->results[i]);
    return json;
}

static json_t *cache_json(Settings *settings, const VerdictsCounters *counters)
{
    json_t *json = json_object();

    set_count(json, "entries", counters->entries);
    set_count(json, "size", settings->cache_size);
    set_count(json, "hit", counters->hits);
    set_count(json, "miss", counters->misses);
    set_count(json, "wait", counters->waits);
    set_count(json, "stale", counters->stales);
    set_count(json, "evaluations", counters->evaluations);
    return json;
}

/* Whom the DNS is asked through, for people. */
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

static json_t *dns_json(Settings *settings, const VerdictsCounters *counters)
{
    json_t *json = json_object();
    g_autofree char *source = dns_source(settings);

    set_text(json, "source", source);
    set_count(json, "found", counters->queries[DNS_FOUND]);
    set_count(json, "no_data", counters->queries[DNS_NO_DATA]);
    set_count(json, "no_name", counters->queries[DNS_NO_NAME]);
    set_count(json, "trouble", counters->queries[DNS_TROUBLE]);
    set_time(json, "last_answer", wall_of(counters->dns_answered));
    set_time(json, "last_trouble", wall_of(counters->dns_troubled));
    return json;
}

static void set_process(json_t *json, Settings *first)
{
    set_text(json, "version", PACKAGE_VERSION);
    set_count(json, "pid", (guint64)getpid());
    set_time(json, "up_since", reload_started());
    set_text(json, "socket", first->socket);
    set_text(json, "control_socket", first->control_socket);
    set_text(json, "state_dir", first->state_dir);
}

static void set_live(json_t *json, const LiveSettings *live)
{
    VerdictsCounters counters;

    verdicts_counters(live->verdicts, &counters);
    set_mode(json, live->settings);
    json_object_set_new(json, "configuration", configuration_json(live->settings));
    json_object_set_new(json, "relay_set", relay_set_json(live->settings, live->verdicts));
    json_object_set_new(json, "fallback", fallback_json(live->settings));
    set_messages(json);
    json_object_set_new(json, "ledger", ledger_json());
    json_object_set_new(json, "verdicts", results_json(&counters));
    json_object_set_new(json, "cache", cache_json(live->settings, &counters));
    json_object_set_new(json, "dns", dns_json(live->settings, &counters));
}

json_t *status_json(Settings *first)
{
    LiveSettings live;
    json_t *json;

    if (!live_settings_take(&live))
        return control_server_refusal("the daemon is ending");
    json = json_object();
    json_object_set_new(json, "ok", json_true());
    set_process(json, first);
    set_live(json, &live);
    live_settings_release(&live);
    return json;
}
