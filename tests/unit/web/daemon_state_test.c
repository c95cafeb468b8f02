#include "config.h"

#include "web/daemon_state.h"

#include "base/clock.h"

#include "unit/table.h"

static const struct state_row {
    const char *name; /* what the daemon answers */
    const char *mode; /* NULL: not known */
    gint64 since;
} state_rows[] = {
    {"{\"mode\":\"rewrite\",\"mode_since\":\"1970-01-01T00:00:07Z\"}", "rewrite", 7 * CLOCK_SECOND},
    {"{}", NULL, 0},
    {"{\"mode\":7,\"mode_since\":\"yesterday\",\"relay_set\":[],\"fallback\":null}", NULL, 0},
};

static void test_daemon_state(void **state)
{
    const struct state_row *row = *state;
    json_t *status = json_loads(row->name, 0, NULL);
    g_autoptr(DaemonState) daemon = daemon_state_parse(status);

    json_decref(status);
    assert_null(daemon->problem);
    assert_int_equal(g_strcmp0(daemon->mode, row->mode), 0);
    assert_int_equal(daemon->mode_since, row->since);
    assert_false(daemon->has_fallback_verdict);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, state_rows, test_daemon_state);
    return table_run(tests, "daemon_state");
}
