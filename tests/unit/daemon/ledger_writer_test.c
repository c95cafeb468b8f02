#include "config.h"

#include "daemon/ledger_writer.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>

#include "unit/ledger/ledger_fixture.h"
#include "unit/table.h"
#include "ledger/ledger_report.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/metrics.h"
#include "policy/settings_parse.h"

#define THREADS 8
#define EACH 5000
#define DOMAINS 100
#define PATIENCE 60 /* seconds until a test gives up */

/* What the settings in force are: one test at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards both */
static char *configuration;
static Settings *settings;

static gboolean read_configuration(const char *file G_GNUC_UNUSED, char **text, gsize *length,
                                   GError **error G_GNUC_UNUSED)
{
    *text = g_strdup(configuration);
    *length = strlen(configuration);
    return TRUE;
}

static Settings *take_settings(void)
{
    Settings *taken;

    pthread_mutex_lock(&lock);
    taken = settings_ref(settings);
    pthread_mutex_unlock(&lock);
    return taken;
}

/* more is appended to what the configuration says. */
static void put_settings(const LedgerFixture *fixture, const char *more)
{
    const SettingsSource source = {.read = read_configuration, .hostname = "mail.example.org"};
    g_autofree char *text =
        g_strdup_printf("fallback_address = \"noreply@example.org\"\nstate_dir = \"%s\"\n%s",
                        fixture->folder, more);
    g_autoptr(GError) error = NULL;
    Settings *next;

    pthread_mutex_lock(&lock);
    g_free(configuration);
    configuration = g_steal_pointer(&text);
    next = settings_parse("/spfrom.conf", &source, &error);
    if (next != NULL) {
        g_clear_pointer(&settings, settings_unref);
        settings = next;
    }
    pthread_mutex_unlock(&lock);
    if (next == NULL)
        fail_msg("%s", error->message);
}

static int setup(void **state)
{
    if (ledger_fixture_setup(state) != 0)
        return -1;
    put_settings(*state, "");
    return 0;
}

static int teardown(void **state)
{
    g_clear_pointer(&settings, settings_unref);
    g_clear_pointer(&configuration, g_free);
    return ledger_fixture_teardown(state);
}

static void count_messages(guint first, guint messages)
{
    for (guint i = first; i < first + messages; i++) {
        g_autofree char *domain = g_strdup_printf("d%u.example", i % DOMAINS);
        Verdict verdict = {.result = i % 2 == 0 ? SPF_PASS : SPF_FAIL};
        Plan plan = {.domain = domain, .result = verdict.result, .verdict = &verdict};
        const Decision decision = {.plan = &plan};
        Settings *own = take_settings();

        ledger_writer_add(own, i % 2 == 0 ? MESSAGE_ACTION_KEEP : MESSAGE_ACTION_REWRITE,
                          &decision);
        settings_unref(own);
    }
}

static void *count_many(void *first)
{
    count_messages(GPOINTER_TO_UINT(first), EACH);
    return NULL;
}

static gint64 messages(const LedgerFixture *fixture)
{
    return ledger_fixture_number(fixture, "SELECT ifnull(sum(messages), 0) FROM seen");
}

/* Waits until the status is as wanted; is_in_trouble -1: either. */
static void wait_for_status(guint64 written, int is_in_trouble)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE * CLOCK_SECOND;

    for (;;) {
        g_auto(LedgerWriterStatus) status;

        ledger_writer_status(&status);
        if (status.written >= written &&
            (is_in_trouble < 0 || is_in_trouble == (status.trouble != NULL)))
            return;
        if (g_get_monotonic_time() > deadline)
            fail_msg("written %" G_GUINT64_FORMAT ", waiting %" G_GUINT64_FORMAT ", %s",
                     status.written, status.waiting,
                     status.trouble != NULL ? status.trouble : "no trouble");
        g_usleep(2000);
    }
}

static void test_sums_are_exact(void **state)
{
    pthread_t threads[THREADS];

    assert_true(ledger_writer_start(take_settings));
    for (guint i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, count_many, GUINT_TO_POINTER(i));
    for (guint i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ledger_writer_add(NULL, MESSAGE_ACTION_ERROR, NULL);
    ledger_writer_stop();
    assert_int_equal(messages(*state), THREADS * EACH + 1);
    assert_int_equal(
        ledger_fixture_number(*state, "SELECT sum(messages) FROM seen WHERE action = 1"),
        THREADS * EACH / 2);
    assert_int_equal(
        ledger_fixture_number(*state, "SELECT sum(messages) FROM seen WHERE result = 2"),
        THREADS * EACH / 2);
    assert_int_equal(ledger_fixture_number(*state, "SELECT count(*) FROM domains"), DOMAINS + 1);
}

/* Without a stop. */
static void test_a_few_are_written_soon(void **state)
{
    assert_true(ledger_writer_start(take_settings));
    count_messages(0, 3);
    wait_for_status(3, false);
    assert_int_equal(messages(*state), 3);
    ledger_writer_stop();
}

static const struct {
    const char *name;
    const char *domain;
    bool has_verdict;
    SpfResult result;
    guint wanted;
    const char *wanted_domain;
    const char *dkim; /* the verdict's and the plan's */
} result_rows[] = {
    {"a verdict", "a.example", true, SPF_SOFTFAIL, SPF_SOFTFAIL, "a.example", NULL},
    {"a DKIM key", "a.example", true, SPF_SOFTFAIL, LEDGER_DKIM, "key.example", "s1"},
    {"none was needed", "a.example", false, SPF_PASS, LEDGER_UNCHECKED, "a.example", NULL},
    {"the map says no", "a.example", false, SPF_NONE, LEDGER_UNCHECKED, "a.example", NULL},
    {"no author", NULL, false, SPF_NONE, SPF_NONE, "", NULL},
    {"mode off", NULL, false, SPF_PASS, LEDGER_UNCHECKED, "", NULL},
};

static void test_results(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(result_rows); i++) {
        g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM seen JOIN domains ON id = "
                                               "domain WHERE result = %u AND name = '%s'",
                                               result_rows[i].wanted, result_rows[i].wanted_domain);
        Verdict verdict = {.result = result_rows[i].result, .dkim = (char *)result_rows[i].dkim};
        Plan plan = {.domain = result_rows[i].domain,
                     .result = result_rows[i].result,
                     .dkim = result_rows[i].dkim,
                     .dkim_domain = "key.example"};
        const Decision decision = {.plan = &plan};

        plan.verdict = result_rows[i].has_verdict ? &verdict : NULL;
        assert_true(ledger_writer_start(take_settings));
        ledger_writer_add(settings, MESSAGE_ACTION_KEEP, &decision);
        ledger_writer_stop();
        if (ledger_fixture_number(*state, sql) != 1)
            fail_msg("%s", result_rows[i].name);
        ledger_fixture_sql(*state, "DELETE FROM seen");
    }
}

/* A folder stands where the file is to be; later it is gone. */
static void test_trouble_and_recovery(void **state)
{
    LedgerFixture *fixture = *state;
    MetricsSnapshot before;
    MetricsSnapshot after;

    metrics_take(&before);
    assert_int_equal(g_mkdir(fixture->file, 0755), 0);
    assert_true(ledger_writer_start(take_settings));
    count_messages(0, 10);
    wait_for_status(0, true);
    count_messages(0, 10);
    assert_int_equal(g_rmdir(fixture->file), 0);
    wait_for_status(20, false);
    ledger_writer_stop();
    assert_int_equal(messages(fixture), 20);
    metrics_take(&after);
    assert_true(after.ledger_errors > before.ledger_errors);
}

static void test_a_corrupt_file_is_moved_aside(void **state)
{
    LedgerFixture *fixture = *state;
    g_autofree char *today = ledger_day_text(ledger_day_of(g_get_real_time()));
    g_autofree char *aside = g_strdup_printf("%s.corrupt-%s", fixture->file, today);
    g_autofree char *text = g_strnfill(10000, 'x');

    assert_true(g_file_set_contents(fixture->file, text, -1, NULL));
    assert_true(ledger_writer_start(take_settings));
    count_messages(0, 10);
    ledger_writer_stop();
    assert_int_equal(messages(fixture), 10);
    assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
}

static void test_a_deleted_file_is_made_anew(void **state)
{
    LedgerFixture *fixture = *state;

    assert_true(ledger_writer_start(take_settings));
    count_messages(0, 10);
    wait_for_status(10, false);
    assert_int_equal(g_remove(fixture->file), 0);
    count_messages(0, 7);
    ledger_writer_stop();
    assert_int_equal(messages(fixture), 7);
}

static void test_another_file_after_a_reload(void **state)
{
    LedgerFixture *fixture = *state;
    g_autofree char *other = g_build_filename(fixture->folder, "other.db", NULL);
    g_autofree char *more = g_strdup_printf("ledger = \"%s\"\n", other);

    assert_true(ledger_writer_start(take_settings));
    count_messages(0, 10);
    wait_for_status(10, false);
    put_settings(fixture, more);
    count_messages(0, 5);
    wait_for_status(15, false);
    put_settings(fixture, "ledger = \"\"\n");
    count_messages(0, 3);
    ledger_writer_stop();
    assert_int_equal(messages(fixture), 10);
    g_free(fixture->file);
    fixture->file = g_steal_pointer(&other);
    assert_int_equal(messages(fixture), 5);
}

/* state_dir needs a restart, and the ledger in it stays where it is. */
static void test_another_state_dir_after_a_reload(void **state)
{
    LedgerFixture *fixture = *state;
    LedgerFixture moved = *fixture;

    assert_true(ledger_writer_start(take_settings));
    moved.folder = (char *)"/nowhere";
    put_settings(&moved, "");
    count_messages(0, 10);
    ledger_writer_stop();
    assert_int_equal(messages(fixture), 10);
}

static void test_no_ledger(void **state)
{
    LedgerFixture *fixture = *state;
    g_auto(LedgerWriterStatus) status;

    put_settings(fixture, "ledger = \"\"\n");
    assert_true(ledger_writer_start(take_settings));
    count_messages(0, 10);
    ledger_writer_status(&status);
    assert_null(status.file);
    assert_int_equal(status.waiting, 0);
    ledger_writer_stop();
    assert_false(g_file_test(fixture->file, G_FILE_TEST_EXISTS));
}

static void test_old_days_go(void **state)
{
    LedgerFixture *fixture = *state;
    guint32 today = ledger_day_of(g_get_real_time());
    Ledger *ledger = ledger_open(fixture->file, NULL);

    for (guint32 day = today - 10; day < today; day++)
        ledger_fixture_write(ledger, "a.example", day, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 0);
    ledger_close(ledger);
    put_settings(fixture, "ledger_days = 4\n");
    assert_true(ledger_writer_start(take_settings));
    count_messages(0, 1);
    wait_for_status(1, false);
    ledger_writer_stop();
    assert_int_equal(ledger_fixture_number(fixture, "SELECT min(day) FROM seen"), today - 3);
    assert_int_equal(messages(fixture), 4);
}

/* As a clock that is far ahead finds a ledger, or a daemon that was off for long: nothing is
 * deleted on the first day, however often there is mail, and the daemon is started, on it. */
static void test_a_clock_that_jumped_deletes_nothing(void **state)
{
    LedgerFixture *fixture = *state;
    guint32 today = ledger_day_of(g_get_real_time());
    Ledger *ledger = ledger_open(fixture->file, NULL);

    for (guint32 day = today - 1095; day < today - 1090; day++)
        ledger_fixture_write(ledger, "a.example", day, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 0);
    ledger_close(ledger);
    put_settings(fixture, "ledger_days = 4\n");
    for (int start = 0; start < 2; start++) {
        g_auto(LedgerWriterStatus) before;

        assert_true(ledger_writer_start(take_settings));
        ledger_writer_status(&before);
        for (guint64 batch = 1; batch <= 2; batch++) {
            count_messages(0, 1);
            wait_for_status(before.written + batch, false);
        }
        put_settings(fixture, "ledger_days = 3\n");
        ledger_writer_stop();
    }
    assert_int_equal(ledger_fixture_number(fixture, "SELECT min(day) FROM seen"), today - 1095);
    assert_int_equal(messages(fixture), 5 + 4);
}

/* A week of silence is a holiday. */
static void test_six_silent_days_are_no_jump(void **state)
{
    LedgerFixture *fixture = *state;
    guint32 today = ledger_day_of(g_get_real_time());
    Ledger *ledger = ledger_open(fixture->file, NULL);

    ledger_fixture_write(ledger, "a.example", today - 6, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 0);
    ledger_close(ledger);
    put_settings(fixture, "ledger_days = 4\n");
    assert_true(ledger_writer_start(take_settings));
    count_messages(0, 1);
    wait_for_status(1, false);
    ledger_writer_stop();
    assert_int_equal(messages(fixture), 1);
}

/* What a clock that was ahead for some seconds has written does not outweigh what comes later. */
static void test_a_clock_that_came_back(void **state)
{
    LedgerFixture *fixture = *state;
    guint32 today = ledger_day_of(g_get_real_time());
    Ledger *ledger = ledger_open(fixture->file, NULL);

    ledger_fixture_write(ledger, "d0.example", today + 1095, SPF_FAIL, MESSAGE_ACTION_REWRITE, 1, 0,
                         0);
    ledger_close(ledger);
    assert_true(ledger_writer_start(take_settings));
    count_messages(1, 1);
    wait_for_status(1, false);
    count_messages(0, 1); /* passes */
    wait_for_status(2, false);
    ledger_writer_stop();
    assert_int_equal(messages(fixture), 3);
    assert_int_equal(ledger_fixture_number(fixture, "SELECT authorised_last > unauthorised_last"
                                                    " FROM domains WHERE name = 'd0.example'"),
                     1);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(test_sums_are_exact),
        WITH_FILE(test_a_few_are_written_soon),
        WITH_FILE(test_results),
        WITH_FILE(test_trouble_and_recovery),
        WITH_FILE(test_a_corrupt_file_is_moved_aside),
        WITH_FILE(test_a_deleted_file_is_made_anew),
        WITH_FILE(test_another_file_after_a_reload),
        WITH_FILE(test_another_state_dir_after_a_reload),
        WITH_FILE(test_no_ledger),
        WITH_FILE(test_old_days_go),
        WITH_FILE(test_a_clock_that_jumped_deletes_nothing),
        WITH_FILE(test_six_silent_days_are_no_jump),
        WITH_FILE(test_a_clock_that_came_back),
    };

    log_open("ledger_writer_test", LOG_TARGET_STDERR, LOG_EMERG);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
