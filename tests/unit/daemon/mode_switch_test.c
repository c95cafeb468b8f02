#include "config.h"

#include "daemon/mode_switch.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#include "unit/table.h"

#define START (G_GINT64_CONSTANT(1769904000) * CLOCK_SECOND) /* 2026-02-01T00:00:00Z */

typedef struct {
    gint64 monotonic, wall;
} Times;

static Times times;

static gint64 given_monotonic(void *hook)
{
    return ((const Times *)hook)->monotonic;
}

static gint64 given_wall(void *hook)
{
    return ((const Times *)hook)->wall;
}

static const Clock test_clock = {given_monotonic, given_wall, &times};

static char *directory;
static char *file;

static void pass(gint64 microseconds)
{
    times.monotonic += microseconds;
    times.wall += microseconds;
}

/* A restart: monotonic time may begin anew. */
static void start(Mode configured)
{
    times.monotonic = 1000;
    mode_switch_start(directory, configured, &test_clock);
}

static int set_up(void **state G_GNUC_UNUSED)
{
    directory = g_dir_make_tmp("spfrom-mode-XXXXXX", NULL);
    file = g_build_filename(directory, "mode.json", NULL);
    times.wall = START + 400000; /* not on a whole second */
    log_open("mode_switch_test", LOG_TARGET_STDERR, LOG_ERR);
    start(MODE_REWRITE);
    return 0;
}

static int tear_down(void **state G_GNUC_UNUSED)
{
    g_autofree char *here = g_build_filename(directory, "mode-here.json", NULL);

    g_unlink(file);
    g_unlink(here);
    g_rmdir(directory);
    g_clear_pointer(&file, g_free);
    g_clear_pointer(&directory, g_free);
    return 0;
}

static void assert_status(Mode mode, bool is_switch, gint64 since, gint64 until)
{
    ModeStatus status;
    ModeInForce in_force = mode_switch_in_force(MODE_REWRITE);

    mode_switch_get(&status);
    assert_int_equal(status.mode, mode);
    assert_int_equal(status.is_switch, is_switch);
    assert_int_equal(status.since, since);
    assert_int_equal(status.until, until);
    assert_int_equal(in_force.is_switch, is_switch);
    assert_int_equal(in_force.mode, is_switch ? mode : MODE_REWRITE);
}

static void set(Mode mode, gint64 seconds)
{
    ModeStatus status;

    mode_switch_set(mode, seconds, "test", &status);
    assert_int_equal(status.mode, mode);
    assert_true(status.is_switch);
}

static void save(void)
{
    g_autoptr(GError) error = NULL;

    assert_true(mode_switch_save(&error));
    assert_null(error);
}

static void test_configured(void **state G_GNUC_UNUSED)
{
    assert_status(MODE_REWRITE, false, START, 0);
    pass(CLOCK_SECOND);
    mode_switch_configure(MODE_REWRITE);
    assert_status(MODE_REWRITE, false, START, 0);
}

static void test_configured_anew(void **state G_GNUC_UNUSED)
{
    ModeStatus status;

    pass(2 * CLOCK_SECOND);
    mode_switch_configure(MODE_OFF);
    mode_switch_get(&status);
    assert_int_equal(status.mode, MODE_OFF);
    assert_false(status.is_switch);
    assert_int_equal(status.since, START + 2 * CLOCK_SECOND);
}

static void test_switched(void **state G_GNUC_UNUSED)
{
    pass(CLOCK_SECOND);
    set(MODE_OFF, 0);
    assert_status(MODE_OFF, true, START + CLOCK_SECOND, 0);
    mode_switch_configure(MODE_LOG_ONLY); /* a reload keeps the switch */
    assert_status(MODE_OFF, true, START + CLOCK_SECOND, 0);
    pass(1000 * 86400 * CLOCK_SECOND);
    mode_switch_tend();
    assert_status(MODE_OFF, true, START + CLOCK_SECOND, 0);
}

static void test_cleared(void **state G_GNUC_UNUSED)
{
    ModeStatus status;

    set(MODE_OFF, 0);
    save();
    pass(3 * CLOCK_SECOND);
    mode_switch_clear("test", &status);
    assert_int_equal(status.mode, MODE_REWRITE);
    assert_status(MODE_REWRITE, false, START + 3 * CLOCK_SECOND, 0);
    save();
    assert_int_equal(g_access(file, F_OK), -1);
    pass(CLOCK_SECOND);
    mode_switch_clear("test", &status); /* once more changes nothing */
    assert_status(MODE_REWRITE, false, START + 3 * CLOCK_SECOND, 0);
}

static void test_over(void **state G_GNUC_UNUSED)
{
    set(MODE_OFF, 10);
    assert_status(MODE_OFF, true, START, START + 11 * CLOCK_SECOND);
    assert_int_equal(mode_switch_tend(), 10 * CLOCK_SECOND);
    assert_int_equal(g_access(file, F_OK), 0);
    pass(10 * CLOCK_SECOND - 1);
    assert_status(MODE_OFF, true, START, START + 11 * CLOCK_SECOND);
    assert_int_equal(mode_switch_tend(), 1);
    pass(1);
    assert_status(MODE_REWRITE, false, START + 10 * CLOCK_SECOND, 0); /* before anybody tends it */
    mode_switch_tend();
    assert_int_equal(g_access(file, F_OK), -1);
    pass(CLOCK_SECOND);
    assert_status(MODE_REWRITE, false, START + 10 * CLOCK_SECOND, 0);
}

/* Wall time stood still: the switch lasts no longer than it was asked for. */
static void test_clock_set_back(void **state G_GNUC_UNUSED)
{
    set(MODE_OFF, 10);
    times.wall -= 3600 * CLOCK_SECOND;
    times.monotonic += 10 * CLOCK_SECOND;
    assert_false(mode_switch_in_force(MODE_REWRITE).is_switch);
}

/* Monotonic time stood still, as while a machine sleeps: not longer than what was shown. */
static void test_clock_set_forward(void **state G_GNUC_UNUSED)
{
    set(MODE_OFF, 10);
    times.wall += 11 * CLOCK_SECOND;
    assert_false(mode_switch_in_force(MODE_REWRITE).is_switch);
    assert_int_equal(mode_switch_tend(), 60 * CLOCK_SECOND);
}

static void test_replaced(void **state G_GNUC_UNUSED)
{
    set(MODE_OFF, 10);
    pass(5 * CLOCK_SECOND);
    set(MODE_LOG_ONLY, 0);
    pass(60 * CLOCK_SECOND);
    assert_status(MODE_LOG_ONLY, true, START + 5 * CLOCK_SECOND, 0);
}

static void test_restart(void **state G_GNUC_UNUSED)
{
    set(MODE_LOG_ONLY, 0);
    save();
    pass(3600 * CLOCK_SECOND);
    start(MODE_REWRITE);
    assert_status(MODE_LOG_ONLY, true, START, 0);
    start(MODE_OFF);
    assert_status(MODE_LOG_ONLY, true, START, 0);
}

static void test_restart_with_an_end(void **state G_GNUC_UNUSED)
{
    set(MODE_OFF, 100);
    save();
    pass(60 * CLOCK_SECOND);
    start(MODE_REWRITE);
    assert_status(MODE_OFF, true, START, START + 101 * CLOCK_SECOND);
    pass(40 * CLOCK_SECOND + 600000);
    assert_status(MODE_REWRITE, false, START + 101 * CLOCK_SECOND, 0);
}

static void test_over_while_down(void **state G_GNUC_UNUSED)
{
    set(MODE_OFF, 10);
    save();
    pass(3600 * CLOCK_SECOND);
    start(MODE_REWRITE);
    assert_status(MODE_REWRITE, false, START + 3600 * CLOCK_SECOND, 0);
    mode_switch_tend();
    assert_int_equal(g_access(file, F_OK), -1);
}

/* What a switch with an end interrupts counts again after it, since its end. */
static void test_interrupted(void **state G_GNUC_UNUSED)
{
    set(MODE_LOG_ONLY, 0);
    pass(CLOCK_SECOND);
    set(MODE_OFF, 10);
    pass(10 * CLOCK_SECOND);
    assert_status(MODE_LOG_ONLY, true, START + 11 * CLOCK_SECOND, 0); /* before anybody tends it */
    mode_switch_tend();
    pass(CLOCK_SECOND);
    assert_status(MODE_LOG_ONLY, true, START + 11 * CLOCK_SECOND, 0);
    start(MODE_REWRITE);
    assert_status(MODE_LOG_ONLY, true, START + 11 * CLOCK_SECOND, 0);
}

static void test_interrupted_twice(void **state G_GNUC_UNUSED)
{
    set(MODE_LOG_ONLY, 0);
    set(MODE_OFF, 10);
    set(MODE_REWRITE, 20);
    pass(20 * CLOCK_SECOND);
    assert_status(MODE_LOG_ONLY, true, START + 20 * CLOCK_SECOND, 0);
}

static void test_interrupted_and_cleared(void **state G_GNUC_UNUSED)
{
    ModeStatus status;

    set(MODE_LOG_ONLY, 0);
    set(MODE_OFF, 10);
    mode_switch_clear("test", &status);
    assert_status(MODE_REWRITE, false, START, 0);
    pass(20 * CLOCK_SECOND);
    assert_status(MODE_REWRITE, false, START, 0);
}

static void test_interrupted_over_restarts(void **state G_GNUC_UNUSED)
{
    set(MODE_LOG_ONLY, 0);
    set(MODE_OFF, 100);
    save();
    pass(60 * CLOCK_SECOND);
    start(MODE_REWRITE);
    assert_status(MODE_OFF, true, START, START + 101 * CLOCK_SECOND);
    pass(3600 * CLOCK_SECOND);
    start(MODE_REWRITE);
    assert_status(MODE_LOG_ONLY, true, START + 101 * CLOCK_SECOND, 0);
}

static const struct content_row {
    const char *name; /* what stands in the file */
    bool is_kept;
} content_rows[] = {
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":null}", true},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":\"2027-01-31T00:00:00Z\"}",
     true},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":null,\"more\":1}", true},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":\"2026-01-31T00:00:00Z\"}",
     false},
    {"", false},
    {"{", false},
    {"null", false},
    {"[]", false},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":null", false},
    {"{\"mode\":\"on\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":null}", false},
    {"{\"mode\":1,\"since\":\"2026-01-31T00:00:00Z\",\"until\":null}", false},
    {"{\"since\":\"2026-01-31T00:00:00Z\",\"until\":null}", false},
    {"{\"mode\":\"off\",\"since\":\"yesterday\",\"until\":null}", false},
    {"{\"mode\":\"off\",\"since\":null,\"until\":null}", false},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\"}", false},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":\"soon\"}", false},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":17}", false},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":\"9999-12-31T23:59:59-12:"
     "00\"}",
     false},
    {"{\"mode\":\"off\",\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":null}",
     false},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":\"2026-01-31T00:00:00Z\","
     "\"before\":\"log-only\"}",
     true},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":null,\"before\":null}", true},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":null,\"before\":\"on\"}",
     false},
    {"{\"mode\":\"off\",\"since\":\"2026-01-31T00:00:00Z\",\"until\":null,\"before\":1}", false},
    {"\xff\xfe\x01", false},
};

static void test_content(void **state)
{
    const struct content_row *row = *state;

    assert_int_equal(set_up(NULL), 0);
    assert_true(g_file_set_contents(file, row->name, -1, NULL));
    start(MODE_REWRITE);
    assert_int_equal(mode_switch_in_force(MODE_REWRITE).is_switch, row->is_kept);
    set(MODE_LOG_ONLY, 0); /* what was wrong is replaced */
    save();
    start(MODE_REWRITE);
    assert_int_equal(mode_switch_in_force(MODE_REWRITE).mode, MODE_LOG_ONLY);
    tear_down(NULL);
}

static void test_long_file(void **state G_GNUC_UNUSED)
{
    g_autofree char *blanks = g_strnfill(1 << 20, ' ');

    assert_true(g_file_set_contents(file, blanks, -1, NULL));
    start(MODE_REWRITE);
    assert_false(mode_switch_in_force(MODE_REWRITE).is_switch);
}

static void test_folder_in_its_place(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    assert_int_equal(g_mkdir(file, 0700), 0);
    start(MODE_REWRITE);
    assert_status(MODE_REWRITE, false, START, 0);
    set(MODE_OFF, 0);
    assert_false(mode_switch_save(&error));
    assert_true(g_error_matches(error, MODE_SWITCH_ERROR, MODE_SWITCH_ERROR_SYSTEM));
    assert_status(MODE_OFF, true, START, 0);
    assert_int_equal(g_rmdir(file), 0);
}

static void move(const char *from, const char *to)
{
    assert_int_equal(g_rename(from, to), 0);
}

/* What could not be saved is in force, and saved as soon as that works. */
static void test_saved_later(void **state G_GNUC_UNUSED)
{
    g_autofree char *away = g_strconcat(directory, "-away", NULL);
    g_autoptr(GError) error = NULL;

    move(directory, away);
    set(MODE_OFF, 0);
    assert_false(mode_switch_save(&error));
    assert_non_null(strstr(error->message, file));
    assert_true(mode_switch_in_force(MODE_REWRITE).is_switch);
    assert_true(mode_switch_tend() <= 60 * CLOCK_SECOND);
    move(away, directory);
    mode_switch_tend();
    start(MODE_REWRITE);
    assert_status(MODE_OFF, true, START, 0);
}

static void test_nothing_kept(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    mode_switch_start(NULL, MODE_REWRITE, &test_clock);
    set(MODE_OFF, 0);
    assert_false(mode_switch_save(&error));
    assert_non_null(strstr(error->message, "state_dir"));
    assert_true(mode_switch_in_force(MODE_REWRITE).is_switch);
    mode_switch_tend();
}

/* The switch of another host, seconds after START. */
static FleetSwitch made_by(const char *host, gint64 seconds, Mode mode)
{
    return (FleetSwitch){.at = START + seconds * CLOCK_SECOND,
                         .host = (char *)host,
                         .mode = mode,
                         .who = (char *)"anna"};
}

static bool learn(FleetSwitch made)
{
    return mode_switch_learn(&made);
}

static void assert_last(gint64 at, const char *host)
{
    FleetSwitch made;

    assert_true(mode_switch_last(&made));
    assert_int_equal(made.at, at);
    assert_string_equal(made.host, host);
    fleet_switch_clear(&made);
}

/* The later one counts, of two of one time the greater name; a clock that is ahead locks nobody out. */
static void test_learnt(void **state G_GNUC_UNUSED)
{
    FleetSwitch none;
    ModeStatus status;

    assert_false(learn(made_by("mx2", 1, MODE_OFF))); /* there is no fleet */
    mode_switch_join("mx1");
    assert_false(mode_switch_last(&none));
    assert_true(learn(made_by("mx2", -5, MODE_OFF)));
    assert_status(MODE_OFF, true, START - 5 * CLOCK_SECOND, 0);
    mode_switch_get(&status);
    assert_string_equal(status.host, "mx2");
    assert_string_equal(status.who, "anna");
    assert_false(learn(made_by("mx2", -5, MODE_REWRITE)));
    assert_false(learn(made_by("mx1", -5, MODE_REWRITE)));
    assert_true(learn(made_by("mx3", -5, MODE_LOG_ONLY)));
    assert_true(learn(made_by("mx2", 600, MODE_OFF)));
    set(MODE_LOG_ONLY, 0);
    assert_last(START + 600 * CLOCK_SECOND + CLOCK_MILLISECOND, "mx1");
    set(MODE_OFF, 0);
    assert_last(START + 600 * CLOCK_SECOND + 2 * CLOCK_MILLISECOND, "mx1");
    mode_switch_clear("test", &status);
    assert_last(START + 600 * CLOCK_SECOND + 3 * CLOCK_MILLISECOND, "mx1");
    assert_false(learn(made_by("mx2", 600, MODE_OFF)));
    assert_false(mode_switch_in_force(MODE_REWRITE).is_switch);
}

/* One with an end ends everywhere at that time, and what it interrupted returns. */
static void test_learnt_with_an_end(void **state G_GNUC_UNUSED)
{
    FleetSwitch made = made_by("mx2", 0, MODE_OFF);

    mode_switch_join("mx1");
    made.until = START + 10 * CLOCK_SECOND;
    made.has_before = true;
    made.before = MODE_LOG_ONLY;
    assert_true(learn(made));
    assert_status(MODE_OFF, true, START, START + 10 * CLOCK_SECOND);
    pass(10 * CLOCK_SECOND);
    assert_status(MODE_LOG_ONLY, true, START + 10 * CLOCK_SECOND, 0);
    mode_switch_tend();
    assert_last(START, "mx2"); /* as the others have it */
    made.at += CLOCK_SECOND;
    made.has_before = false;
    assert_true(learn(made)); /* it is over already */
    assert_status(MODE_REWRITE, false, START + 10 * CLOCK_SECOND, 0);
}

/* What is known outlives a restart, a clear too. */
static void test_learnt_and_kept(void **state G_GNUC_UNUSED)
{
    FleetSwitch cleared = made_by("mx2", 3, MODE_OFF);

    mode_switch_join("mx1");
    assert_true(learn(made_by("mx2", 2, MODE_OFF)));
    save();
    start(MODE_REWRITE);
    mode_switch_join("mx1");
    assert_last(START + 2 * CLOCK_SECOND, "mx2");
    assert_true(mode_switch_in_force(MODE_REWRITE).is_switch);
    cleared.is_cleared = true;
    assert_true(learn(cleared));
    save();
    start(MODE_REWRITE);
    mode_switch_join("mx1");
    assert_last(START + 3 * CLOCK_SECOND, "mx2");
    assert_false(mode_switch_in_force(MODE_REWRITE).is_switch);
    assert_false(learn(made_by("mx3", 2, MODE_OFF)));
}

/* A switch from before there was a fleet is as old as it is. */
static void test_joined(void **state G_GNUC_UNUSED)
{
    set(MODE_OFF, 0);
    save();
    pass(100 * CLOCK_SECOND);
    start(MODE_REWRITE);
    mode_switch_join("mx1");
    assert_last(START, "mx1");
    assert_true(learn(made_by("mx2", 50, MODE_LOG_ONLY)));
}

static void test_here(void **state G_GNUC_UNUSED)
{
    ModeStatus status;

    mode_switch_join("mx1");
    mode_switch_set_here(MODE_OFF, 0, "test", &status);
    assert_true(status.is_here);
    assert_true(learn(made_by("mx2", -1, MODE_LOG_ONLY)));
    assert_status(MODE_OFF, true, START, 0);
    mode_switch_clear("test", &status); /* the fleet's */
    assert_status(MODE_OFF, true, START, 0);
    set(MODE_OFF, 0);
    mode_switch_set_here(MODE_REWRITE, 10, "test", &status);
    assert_int_equal(status.next, MODE_OFF);
    save();
    start(MODE_LOG_ONLY);
    mode_switch_join("mx1");
    assert_status(MODE_REWRITE, true, START, START + 11 * CLOCK_SECOND);
    pass(11 * CLOCK_SECOND);
    mode_switch_tend();
    mode_switch_get(&status);
    assert_true(status.is_here && status.mode == MODE_OFF); /* that which it interrupted */
    mode_switch_clear_here("test", &status);
    assert_true(!status.is_here && status.mode == MODE_OFF && status.is_switch);
    mode_switch_clear("test", &status);
    assert_true(!status.is_switch && status.mode == MODE_LOG_ONLY);
}

static const struct test_row {
    const char *name;
    CMUnitTestFunction function;
} test_rows[] = {
    {"the configuration's", test_configured},
    {"the configuration's after a reload", test_configured_anew},
    {"switched", test_switched},
    {"cleared", test_cleared},
    {"its time is over", test_over},
    {"the clock was set back", test_clock_set_back},
    {"the clock was set forward", test_clock_set_forward},
    {"another switch replaces it, and its end", test_replaced},
    {"a restart", test_restart},
    {"a restart before its end", test_restart_with_an_end},
    {"its time was over before the restart", test_over_while_down},
    {"it interrupts another switch", test_interrupted},
    {"two interrupt another one", test_interrupted_twice},
    {"cleared while it interrupts another one", test_interrupted_and_cleared},
    {"it interrupts another one over restarts", test_interrupted_over_restarts},
    {"a long file", test_long_file},
    {"a folder in the file's place", test_folder_in_its_place},
    {"saved later", test_saved_later},
    {"nothing is kept without state_dir", test_nothing_kept},
    {"learnt of another host", test_learnt},
    {"learnt of another host, with an end", test_learnt_with_an_end},
    {"learnt of another host, over restarts", test_learnt_and_kept},
    {"a switch from before the fleet", test_joined},
    {"for this host alone", test_here},
};

int main(void)
{
    GArray *tests = table_new();
    struct CMUnitTest test = {.setup_func = set_up, .teardown_func = tear_down};

    for (size_t i = 0; i < G_N_ELEMENTS(test_rows); i++) {
        test.name = g_strdup(test_rows[i].name);
        test.test_func = test_rows[i].function;
        g_array_append_val(tests, test);
    }
    TABLE_ADD(tests, content_rows, test_content);
    return table_run(tests, "mode_switch");
}
