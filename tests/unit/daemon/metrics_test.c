#include "config.h"

#include "daemon/metrics.h"

#include <pthread.h>
#include <string.h>

#include "unit/table.h"

#define THREADS 8
#define ROUNDS 20000 /* a thread */

/* What one thread counts; each has another action in front. */
static void *count_much(void *position)
{
    guint offset = GPOINTER_TO_UINT(position);

    for (guint i = 0; i < ROUNDS; i++) {
        metrics_count_connection();
        metrics_count_message((MessageAction)((i + offset) % MESSAGE_ACTIONS));
        metrics_count_check(i % 2 == 0 ? 100 : 101);
        metrics_count_ledger_error();
        metrics_count_disconnection();
    }
    return NULL;
}

static void test_concurrent(void **state G_GNUC_UNUSED)
{
    pthread_t threads[THREADS];
    MetricsSnapshot before;
    MetricsSnapshot after;
    const guint64 all = THREADS * ROUNDS;

    metrics_take(&before);
    for (guint i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, GUINT_TO_POINTER(i)), 0);
    for (guint i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    metrics_take(&after);
    for (guint i = 0; i < MESSAGE_ACTIONS; i++)
        assert_int_equal(after.messages[i] - before.messages[i], all / MESSAGE_ACTIONS);
    assert_int_equal(after.checks[0] - before.checks[0], all / 2);
    assert_int_equal(after.checks[1] - before.checks[1], all / 2);
    assert_int_equal(after.check_microseconds - before.check_microseconds,
                     all / 2 * 100 + all / 2 * 101);
    assert_int_equal(after.ledger_errors - before.ledger_errors, all);
    assert_int_equal(after.connections, before.connections);
}

/* A bound belongs to its bucket (le: less or equal). */
static const struct bucket_row {
    const char *name;
    gint64 microseconds;
    guint bucket;
} bucket_rows[] = {
    {"0 us", 0, 0},
    {"100 us", 100, 0},
    {"101 us", 101, 1},
    {"1 s", 1000000, 11},
    {"20 s", 20000000, METRICS_CHECK_BOUNDS - 1},
    {"more than the last bound", 20000001, METRICS_CHECK_BOUNDS},
};

static void test_bucket(void **state)
{
    const struct bucket_row *row = *state;
    MetricsSnapshot before;
    MetricsSnapshot after;

    metrics_take(&before);
    metrics_count_check(row->microseconds);
    metrics_take(&after);
    for (guint i = 0; i <= METRICS_CHECK_BOUNDS; i++)
        assert_int_equal(after.checks[i] - before.checks[i], i == row->bucket ? 1 : 0);
}

/* The text that the format shows is the bound that is counted by, and they ascend. */
static void test_bounds(void **state G_GNUC_UNUSED)
{
    for (guint i = 0; i < METRICS_CHECK_BOUNDS; i++) {
        const MetricsBound *bound = &metrics_check_bounds[i];
        double seconds = g_ascii_strtod(bound->seconds, NULL);

        assert_int_equal((gint64)(seconds * 1e6 + 0.5), bound->microseconds);
        assert_true(i == 0 || bound->microseconds > bound[-1].microseconds);
    }
}

static void test_fallback(void **state G_GNUC_UNUSED)
{
    MetricsSnapshot snapshot;

    assert_int_equal(metrics_fallback(), METRICS_FALLBACK_UNKNOWN);
    metrics_set_fallback(METRICS_FALLBACK_AUTHORISED);
    metrics_take(&snapshot);
    assert_int_equal(snapshot.fallback, METRICS_FALLBACK_AUTHORISED);
    assert_false(snapshot.is_in_force);
}

static const MetricsSnapshot whole = {
    .messages = {1, 2, 3, 4, 5, 6, 7, G_MAXUINT64, 41, 42},
    .consents = 46,
    .returned = {43, 44, 45},
    .checks = {[0] = 4, [2] = 3, [METRICS_CHECK_BOUNDS] = 2},
    .check_microseconds = 61000042,
    .ledger_errors = 8,
    .log_lines_lost = 23,
    .connections = 9,
    .fallback = METRICS_FALLBACK_AUTHORISED,
    .returns_found = 26,
    .returns_unknown = 27,
    .returns_trouble = 28,
    .return_addresses = 29,
    .watch = {.ended = 1800000000999999,
              .authorised = 30,
              .unauthorised = 31,
              .unknown = 32,
              .endangered = 33,
              .own_unauthorised = 34,
              .broken = 35},
    .is_in_force = true,
    .is_relay_set_complete = true,
    .mode = MODE_LOG_ONLY,
    .verdicts = {.hits = 10,
                 .misses = 11,
                 .waits = 12,
                 .stales = 13,
                 .results = {14, 15, 16, 17, 18, 19, 20},
                 .queries = {21, 22, 23, 24},
                 .entries = 25},
};

static const MetricsSnapshot ending = {.fallback = METRICS_FALLBACK_UNAUTHORISED};
static const MetricsSnapshot starting = {.is_in_force = true, .mode = MODE_REWRITE};

/* Lines that stand in the text of a snapshot, one after the other, or not at all. */
static const struct line_row {
    const char *name;
    const MetricsSnapshot *snapshot;
    MetricsFormat format;
    const char *lines;
    bool is_absent;
} line_rows[] = {
    {"counter", &whole, METRICS_OPENMETRICS,
     "# TYPE spfrom_messages counter\n"
     "# HELP spfrom_messages Messages that got their answer, by what became of them.\n"
     "spfrom_messages_total{action=\"keep\"} 1\n"
     "spfrom_messages_total{action=\"rewrite\"} 2\n"
     "spfrom_messages_total{action=\"would-rewrite\"} 3\n"
     "spfrom_messages_total{action=\"tempfail\"} 4\n"
     "spfrom_messages_total{action=\"would-tempfail\"} 5\n"
     "spfrom_messages_total{action=\"error\"} 6\n"
     "spfrom_messages_total{action=\"inbound\"} 7\n"
     "spfrom_messages_total{action=\"local\"} 18446744073709551615\n"
     "spfrom_messages_total{action=\"reject\"} 41\n"
     "spfrom_messages_total{action=\"would-reject\"} 42\n#",
     false},
    {"kept by DKIM", &whole, METRICS_OPENMETRICS, "# TYPE spfrom_dkim_consents counter\n", false},
    {"kept by DKIM: the number", &whole, METRICS_OPENMETRICS, "\nspfrom_dkim_consents_total 46\n#",
     false},
    {"returned", &whole, METRICS_OPENMETRICS,
     "spfrom_returned_total{kind=\"bounce\"} 43\nspfrom_returned_total{kind=\"auto-reply\"} 44\n"
     "spfrom_returned_total{kind=\"reply\"} 45\n#",
     false},
    {"counter as Prometheus has it", &whole, METRICS_PROMETHEUS,
     "# TYPE spfrom_messages_total counter\nspfrom_messages_total{action=\"keep\"} 1\n", false},
    {"buckets add up", &whole, METRICS_OPENMETRICS,
     "spfrom_check_seconds_bucket{le=\"0.0001\"} 4\n"
     "spfrom_check_seconds_bucket{le=\"0.0005\"} 4\n"
     "spfrom_check_seconds_bucket{le=\"0.001\"} 7\n",
     false},
    {"end of the histogram", &whole, METRICS_OPENMETRICS,
     "spfrom_check_seconds_bucket{le=\"20.0\"} 7\n"
     "spfrom_check_seconds_bucket{le=\"+Inf\"} 9\n"
     "spfrom_check_seconds_sum 61.000042\n"
     "spfrom_check_seconds_count 9\n",
     false},
    {"unit", &whole, METRICS_OPENMETRICS, "# UNIT spfrom_check_seconds seconds\n", false},
    {"no unit for Prometheus", &whole, METRICS_PROMETHEUS, "# UNIT", true},
    {"verdicts", &whole, METRICS_OPENMETRICS,
     "spfrom_verdicts_total{result=\"none\"} 14\n"
     "spfrom_verdicts_total{result=\"neutral\"} 15\n"
     "spfrom_verdicts_total{result=\"pass\"} 16\n",
     false},
    {"cache", &whole, METRICS_OPENMETRICS,
     "spfrom_cache_lookups_total{outcome=\"hit\"} 10\n"
     "spfrom_cache_lookups_total{outcome=\"miss\"} 11\n"
     "spfrom_cache_lookups_total{outcome=\"stale\"} 13\n"
     "spfrom_cache_lookups_total{outcome=\"wait\"} 12\n",
     false},
    {"cache entries", &whole, METRICS_OPENMETRICS, "\nspfrom_cache_entries 25\n", false},
    {"DNS", &whole, METRICS_OPENMETRICS,
     "spfrom_dns_queries_total{outcome=\"found\"} 21\n"
     "spfrom_dns_queries_total{outcome=\"no-data\"} 22\n"
     "spfrom_dns_queries_total{outcome=\"no-name\"} 23\n"
     "spfrom_dns_queries_total{outcome=\"trouble\"} 24\n",
     false},
    {"mode", &whole, METRICS_OPENMETRICS,
     "spfrom_mode{mode=\"rewrite\"} 0\n"
     "spfrom_mode{mode=\"log-only\"} 1\n"
     "spfrom_mode{mode=\"off\"} 0\n",
     false},
    {"relay set", &whole, METRICS_OPENMETRICS,
     "# TYPE spfrom_relay_set_complete gauge\n"
     "# HELP spfrom_relay_set_complete Whether all places are known from which mail leaves.\n"
     "spfrom_relay_set_complete 1\n",
     false},
    {"relay set of a daemon that ends", &ending, METRICS_OPENMETRICS, "spfrom_relay_set", true},
    {"fallback", &whole, METRICS_OPENMETRICS, "\nspfrom_fallback_authorised 1\n", false},
    {"fallback not authorised", &ending, METRICS_OPENMETRICS, "\nspfrom_fallback_authorised 0\n",
     false},
    {"fallback not known", &starting, METRICS_OPENMETRICS, "spfrom_fallback_authorised", true},
    {"mode of a daemon that ends", &ending, METRICS_OPENMETRICS, "spfrom_mode", true},
    {"cache of a daemon that ends", &ending, METRICS_OPENMETRICS, "spfrom_cache", true},
    {"returns", &whole, METRICS_OPENMETRICS,
     "# TYPE spfrom_return_lookups counter\n"
     "# HELP spfrom_return_lookups Questions of the MTA at return_socket, by outcome.\n"
     "spfrom_return_lookups_total{outcome=\"found\"} 26\n"
     "spfrom_return_lookups_total{outcome=\"unknown\"} 27\n"
     "spfrom_return_lookups_total{outcome=\"trouble\"} 28\n",
     false},
    {"return addresses", &whole, METRICS_OPENMETRICS, "\nspfrom_return_addresses 29\n", false},
    {"watch", &whole, METRICS_OPENMETRICS,
     "spfrom_watch_domains{state=\"authorised\"} 30\n"
     "spfrom_watch_domains{state=\"unauthorised\"} 31\n"
     "spfrom_watch_domains{state=\"unknown\"} 32\n",
     false},
    {"broken lately", &whole, METRICS_OPENMETRICS, "\nspfrom_watch_broken 35\n", false},
    {"endangered", &whole, METRICS_OPENMETRICS, "\nspfrom_watch_endangered 33\n", false},
    {"own domains", &whole, METRICS_OPENMETRICS, "\nspfrom_watch_own_unauthorised 34\n", false},
    {"end of a watch", &whole, METRICS_OPENMETRICS, "\nspfrom_watch_end_time_seconds 1800000000\n",
     false},
    {"no watch", &starting, METRICS_OPENMETRICS, "spfrom_watch", true},
    {"rest", &whole, METRICS_OPENMETRICS, "\nspfrom_connections 9\n", false},
    {"ledger", &whole, METRICS_OPENMETRICS, "\nspfrom_ledger_errors_total 8\n", false},
    {"log", &whole, METRICS_OPENMETRICS, "\nspfrom_log_lines_lost_total 23\n", false},
    {"build", &whole, METRICS_OPENMETRICS,
     "# TYPE spfrom_build info\n"
     "# HELP spfrom_build The version that runs.\n"
     "spfrom_build_info{version=\"" PACKAGE_VERSION "\"} 1\n"
     "# EOF\n",
     false},
    {"build as Prometheus has it", &whole, METRICS_PROMETHEUS,
     "# TYPE spfrom_build_info gauge\nspfrom_build_info{version=\"" PACKAGE_VERSION "\"} 1\n",
     false},
    {"Prometheus has no end", &whole, METRICS_PROMETHEUS, "EOF", true},
};

static void test_lines(void **state)
{
    const struct line_row *row = *state;
    g_autofree char *text = metrics_text(row->snapshot, row->format);

    if ((strstr(text, row->lines) == NULL) != row->is_absent)
        fail_msg("%s\nis%s in\n%s", row->lines, row->is_absent ? "" : " not", text);
}

/*
 * The grammar of OpenMetrics 1.0 (section "ABNF"), as much as such a text can use: families of
 * metadata and samples, each one together, and the end.
 */
static const char grammar[] = "\\A(?:# TYPE (?<name>[a-z_]+) (?:counter|gauge|histogram|info)\\n"
                              "# HELP \\g{name} [^\\n\\\\\"]+\\n"
                              "(?:# UNIT \\g{name} [a-z]+\\n)?"
                              "(?:\\g{name}(?:_total|_bucket|_sum|_count|_info)?"
                              "(?:\\{[a-z_]+=\"[^\"\\\\\\n]*\"\\})? [0-9]+(?:\\.[0-9]+)?\\n)+)+"
                              "# EOF\\n\\z";

static const struct grammar_row {
    const char *name;
    const MetricsSnapshot *snapshot;
} grammar_rows[] = {
    {"grammar", &whole},
    {"grammar at the start", &starting},
    {"grammar at the end", &ending},
};

static void test_grammar(void **state)
{
    const struct grammar_row *row = *state;
    g_autofree char *text = metrics_text(row->snapshot, METRICS_OPENMETRICS);

    if (!g_regex_match_simple(grammar, text, 0, 0))
        fail_msg("not OpenMetrics:\n%s", text);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "exact from many threads", test_concurrent, NULL);
    TABLE_ADD(tests, bucket_rows, test_bucket);
    table_add(tests, "bounds as numbers and as text", test_bounds, NULL);
    table_add(tests, "fallback", test_fallback, NULL);
    TABLE_ADD(tests, line_rows, test_lines);
    TABLE_ADD(tests, grammar_rows, test_grammar);
    return table_run(tests, "metrics_test");
}
