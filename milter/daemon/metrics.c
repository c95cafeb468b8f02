#include "config.h"

#include "daemon/metrics.h"

#include "base/log.h"
#include "daemon/live_settings.h"
#include "daemon/mode_switch.h"

#define CACHE_LINE 64                            /* octets */
#define MICROSECONDS G_GUINT64_CONSTANT(1000000) /* in a second */

/* What one message adds to lies together, and apart from what only connections add to. All by
 * __atomic_*() only. */
static struct {
    guint64 messages[MESSAGE_ACTIONS] __attribute__((aligned(CACHE_LINE)));
    guint64 checks[METRICS_CHECK_BOUNDS + 1] __attribute__((aligned(CACHE_LINE)));
    guint64 check_microseconds;
    guint64 consents;
    guint64 returned[RETURN_KINDS];
    guint connections __attribute__((aligned(CACHE_LINE)));
    guint64 ledger_errors;
    gint fallback; /* MetricsFallback */
    guint fallbacks;
    guint fallbacks_unauthorised;
    gint64 started;
    bool has_reload_failed;
    bool has_map_failed;
} counts;

const MetricsBound metrics_check_bounds[METRICS_CHECK_BOUNDS] = {
    {100, "0.0001"},  {500, "0.0005"},  {1000, "0.001"},    {2500, "0.0025"},
    {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"},   {50000, "0.05"},
    {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},    {1000000, "1.0"},
    {2500000, "2.5"}, {5000000, "5.0"}, {10000000, "10.0"}, {20000000, "20.0"},
};

static void add(guint64 *counter, guint64 amount)
{
    __atomic_fetch_add(counter, amount, __ATOMIC_RELAXED);
}

static guint64 read_one(const guint64 *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void metrics_count_message(MessageAction action)
{
    add(&counts.messages[action], 1);
}

void metrics_count_consent(void)
{
    add(&counts.consents, 1);
}

void metrics_count_returned(ReturnKind kind)
{
    add(&counts.returned[kind], 1);
}

void metrics_count_check(gint64 microseconds)
{
    guint bucket = 0;

    while (bucket < METRICS_CHECK_BOUNDS &&
           microseconds > metrics_check_bounds[bucket].microseconds)
        bucket++;
    add(&counts.checks[bucket], 1);
    add(&counts.check_microseconds, (guint64)microseconds);
}

void metrics_count_connection(void)
{
    __atomic_fetch_add(&counts.connections, 1, __ATOMIC_RELAXED);
}

void metrics_count_disconnection(void)
{
    __atomic_fetch_sub(&counts.connections, 1, __ATOMIC_RELAXED);
}

void metrics_count_ledger_error(void)
{
    add(&counts.ledger_errors, 1);
}

void metrics_set_fallback(MetricsFallback fallback)
{
    __atomic_store_n(&counts.fallback, (gint)fallback, __ATOMIC_RELAXED);
}

void metrics_set_fallbacks(guint watched, guint unauthorised)
{
    __atomic_store_n(&counts.fallbacks, watched, __ATOMIC_RELAXED);
    __atomic_store_n(&counts.fallbacks_unauthorised, unauthorised, __ATOMIC_RELAXED);
}

void metrics_set_start(gint64 wall)
{
    __atomic_store_n(&counts.started, wall, __ATOMIC_RELAXED);
}

gint64 metrics_started(void)
{
    return __atomic_load_n(&counts.started, __ATOMIC_RELAXED);
}

void metrics_set_reload_failed(bool has_failed)
{
    __atomic_store_n(&counts.has_reload_failed, has_failed, __ATOMIC_RELAXED);
}

void metrics_set_map_failed(bool has_failed)
{
    __atomic_store_n(&counts.has_map_failed, has_failed, __ATOMIC_RELAXED);
}

MetricsFallback metrics_fallback(void)
{
    return (MetricsFallback)__atomic_load_n(&counts.fallback, __ATOMIC_RELAXED);
}

static void take_live(MetricsSnapshot *snapshot)
{
    LiveSettings live;
    g_autoptr(RelaySet) set = NULL;
    ModeStatus mode;

    snapshot->is_in_force = live_settings_take(&live);
    if (!snapshot->is_in_force)
        return;
    snapshot->mode = live.mode.mode;
    mode_switch_get(&mode);
    snapshot->mode_until = mode.until;
    set = verdicts_relay_set(live.verdicts);
    snapshot->is_relay_set_complete = set->is_complete;
    snapshot->relays = set->networks->len;
    verdicts_counters(live.verdicts, &snapshot->verdicts);
    live_settings_release(&live);
}

void metrics_take(MetricsSnapshot *snapshot)
{
    *snapshot = (MetricsSnapshot){.fallback = metrics_fallback()};
    for (guint i = 0; i < MESSAGE_ACTIONS; i++)
        snapshot->messages[i] = read_one(&counts.messages[i]);
    snapshot->consents = read_one(&counts.consents);
    for (guint i = 0; i < RETURN_KINDS; i++)
        snapshot->returned[i] = read_one(&counts.returned[i]);
    for (guint i = 0; i <= METRICS_CHECK_BOUNDS; i++)
        snapshot->checks[i] = read_one(&counts.checks[i]);
    snapshot->check_microseconds = read_one(&counts.check_microseconds);
    snapshot->ledger_errors = read_one(&counts.ledger_errors);
    snapshot->log_lines_lost = log_queue_lost();
    snapshot->connections = __atomic_load_n(&counts.connections, __ATOMIC_RELAXED);
    snapshot->fallbacks = __atomic_load_n(&counts.fallbacks, __ATOMIC_RELAXED);
    snapshot->fallbacks_unauthorised =
        __atomic_load_n(&counts.fallbacks_unauthorised, __ATOMIC_RELAXED);
    snapshot->started = metrics_started();
    snapshot->has_reload_failed = __atomic_load_n(&counts.has_reload_failed, __ATOMIC_RELAXED);
    snapshot->has_map_failed = __atomic_load_n(&counts.has_map_failed, __ATOMIC_RELAXED);
    take_live(snapshot);
}

typedef struct {
    GString *text;
    MetricsFormat format;
} Writer;

/*
 * The head of a metric family. OpenMetrics has the family's name there, the older format that of
 * the samples, which differ in suffix, and it knows neither info nor unit.
 */
static void head(const Writer *writer, const char *name, const char *suffix, const char *type,
                 const char *help)
{
    if (writer->format == METRICS_OPENMETRICS) {
        g_string_append_printf(writer->text, "# TYPE %s %s\n# HELP %s %s\n", name, type, name,
                               help);
        return;
    }
    if (g_str_equal(type, "info"))
        type = "gauge";
    g_string_append_printf(writer->text, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help,
                           name, suffix, type);
}

static void counter_head(const Writer *writer, const char *name, const char *help)
{
    head(writer, name, "_total", "counter", help);
}

static void gauge_head(const Writer *writer, const char *name, const char *help)
{
    head(writer, name, "", "gauge", help);
}

/* label is NULL if the family has no labels. */
static void sample(const Writer *writer, const char *name, const char *label, const char *value,
                   guint64 number)
{
    g_string_append(writer->text, name);
    if (label != NULL)
        g_string_append_printf(writer->text, "{%s=\"%s\"}", label, value);
    g_string_append_printf(writer->text, " %" G_GUINT64_FORMAT "\n", number);
}

/* A family with one sample. */
static void gauge(const Writer *writer, const char *name, const char *help, guint64 number)
{
    gauge_head(writer, name, help);
    sample(writer, name, NULL, NULL, number);
}

static void write_messages(const Writer *writer, const MetricsSnapshot *snapshot)
{
    counter_head(writer, "spfrom_messages",
                 "Messages that got their answer, by what became of them.");
    for (guint i = 0; i < MESSAGE_ACTIONS; i++)
        sample(writer, "spfrom_messages_total", "action", message_action_text((MessageAction)i),
               snapshot->messages[i]);
}

static void write_consents(const Writer *writer, const MetricsSnapshot *snapshot)
{
    counter_head(writer, "spfrom_dkim_consents",
                 "Messages whose author stayed for a DKIM key of ours (dkim_consent).");
    sample(writer, "spfrom_dkim_consents_total", NULL, NULL, snapshot->consents);
}

static void write_returned(const Writer *writer, const MetricsSnapshot *snapshot)
{
    counter_head(writer, "spfrom_returned",
                 "Messages that came back and were passed on to authors, by kind.");
    for (guint i = 0; i < RETURN_KINDS; i++)
        sample(writer, "spfrom_returned_total", "kind", return_kind_text((ReturnKind)i),
               snapshot->returned[i]);
}

static void write_verdicts(const Writer *writer, const VerdictsCounters *counters)
{
    counter_head(writer, "spfrom_verdicts", "Verdicts given on a mailbox, by SPF result.");
    for (guint i = 0; i < SPF_RESULTS; i++)
        sample(writer, "spfrom_verdicts_total", "result", spf_result_text((SpfResult)i),
               counters->results[i]);
}

static void write_cache(const Writer *writer, const VerdictsCounters *counters)
{
    const char *name = "spfrom_cache_lookups_total";

    counter_head(writer, "spfrom_cache_lookups", "Verdicts asked for, by where they came from.");
    sample(writer, name, "outcome", "fleet", counters->fleets);
    sample(writer, name, "outcome", "hit", counters->hits);
    sample(writer, name, "outcome", "miss", counters->misses);
    sample(writer, name, "outcome", "stale", counters->stales);
    sample(writer, name, "outcome", "wait", counters->waits);
    gauge(writer, "spfrom_cache_entries", "Verdicts in the cache.", counters->entries);
}

static const char *dns_outcome_text(DnsStatus status)
{
    switch (status) {
    case DNS_FOUND:
        return "found";
    case DNS_NO_DATA:
        return "no-data";
    case DNS_NO_NAME:
        return "no-name";
    case DNS_TROUBLE:
        return "trouble";
    }
    return "trouble";
}

static void write_queries(const Writer *writer, const VerdictsCounters *counters)
{
    counter_head(writer, "spfrom_dns_queries", "DNS questions asked, by outcome.");
    for (guint i = 0; i < G_N_ELEMENTS(counters->queries); i++)
        sample(writer, "spfrom_dns_queries_total", "outcome", dns_outcome_text((DnsStatus)i),
               counters->queries[i]);
}

/* The end of a histogram: the sum of what was counted, and how much that was. */
static void write_sum(const Writer *writer, const char *name, guint64 microseconds, guint64 count)
{
    g_string_append_printf(
        writer->text,
        "%s_sum %" G_GUINT64_FORMAT ".%06" G_GUINT64_FORMAT "\n%s_count %" G_GUINT64_FORMAT "\n",
        name, microseconds / MICROSECONDS, microseconds % MICROSECONDS, name, count);
}

static void write_checks(const Writer *writer, const MetricsSnapshot *snapshot)
{
    const char *bucket = "spfrom_check_seconds_bucket";
    guint64 count = 0;

    head(writer, "spfrom_check_seconds", "", "histogram",
         "Time from the end of a message's header to the decision.");
    if (writer->format == METRICS_OPENMETRICS)
        g_string_append(writer->text, "# UNIT spfrom_check_seconds seconds\n");
    for (guint i = 0; i < METRICS_CHECK_BOUNDS; i++) {
        count += snapshot->checks[i];
        sample(writer, bucket, "le", metrics_check_bounds[i].seconds, count);
    }
    count += snapshot->checks[METRICS_CHECK_BOUNDS];
    sample(writer, bucket, "le", "+Inf", count);
    write_sum(writer, "spfrom_check_seconds", snapshot->check_microseconds, count);
}

static void write_mode(const Writer *writer, const MetricsSnapshot *snapshot)
{
    const Mode modes[] = {MODE_REWRITE, MODE_LOG_ONLY, MODE_OFF};

    gauge_head(writer, "spfrom_mode", "1 for the mode in force, 0 for the others.");
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++)
        sample(writer, "spfrom_mode", "mode", mode_text(modes[i]), snapshot->mode == modes[i]);
    gauge(writer, "spfrom_mode_end_time_seconds",
          "When the switch of the mode ends, since 1970; 0 if it does not.",
          (guint64)(snapshot->mode_until / MICROSECONDS));
}

static void write_relay_set(const Writer *writer, const MetricsSnapshot *snapshot)
{
    gauge(writer, "spfrom_relay_set_complete",
          "Whether all places are known from which mail leaves.", snapshot->is_relay_set_complete);
    gauge(writer, "spfrom_relays", "Networks of the relay set.", snapshot->relays);
}

static void write_fallback(const Writer *writer, MetricsFallback fallback)
{
    if (fallback == METRICS_FALLBACK_UNKNOWN)
        return;
    gauge(writer, "spfrom_fallback_authorised",
          "Whether the fallback address's domain authorises the relays.",
          fallback == METRICS_FALLBACK_AUTHORISED);
}

static void write_other_fallbacks(const Writer *writer, const MetricsSnapshot *snapshot)
{
    gauge(writer, "spfrom_other_fallbacks",
          "Fallback addresses of sections and domain_map that are watched.", snapshot->fallbacks);
    gauge(writer, "spfrom_other_fallbacks_unauthorised",
          "Those of them whose domain does not authorise the relays.",
          snapshot->fallbacks_unauthorised);
}

static void write_configuration(const Writer *writer, const MetricsSnapshot *snapshot)
{
    gauge(writer, "spfrom_reload_failed",
          "Whether the last reload failed, so that the old configuration stays.",
          snapshot->has_reload_failed);
    gauge(writer, "spfrom_domain_map_failed",
          "Whether domain_map could not be read anew, so that the old one stays.",
          snapshot->has_map_failed);
    if (snapshot->started == 0)
        return;
    gauge(writer, "spfrom_start_time_seconds", "When the daemon started, since 1970.",
          (guint64)(snapshot->started / MICROSECONDS));
}

static void write_returns(const Writer *writer, const MetricsSnapshot *snapshot)
{
    const char *name = "spfrom_return_lookups_total";

    counter_head(writer, "spfrom_return_lookups",
                 "Questions of the MTA at return_socket, by outcome.");
    sample(writer, name, "outcome", "found", snapshot->returns_found);
    sample(writer, name, "outcome", "unknown", snapshot->returns_unknown);
    sample(writer, name, "outcome", "trouble", snapshot->returns_trouble);
    gauge(writer, "spfrom_return_addresses", "Authors who can be found by an address.",
          snapshot->return_addresses);
}

static void write_fleet(const Writer *writer, const MetricsSnapshot *snapshot)
{
    const char *bucket = "spfrom_fleet_seconds_bucket";
    guint64 count = 0;

    gauge(writer, "spfrom_fleet_up", "Whether the store of the fleet can be used.",
          snapshot->is_fleet_up);
    counter_head(writer, "spfrom_fleet_requests", "Requests to the store, by outcome.");
    for (guint i = 0; i < FLEET_OUTCOMES; i++)
        sample(writer, "spfrom_fleet_requests_total", "outcome",
               fleet_outcome_text((FleetOutcome)i), snapshot->fleet_requests[i]);
    head(writer, "spfrom_fleet_seconds", "", "histogram", "Round trips to the store.");
    if (writer->format == METRICS_OPENMETRICS)
        g_string_append(writer->text, "# UNIT spfrom_fleet_seconds seconds\n");
    for (guint i = 0; i < FLEET_SECONDS_BUCKETS - 1; i++) {
        char bound[G_ASCII_DTOSTR_BUF_SIZE];

        count += snapshot->fleet_seconds[i];
        sample(writer, bucket, "le",
               g_ascii_formatd(bound, sizeof bound, "%g", fleet_seconds_bounds[i]), count);
    }
    count += snapshot->fleet_seconds[FLEET_SECONDS_BUCKETS - 1];
    sample(writer, bucket, "le", "+Inf", count);
    write_sum(writer, "spfrom_fleet_seconds", snapshot->fleet_microseconds, count);
}

static void write_watch(const Writer *writer, const WatchSummary *watch)
{
    const char *domains = "spfrom_watch_domains";

    gauge_head(writer, domains, "Domains that the last run of spfrom watch looked at, by state.");
    sample(writer, domains, "state", "authorised", watch->authorised);
    sample(writer, domains, "state", "unauthorised", watch->unauthorised);
    sample(writer, domains, "state", "unknown", watch->unknown);
    gauge(writer, "spfrom_watch_broken",
          "Domains that broke in the last 7 days and are not authorised again.", watch->broken);
    gauge(writer, "spfrom_watch_endangered", "Authorised domains whose record will not last long.",
          watch->endangered);
    gauge(writer, "spfrom_watch_own_unauthorised",
          "Domains of fallback and return addresses that do not authorise the relays.",
          watch->own_unauthorised);
    gauge(writer, "spfrom_watch_end_time_seconds",
          "When the last run of spfrom watch ended, since 1970.",
          (guint64)(watch->ended / MICROSECONDS));
}

static void write_rest(const Writer *writer, const MetricsSnapshot *snapshot)
{
    gauge(writer, "spfrom_connections", "Connections of the MTA.", snapshot->connections);
    counter_head(writer, "spfrom_ledger_errors", "Writes that the ledger could not do.");
    sample(writer, "spfrom_ledger_errors_total", NULL, NULL, snapshot->ledger_errors);
    counter_head(writer, "spfrom_log_lines_lost", "Log lines that nobody took in time.");
    sample(writer, "spfrom_log_lines_lost_total", NULL, NULL, snapshot->log_lines_lost);
    head(writer, "spfrom_build", "_info", "info", "The version that runs.");
    sample(writer, "spfrom_build_info", "version", PACKAGE_VERSION, 1);
}

char *metrics_text(const MetricsSnapshot *snapshot, MetricsFormat format)
{
    const Writer writer = {.text = g_string_sized_new(4096), .format = format};

    write_messages(&writer, snapshot);
    write_consents(&writer, snapshot);
    write_returned(&writer, snapshot);
    write_checks(&writer, snapshot);
    if (snapshot->is_in_force) {
        write_verdicts(&writer, &snapshot->verdicts);
        write_cache(&writer, &snapshot->verdicts);
        write_queries(&writer, &snapshot->verdicts);
        write_mode(&writer, snapshot);
        write_relay_set(&writer, snapshot);
    }
    write_fallback(&writer, snapshot->fallback);
    write_other_fallbacks(&writer, snapshot);
    write_configuration(&writer, snapshot);
    write_returns(&writer, snapshot);
    if (snapshot->watch.ended > 0)
        write_watch(&writer, &snapshot->watch);
    if (snapshot->has_fleet)
        write_fleet(&writer, snapshot);
    write_rest(&writer, snapshot);
    if (format == METRICS_OPENMETRICS)
        g_string_append(writer.text, "# EOF\n");
    return g_string_free(writer.text, FALSE);
}
