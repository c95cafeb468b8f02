#include "config.h"

#include "daemon/metrics.h"

#include "base/log_queue.h"
#include "daemon/live_settings.h"

#define CACHE_LINE 64 /* octets */

/* What one message adds to lies together, and apart from what only connections add to. All by
 * __atomic_*() only. */
static struct {
    guint64 messages[MESSAGE_ACTIONS] __attribute__((aligned(CACHE_LINE)));
    guint64 checks[METRICS_CHECK_BOUNDS + 1] __attribute__((aligned(CACHE_LINE)));
    guint64 check_microseconds;
    guint connections __attribute__((aligned(CACHE_LINE)));
    guint64 ledger_errors;
    gint fallback; /* MetricsFallback */
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

MetricsFallback metrics_fallback(void)
{
    return (MetricsFallback)__atomic_load_n(&counts.fallback, __ATOMIC_RELAXED);
}

static void take_live(MetricsSnapshot *snapshot)
{
    LiveSettings live;
    g_autoptr(RelaySet) set = NULL;

    snapshot->is_in_force = live_settings_take(&live);
    if (!snapshot->is_in_force)
        return;
    snapshot->mode = live.mode.mode;
    set = verdicts_relay_set(live.verdicts);
    snapshot->is_relay_set_complete = set->is_complete;
    verdicts_counters(live.verdicts, &snapshot->verdicts);
    live_settings_release(&live);
}

void metrics_take(MetricsSnapshot *snapshot)
{
    *snapshot = (MetricsSnapshot){.fallback = metrics_fallback()};
    for (guint i = 0; i < MESSAGE_ACTIONS; i++)
        snapshot->messages[i] = read_one(&counts.messages[i]);
    for (guint i = 0; i <= METRICS_CHECK_BOUNDS; i++)
        snapshot->checks[i] = read_one(&counts.checks[i]);
    snapshot->check_microseconds = read_one(&counts.check_microseconds);
    snapshot->ledger_errors = read_one(&counts.ledger_errors);
    snapshot->log_lines_lost = log_queue_lost();
    snapshot->connections = __atomic_load_n(&counts.connections, __ATOMIC_RELAXED);
    take_live(snapshot);
}
