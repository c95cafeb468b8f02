#include "config.h"

#include "returns/return_share.h"

#include "base/log.h"
#include "returns/return_rows.h"

#include "unit/fleet/memory_store.h"
#include "unit/folder.h"
#include "unit/table.h"

#define TOKENS 8000
#define TOKEN "aaaaaaaaaaaaaaaa"
#define SLOW 3000  /* microseconds: a piece of rows takes a third of the second that it may take */
#define END_MAX 12 /* seconds; all of them would take twice as long */
#define PATIENCE 60

typedef struct {
    char *folder;
    char *file;
    MemoryStore *store;
    ReturnShare *share;
} Fixture;

static int setup(void **state)
{
    static const guint8 key[RETURN_KEY_LENGTH];
    Fixture *fixture = g_new0(Fixture, 1);
    ReturnRows *rows;

    fixture->folder = g_dir_make_tmp("spfrom-share-XXXXXX", NULL);
    fixture->file = g_build_filename(fixture->folder, "return.db", NULL);
    rows = return_rows_open(fixture->file, false, NULL);
    assert_non_null(rows);
    return_rows_close(rows);
    fixture->store = memory_store_new();
    fixture->share = return_share_start(&(ReturnShareOptions){.take_fleet = memory_store_fleet,
                                                              .host = "relay.example.org",
                                                              .file = fixture->file,
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
    g_free(fixture->file);
    g_free(fixture);
    return 0;
}

static void wait_until_told(ReturnShare *share)
{
    Deadline deadline = deadline_in(PATIENCE);

    while (return_share_is_unsent(share) && !deadline_is_over(deadline))
        g_usleep(1000);
    assert_false(return_share_is_unsent(share));
}

static void write_row(const char *file)
{
    g_autoptr(GPtrArray) written = g_ptr_array_new();
    g_autoptr(ReturnRows) rows = return_rows_open(file, false, NULL);
    ReturnRow row = {.token = TOKEN, .address = (char *)"anna@example.de", .day = 20000};
    guint added = 0;

    assert_non_null(rows);
    g_ptr_array_add(written, &row);
    assert_true(return_rows_write(rows, written, &added, NULL));
}

/* Who sees that a host lacks nothing in the store may take the host away. */
static void test_unsent_until_told(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *row = NULL;

    wait_until_told(fixture->share);
    write_row(fixture->file);
    memory_store_slow_down(fixture->store, SLOW);
    return_share_set_days(fixture->share, 300); /* all rows are told anew */
    wait_until_told(fixture->share);
    row = memory_store_get(fixture->store, "spfrom:return:" TOKEN, NULL);
    assert_non_null(row);
    return_share_stop(fixture->share);
}

/* What waits is told as long as there is time, and the rest by the next run. */
static void test_end_while_slow(void **state)
{
    Fixture *fixture = *state;
    gint64 begin;

    wait_until_told(fixture->share);
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
        cmocka_unit_test_setup_teardown(test_unsent_until_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_while_slow, setup, teardown),
    };

    log_open("return_share_test", LOG_TARGET_STDERR, LOG_ERR);
    return cmocka_run_group_tests_name("return_share_test", tests, NULL, NULL);
}
