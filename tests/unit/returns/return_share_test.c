#include "config.h"

#include "returns/return_share.h"

#include "base/log.h"
#include "returns/return_rows.h"

#include "unit/fleet/memory_store.h"
#include "unit/folder.h"
#include "unit/table.h"

#define TOKENS 8000
#define SLOW 3000  /* microseconds: a piece of rows takes a third of the second that it may take */
#define END_MAX 12 /* seconds; all of them would take twice as long */
#define PATIENCE 60

typedef struct {
    char *folder;
    MemoryStore *store;
    ReturnShare *share;
} Fixture;

static int setup(void **state)
{
    static const guint8 key[RETURN_KEY_LENGTH];
    Fixture *fixture = g_new0(Fixture, 1);
    g_autofree char *file = NULL;
    ReturnRows *rows;

    fixture->folder = g_dir_make_tmp("spfrom-share-XXXXXX", NULL);
    file = g_build_filename(fixture->folder, "return.db", NULL);
    rows = return_rows_open(file, false, NULL);
    assert_non_null(rows);
    return_rows_close(rows);
    fixture->store = memory_store_new();
    fixture->share = return_share_start(&(ReturnShareOptions){.take_fleet = memory_store_fleet,
                                                              .host = "relay.example.org",
                                                              .file = file,
                                                              .days = 400,
                                                              .key = key,
                                                              .clock = &clock_system});
    assert_non_null(fixture->share);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;

    return_share_free(fixture->share);
    memory_store_free(fixture->store);
    folder_remove(fixture->folder);
    g_free(fixture);
    return 0;
}

/* What waits is told as long as there is time, and the rest by the next run. */
static void test_end_while_slow(void **state)
{
    Fixture *fixture = *state;
    Deadline deadline = deadline_in(PATIENCE);
    gint64 begin;

    while (return_share_is_unsent(fixture->share) && !deadline_is_over(deadline))
        g_usleep(1000);
    assert_false(return_share_is_unsent(fixture->share));
    memory_store_slow_down(fixture->store, SLOW);
    for (guint i = 0; i < TOKENS; i++) {
        char token[RETURN_TOKEN_LENGTH + 1];

        g_snprintf(token, sizeof token, "a%015u", i);
        return_share_note(fixture->share, token);
    }
    begin = clock_monotonic(&clock_system);
    return_share_stop(fixture->share);
    assert_true(clock_monotonic(&clock_system) - begin < END_MAX * CLOCK_SECOND);
    assert_true(return_share_is_unsent(fixture->share));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_end_while_slow, setup, teardown),
    };

    log_open("return_share_test", LOG_TARGET_STDERR, LOG_ERR);
    return cmocka_run_group_tests_name("return_share_test", tests, NULL, NULL);
}
