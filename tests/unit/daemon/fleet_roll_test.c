#include "config.h"

#include "daemon/fleet_roll.h"

#include <string.h>

#include "base/clock.h"

#include "unit/table.h"

#define NOW (1700000000 * CLOCK_SECOND)
#define TICKS (5000 * CLOCK_SECOND) /* the monotonic clock then */

static FleetHost *host_new(const char *name, gint64 seen, const char *relays, const char *value)
{
    FleetHost *host = g_new0(FleetHost, 1);

    host->host = g_strdup(name);
    host->seen = seen;
    host->relays = g_strdup(relays);
    host->return_key = g_strdup("");
    host->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (value != NULL)
        g_hash_table_insert(host->keys, g_strdup("reply_to"), g_strdup(value));
    return host;
}

static void free_host(gpointer host)
{
    fleet_host_free(host);
}

/* Hosts a, b, c … with these values of reply_to, an octet each; "-": it is not told. */
static FleetRoll *roll_of(const char *values)
{
    FleetRoll *roll = fleet_roll_new();
    GPtrArray *hosts = g_ptr_array_new_with_free_func(free_host);

    for (guint i = 0; values[i] != '\0'; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        const char value[] = {values[i], '\0'};

        g_ptr_array_add(hosts, host_new(name, NOW, "r", values[i] != '-' ? value : NULL));
    }
    fleet_roll_take(roll, hosts, NOW, TICKS);
    return roll;
}

static const struct row {
    const char *name; /* the values */
    const char *differing;
} rows[] = {
    {"1", ""},   {"11", ""},    {"12", "ab"},     {"112", "c"},    {"121", "b"}, {"123", "abc"},
    {"1-1", ""}, {"-12", "bc"}, {"1122", "abcd"}, {"11122", "de"}, {"---", ""},
};

static void test_differs(void **state)
{
    const struct row *row = *state;
    g_autoptr(FleetRoll) roll = roll_of(row->name);
    g_autoptr(GPtrArray) found = fleet_roll_rows(roll, TICKS);
    g_autoptr(GString) differing = g_string_new(NULL);

    for (guint i = 0; i < found->len; i++) {
        const FleetRollRow *one = g_ptr_array_index(found, i);

        if (one->differs->len == 0)
            continue;
        g_string_append(differing, one->host->host);
        assert_int_equal(one->differs->len, 1);
        assert_string_equal(g_ptr_array_index(one->differs, 0), "reply_to");
    }
    assert_string_equal(differing->str, row->differing);
}

/* A sign that does not change gets older by this host's clock, whatever the other's says. */
static void test_seen(void **state G_GNUC_UNUSED)
{
    static const gint64 clocks[] = {NOW, NOW + 600 * CLOCK_SECOND, NOW - 600 * CLOCK_SECOND};

    for (size_t i = 0; i < G_N_ELEMENTS(clocks); i++) {
        g_autoptr(FleetRoll) roll = fleet_roll_new();

        for (gint64 second = 0; second < 200; second += 5) {
            GPtrArray *hosts = g_ptr_array_new_with_free_func(free_host);
            gint64 written = MIN(second, 100); /* then it is gone */
            g_autoptr(GPtrArray) found = NULL;
            const FleetRollRow *row;

            g_ptr_array_add(hosts, host_new("a", clocks[i] + written * CLOCK_SECOND, "r", NULL));
            fleet_roll_take(roll, hosts, NOW + second * CLOCK_SECOND,
                            TICKS + second * CLOCK_SECOND);
            found = fleet_roll_rows(roll, TICKS + second * CLOCK_SECOND);
            row = g_ptr_array_index(found, 0);
            if (second > 0) /* at first its own clock is all there is */
                assert_int_equal(row->age, (second - written) * CLOCK_SECOND);
            if (second > 0)
                assert_int_equal(row->is_seen, second - written < 60);
        }
    }
}

/* One that stopped or is gone is not compared. */
static void test_absent(void **state G_GNUC_UNUSED)
{
    g_autoptr(FleetRoll) roll = fleet_roll_new();
    GPtrArray *hosts = g_ptr_array_new_with_free_func(free_host);
    FleetHost *stopped = host_new("c", NOW, "other", NULL);
    g_autoptr(GPtrArray) found = NULL;

    stopped->is_stopped = true;
    g_ptr_array_add(hosts, host_new("a", NOW, "r", NULL));
    g_ptr_array_add(hosts, host_new("b", NOW - 61 * CLOCK_SECOND, "other", NULL));
    g_ptr_array_add(hosts, stopped);
    fleet_roll_take(roll, hosts, NOW, TICKS);
    found = fleet_roll_rows(roll, TICKS);
    for (guint i = 0; i < 3; i++)
        assert_int_equal(((const FleetRollRow *)g_ptr_array_index(found, i))->differs->len, 0);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_differs);
    table_add(tests, "when a host was seen", test_seen, NULL);
    table_add(tests, "hosts that are not there", test_absent, NULL);
    return table_run(tests, "fleet_roll");
}
