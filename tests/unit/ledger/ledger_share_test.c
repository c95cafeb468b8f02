#include "config.h"

#include "ledger/ledger_share.h"

#include "base/clock.h"
#include "base/log.h"

#include "unit/fleet/memory_store.h"
#include "unit/ledger/ledger_fixture.h"
#include "unit/table.h"

#define PATIENCE 60 /* seconds */
#define LIST "spfrom:ledgers"

static void wait_for(MemoryStore *store, const char *key, const char *field, bool is_wanted)
{
    Deadline deadline = deadline_in(PATIENCE);
    bool is = !is_wanted;

    while (is != is_wanted && !deadline_is_over(deadline)) {
        g_autofree char *value = memory_store_get(store, key, field);

        is = value != NULL;
        if (is != is_wanted)
            g_usleep(1000);
    }
    if (is != is_wanted)
        fail_msg("%s %s %s", key, field, is ? "is there" : "is missing");
}

/* The list loses the ledgers that have no rows any more, and no other. */
static void test_sweep(void **state)
{
    LedgerFixture *fixture = *state;
    guint32 today = ledger_day_of(clock_wall(&clock_system));
    Ledger *ledger = ledger_open(fixture->file, NULL);
    MemoryStore *store = memory_store_new();
    LedgerShare *share = ledger_share_start(memory_store_fleet);
    g_autofree char *id = NULL;
    g_autofree char *own = NULL;
    g_autofree char *day = g_strdup_printf("%u", today);

    assert_non_null(ledger);
    assert_non_null(share);
    id = ledger_id(ledger, NULL);
    own = g_strconcat("spfrom:ledger:", id, NULL);
    ledger_fixture_write(ledger, "a.example", today, SPF_PASS, MESSAGE_ACTION_KEEP, 3, 0, 0);
    ledger_close(ledger);
    memory_store_put(store, LIST, "00000000000000aa", "1");
    memory_store_put(store, LIST, "00000000000000bb", "1");
    memory_store_put(store, LIST, "no ledger %s", "x");
    memory_store_put(store, "spfrom:ledger:00000000000000bb", "20000", "5");
    ledger_share_set_file(share, fixture->file, 400);
    wait_for(store, LIST, "00000000000000aa", false);
    wait_for(store, LIST, "no ledger %s", false);
    wait_for(store, LIST, "00000000000000bb", true);
    wait_for(store, LIST, id, true);
    wait_for(store, own, day, true);
    assert_false(ledger_share_stop(share));
    memory_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sweep, ledger_fixture_setup, ledger_fixture_teardown),
    };

    log_open("ledger_share_test", LOG_TARGET_STDERR, LOG_ERR);
    return cmocka_run_group_tests_name("ledger_share_test", tests, NULL, NULL);
}
