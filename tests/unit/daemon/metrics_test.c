#include "config.h"

#include "daemon/metrics.h"

#include <pthread.h>

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

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "exact from many threads", test_concurrent, NULL);
    TABLE_ADD(tests, bucket_rows, test_bucket);
    table_add(tests, "bounds as numbers and as text", test_bounds, NULL);
    table_add(tests, "fallback", test_fallback, NULL);
    return table_run(tests, "metrics_test");
}
