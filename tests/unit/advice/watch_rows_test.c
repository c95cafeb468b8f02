#include "config.h"

#include "advice/watch_rows.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "policy/verdict.h"
#include "unit/folder.h"
#include "unit/table.h"

#define NOW (1796000000 * CLOCK_SECOND)
#define HOUR (3600 * CLOCK_SECOND)

typedef struct {
    char *folder, *ledger, *file;
    WatchRows *rows;
} Files;

static int set_up(void **state)
{
    Files *files = g_new0(Files, 1);
    g_autoptr(GError) error = NULL;

    files->folder = g_dir_make_tmp("spfrom-watch-XXXXXX", NULL);
    files->ledger = g_build_filename(files->folder, "ledger.db", NULL);
    files->file = watch_rows_file(files->ledger);
    files->rows = watch_rows_open(files->file, files->ledger, &error);
    assert_null(error);
    *state = files;
    return 0;
}

static int tear_down(void **state)
{
    Files *files = *state;

    g_clear_pointer(&files->rows, watch_rows_close);
    folder_remove(files->folder);
    g_free(files->ledger);
    g_free(files->file);
    g_free(files);
    return 0;
}

/* As if the process had ended. */
static void open_again(Files *files)
{
    watch_rows_close(files->rows);
    files->rows = watch_rows_open(files->file, files->ledger, NULL);
    assert_non_null(files->rows);
}

static gint64 begin(Files *files, gint64 now)
{
    gint64 run = 0;

    assert_true(watch_rows_begin(files->rows, now, &run, NULL));
    assert_true(run > 0);
    return run;
}

/* What was found at domain by run, with one change of kind; -1: none. */
static void put(Files *files, const char *domain, gint64 run, guint dangers, int kind, gint64 now)
{
    WatchState state = {.is_authorised = dangers != 0,
                        .result = dangers != 0 ? SPF_PASS : SPF_FAIL,
                        .record = (char *)"v=spf1 -all",
                        .mechanism = (char *)"-all",
                        .dangers = dangers,
                        .lookups = 9,
                        .octets = 460,
                        .include = (char *)"include:gone.example",
                        .run = run};
    g_autoptr(GPtrArray) changes = watch_changes_new();
    g_autoptr(GError) error = NULL;

    if (kind >= 0) {
        WatchChange *change = g_new0(WatchChange, 1);

        change->found = now;
        change->domain = g_strdup(domain);
        change->kind = (WatchKind)kind;
        change->result = SPF_FAIL;
        change->before = g_strdup("v=spf1 +all");
        change->term = g_strdup("-all");
        g_ptr_array_add(changes, change);
    }
    watch_rows_put(files->rows, domain, &state, changes, NULL, &error);
    assert_null(error);
}

static void end(Files *files, gint64 run, const GPtrArray *told, gint64 now, gint64 oldest)
{
    const WatchSummary summary = {.ended = now,
                                  .authorised = 5,
                                  .unauthorised = 4,
                                  .unknown = 3,
                                  .endangered = 2,
                                  .own_unauthorised = 1};
    g_autoptr(GError) error = NULL;

    watch_rows_end(files->rows, run, told, &summary, oldest, &error);
    assert_null(error);
}

/* The domains of changes, with a blank after each; changes are freed. */
static void check_names(GPtrArray *changes, const char *wanted)
{
    g_autoptr(GString) names = g_string_new(NULL);

    assert_non_null(changes);
    for (guint i = 0; i < changes->len; i++) {
        const WatchChange *change = g_ptr_array_index(changes, i);

        g_string_append_printf(names, "%s ", change->domain);
    }
    g_ptr_array_unref(changes);
    assert_string_equal(names->str, wanted);
}

static void test_a_state_is_kept(void **state)
{
    Files *files = *state;
    g_auto(WatchState) found = {0};
    bool is_known = true;
    struct stat status;

    assert_true(watch_rows_get(files->rows, "a.example", &found, &is_known, NULL));
    assert_false(is_known);
    put(files, "a.example", 7, WATCH_DANGER_OCTETS, -1, NOW);
    open_again(files);
    assert_true(watch_rows_get(files->rows, "a.example", &found, &is_known, NULL));
    assert_true(is_known && found.is_authorised);
    assert_int_equal(found.result, SPF_PASS);
    assert_string_equal(found.record, "v=spf1 -all");
    assert_string_equal(found.mechanism, "-all");
    assert_string_equal(found.include, "include:gone.example");
    assert_int_equal(found.dangers, WATCH_DANGER_OCTETS);
    assert_int_equal(found.lookups, 9);
    assert_int_equal(found.octets, 460);
    assert_int_equal(found.run, 7);
    assert_int_equal(stat(files->file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void test_runs_go_on_within_a_day(void **state)
{
    Files *files = *state;
    gint64 first = begin(files, NOW), second, third;
    g_autoptr(GPtrArray) none = watch_changes_new();

    open_again(files);
    assert_int_equal(begin(files, NOW + 23 * HOUR), first);
    second = begin(files, NOW + 24 * HOUR);
    assert_true(second > first);
    assert_true(begin(files, NOW - HOUR) > second); /* the clock went back */
    third = begin(files, NOW);
    end(files, third, none, NOW, 0);
    assert_true(begin(files, NOW + HOUR) > third);
}

static void test_changes_are_told_once(void **state)
{
    Files *files = *state;
    gint64 run = begin(files, NOW);
    g_autoptr(GPtrArray) told = NULL;
    const WatchChange *change;

    put(files, "z.example", run, 0, WATCH_BROKEN, NOW);
    put(files, "b.example", run, 0, WATCH_AUTHORISED, NOW + 1);
    put(files, "own.example", run, 0, WATCH_OWN, NOW + 2);
    put(files, "quiet.example", run, 0, -1, NOW + 3);
    open_again(files); /* an interrupted run */
    put(files, "a.example", run, 0, WATCH_BROKEN, NOW + 4);
    told = watch_rows_untold(files->rows, NULL);
    change = g_ptr_array_index(told, 0);
    assert_string_equal(change->before, "v=spf1 +all");
    assert_string_equal(change->term, "-all");
    assert_null(change->after);
    check_names(watch_rows_untold(files->rows, NULL), "own.example a.example z.example b.example ");
    put(files, "late.example", run, 0, WATCH_BROKEN, NOW + 5); /* not among those told */
    end(files, run, told, NOW + HOUR, 0);
    check_names(watch_rows_untold(files->rows, NULL), "late.example ");
    check_names(watch_rows_latest(files->rows, NOW + 1, 3, NULL),
                "late.example a.example own.example ");
}

static void test_dangers_of_a_run(void **state)
{
    Files *files = *state;
    gint64 old = begin(files, NOW), run = old + 1;
    g_autoptr(GPtrArray) found = NULL;
    const WatchChange *change;

    put(files, "old.example", old, WATCH_DANGER_LOOKUPS, -1, NOW);
    put(files, "b.example", run, WATCH_DANGER_LOOKUPS | WATCH_DANGER_INCLUDE, -1, NOW);
    put(files, "a.example", run, WATCH_DANGER_OCTETS, -1, NOW);
    put(files, "well.example", run, 0, -1, NOW);
    check_names(watch_rows_endangered(files->rows, run, NOW, NULL),
                "a.example b.example b.example ");
    found = watch_rows_endangered(files->rows, run, NOW, NULL);
    change = g_ptr_array_index(found, 0);
    assert_int_equal(change->number, 460);
    change = g_ptr_array_index(found, 2);
    assert_int_equal(change->danger, WATCH_DANGER_INCLUDE);
    assert_string_equal(change->term, "include:gone.example");
}

/* A run that looked at all, and told nothing, is not gone on with; what it found may be replaced. */
static void test_looked_and_not_told(void **state)
{
    Files *files = *state;
    g_autoptr(GPtrArray) untold = NULL;
    g_autoptr(GPtrArray) none = watch_changes_new();
    gint64 run = begin(files, NOW);
    WatchState found = {0};

    put(files, "a.example", run, 0, WATCH_BROKEN, NOW);
    put(files, "b.example", run, 0, WATCH_BROKEN, NOW);
    assert_int_equal(begin(files, NOW + HOUR), run);
    assert_true(watch_rows_looked(files->rows, run, NULL));
    assert_int_not_equal(begin(files, NOW + HOUR), run);
    untold = watch_rows_untold(files->rows, NULL);
    assert_int_equal(untold->len, 2);
    g_ptr_array_remove_index(untold, 1);
    assert_true(watch_rows_put(files->rows, "a.example", &found, none, untold, NULL));
    check_names(watch_rows_untold(files->rows, NULL), "b.example ");
}

static void test_what_is_old_goes(void **state)
{
    Files *files = *state;
    g_autoptr(GPtrArray) told = NULL;
    g_autoptr(GPtrArray) none = watch_changes_new();
    gint64 old = begin(files, NOW - 400 * 24 * HOUR), run;
    bool is_known;
    WatchState found;

    put(files, "old.example", old, 0, WATCH_BROKEN, NOW - 400 * 24 * HOUR);
    told = watch_rows_untold(files->rows, NULL);
    end(files, old, told, NOW - 400 * 24 * HOUR, 0);
    run = begin(files, NOW);
    put(files, "new.example", run, 0, WATCH_BROKEN, NOW);
    end(files, run, none, NOW, NOW - 300 * 24 * HOUR);
    check_names(watch_rows_latest(files->rows, 0, 10, NULL), "new.example ");
    assert_true(watch_rows_get(files->rows, "old.example", &found, &is_known, NULL));
    assert_false(is_known);
}

static void test_summary(void **state)
{
    Files *files = *state;
    gint64 run = begin(files, NOW);
    g_autoptr(GPtrArray) none = watch_changes_new();
    g_autoptr(WatchRows) reader = watch_rows_open_read_only(files->file, NULL);
    WatchSummary summary;

    assert_true(watch_rows_summary(reader, 0, &summary, NULL));
    assert_int_equal(summary.ended, 0);
    put(files, "a.example", run, 0, WATCH_BROKEN, NOW);
    put(files, "mended.example", run, 0, WATCH_BROKEN, NOW);
    put(files, "mended.example", run, WATCH_DANGER_OCTETS, WATCH_AUTHORISED, NOW);
    end(files, run, none, NOW + HOUR, 0);
    begin(files, NOW + 2 * HOUR); /* under way */
    assert_true(watch_rows_summary(reader, NOW, &summary, NULL));
    assert_int_equal(summary.ended, NOW + HOUR);
    assert_int_equal(summary.authorised, 5);
    assert_int_equal(summary.unauthorised, 4);
    assert_int_equal(summary.unknown, 3);
    assert_int_equal(summary.endangered, 2);
    assert_int_equal(summary.own_unauthorised, 1);
    assert_int_equal(summary.broken, 1);
    assert_true(watch_rows_summary(reader, NOW + 1, &summary, NULL));
    assert_int_equal(summary.broken, 0);
}

static void test_one_run_at_once(void **state)
{
    Files *files = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(WatchRows) reader = watch_rows_open_read_only(files->file, &error);
    g_autoptr(WatchRows) second = NULL;

    assert_non_null(reader);
    second = watch_rows_open(files->file, files->ledger, &error);
    assert_null(second);
    assert_true(g_error_matches(error, DATABASE_FAILURE, DATABASE_FAILURE_BUSY));
    assert_non_null(strstr(error->message, "under way"));
    g_clear_pointer(&files->rows, watch_rows_close);
    second = watch_rows_open(files->file, files->ledger, NULL);
    assert_non_null(second);
}

static void test_what_is_no_database(void **state)
{
    Files *files = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *none = g_build_filename(files->folder, "none", WATCH_ROWS_NAME, NULL);

    g_clear_pointer(&files->rows, watch_rows_close);
    assert_true(g_file_set_contents(files->file, "no database at all", -1, NULL));
    assert_null(watch_rows_open(files->file, files->ledger, &error));
    assert_non_null(strstr(error->message, "move it away"));
    g_clear_error(&error);
    assert_null(watch_rows_open(none, files->ledger, &error));
    assert_true(g_error_matches(error, DATABASE_FAILURE, DATABASE_FAILURE_SYSTEM));
    g_clear_error(&error);
    assert_null(watch_rows_open_read_only(none, &error));
    assert_true(g_error_matches(error, DATABASE_FAILURE, DATABASE_FAILURE_MISSING));
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILES(test_a_state_is_kept),
        WITH_FILES(test_runs_go_on_within_a_day),
        WITH_FILES(test_changes_are_told_once),
        WITH_FILES(test_dangers_of_a_run),
        WITH_FILES(test_looked_and_not_told),
        WITH_FILES(test_what_is_old_goes),
        WITH_FILES(test_summary),
        WITH_FILES(test_one_run_at_once),
        WITH_FILES(test_what_is_no_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
