#include "config.h"

#include "daemon/status.h"

#include <unistd.h>

#include "base/clock.h"
#include "control/control_server.h"
#include "control/daemon_status.h"
#include "daemon/fallback_watch.h"
#include "daemon/ledger_writer.h"
#include "daemon/live_settings.h"
#include "daemon/metrics.h"
#include "daemon/reload.h"
#include "verdict/verdicts.h"

static void fill_process(DaemonStatus *status, Settings *first)
{
    status->version = g_strdup(PACKAGE_VERSION);
    status->pid = getpid();
    status->up_since = reload_started();
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

static void fill_fallback(DaemonStatus *status, Settings *settings)
{
    static const DaemonStatusAnswer answers[] = {
        [FALLBACK_UNKNOWN] = DAEMON_STATUS_UNKNOWN,
        [FALLBACK_UNAUTHORISED] = DAEMON_STATUS_NO,
        [FALLBACK_AUTHORISED] = DAEMON_STATUS_YES,
    };
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

json_t *status_json(Settings *first)
{
    g_autoptr(DaemonStatus) status = g_new0(DaemonStatus, 1);
    VerdictsCounters counters;
    LiveSettings live;

    if (!live_settings_take(&live))
        return control_server_refusal("the daemon is ending");
    verdicts_counters(live.verdicts, &counters);
    fill_process(status, first);
    fill_configuration(status, live.settings);
    fill_relay_set(status, &live);
    fill_fallback(status, live.settings);
    fill_counts(status);
    fill_ledger(status);
    fill_verdicts(status, live.settings, &counters);
    fill_dns(status, live.settings, &counters);
    live_settings_release(&live);
    return daemon_status_write(status);
}

json_t *status_mode_json(const ModeStatus *now)
{
    g_autoptr(DaemonStatusMode) mode = g_new0(DaemonStatusMode, 1);

    fill_mode(mode, now);
    return daemon_status_mode_write(mode);
}
