#include "config.h"

#include "ledger/ledger.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/table.h"
#include "ledger/ledger_report.h"
#include "base/clock.h"
#include "unit/ledger/ledger_fixture.h"

#define DAY 20000 /* 2024-10-04 */

static Ledger *open_ledger(const LedgerFixture *fixture)
{
    g_autoptr(GError) error = NULL;
    Ledger *ledger = ledger_open(fixture->file, &error);

    if (ledger == NULL)
        fail_msg("%s", error->message);
    return ledger;
}

/* The ledger can't be opened; returns why not. */
static GError *refused(const LedgerFixture *fixture, int code)
{
    GError *error = NULL;
    Ledger *ledger = ledger_open(fixture->file, &error);

    assert_null(ledger);
    assert_true(g_error_matches(error, DATABASE_FAILURE, code));
    return error;
}

static void put(const LedgerFixture *fixture, const char *text)
{
    assert_true(g_file_set_contents(fixture->file, text, -1, NULL));
}

static gint64 messages(const LedgerFixture *fixture)
{
    return ledger_fixture_number(fixture, "SELECT ifnull(sum(messages), 0) FROM seen");
}

static void test_rows_add_up(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(Ledger) ledger = open_ledger(fixture);

    ledger_fixture_write(ledger, "a.example", DAY, SPF_PASS, MESSAGE_ACTION_KEEP, 3, 0, 5);
    ledger_fixture_write(ledger, "a.example", DAY, SPF_PASS, MESSAGE_ACTION_KEEP, 4, 2, 9);
    ledger_fixture_write(ledger, "a.example", DAY, SPF_FAIL, MESSAGE_ACTION_REWRITE, 1, 1, 1);
    ledger_fixture_write(ledger, "b.example", DAY, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 1, 1);
    assert_int_equal(messages(fixture), 9);
    assert_int_equal(ledger_fixture_number(fixture, "SELECT count(*) FROM seen"), 3);
    assert_int_equal(ledger_fixture_number(fixture, "SELECT count(*) FROM domains"), 2);
    assert_int_equal(
        ledger_fixture_number(fixture, "SELECT last - first FROM seen WHERE messages = 7"), 9000);
}

static void test_all_rows_or_none(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(Ledger) ledger = open_ledger(fixture);
    g_autoptr(GError) error = NULL;
    LedgerRow row = {.domain = "a.example", .day = DAY, .messages = 1};
    g_autoptr(GPtrArray) rows = g_ptr_array_new();

    ledger_fixture_sql(fixture, "CREATE TRIGGER stop BEFORE INSERT ON seen WHEN new.action = 1 "
                                "BEGIN SELECT raise(ABORT, 'stopped'); END");
    g_ptr_array_add(rows, &row);
    g_ptr_array_add(rows, &(LedgerRow){.domain = "b.example", .day = DAY, .last = 1, .action = 1});
    assert_false(ledger_write(ledger, rows, &error));
    assert_non_null(strstr(error->message, "stopped"));
    assert_int_equal(messages(fixture), 0);
    ledger_fixture_sql(fixture, "DROP TRIGGER stop");
    assert_true(ledger_write(ledger, rows, NULL));
    assert_int_equal(messages(fixture), 1);
}

static void test_a_new_file_is_private(void **state)
{
    const LedgerFixture *fixture = *state;
    struct stat status;

    ledger_close(open_ledger(fixture));
    assert_int_equal(g_stat(fixture->file, &status), 0);
    assert_int_equal(status.st_mode & 07, 0); /* not for everybody */
    assert_int_equal(ledger_fixture_number(fixture, "PRAGMA user_version"), LEDGER_SCHEMA_VERSION);
}

static void test_newer_is_refused(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) reader_error = NULL;

    ledger_close(open_ledger(fixture));
    ledger_fixture_sql(fixture, "PRAGMA user_version = 99");
    error = refused(fixture, DATABASE_FAILURE_VERSION);
    assert_non_null(strstr(error->message, fixture->file));
    assert_non_null(strstr(error->message, "newer spfrom (version 99"));
    assert_null(ledger_open_read_only(fixture->file, &reader_error));
    assert_string_equal(reader_error->message, error->message);
}

static void test_foreign_is_refused(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(GError) error = NULL;

    ledger_fixture_sql(fixture, "CREATE TABLE addresses (name TEXT)");
    error = refused(fixture, DATABASE_FAILURE_FOREIGN);
    assert_non_null(strstr(error->message, "another program"));
    assert_int_equal(
        ledger_fixture_number(fixture, "SELECT count(*) FROM sqlite_schema WHERE name = 'seen'"),
        0);
}

static void test_no_database_is_corrupt(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(GError) error = NULL;

    put(fixture, "This is no database, and longer than the head of one: 0123456789 0123456789 "
                 "0123456789 0123456789 0123456789\n");
    error = refused(fixture, DATABASE_FAILURE_CORRUPT);
}

static void test_damaged_page_is_corrupt(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize length = 0;
    Ledger *ledger = open_ledger(fixture);

    ledger_fixture_write(ledger, "a.example", DAY, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 0);
    ledger_close(ledger);
    assert_true(g_file_get_contents(fixture->file, &text, &length, NULL));
    assert_true(length > 2 * 4096);
    memset(text + 4096, 0xa5, length - 4096);
    assert_true(g_file_set_contents(fixture->file, text, (gssize)length, NULL));
    error = refused(fixture, DATABASE_FAILURE_CORRUPT);
}

static void test_folder_is_missing(void **state)
{
    LedgerFixture *fixture = *state;
    g_autoptr(GError) error = NULL;

    g_free(fixture->file);
    fixture->file = g_build_filename(fixture->folder, "no", "ledger.db", NULL);
    error = refused(fixture, DATABASE_FAILURE_SYSTEM);
    assert_non_null(strstr(error->message, "No such file or directory"));
}

/* As version 1 made it. */
static const char version_1[] =
    "CREATE TABLE domains (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL);"
    "CREATE TABLE seen (day INTEGER NOT NULL, domain INTEGER NOT NULL, result INTEGER NOT NULL,"
    " action INTEGER NOT NULL, messages INTEGER NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, PRIMARY KEY (day, domain, result, action)) WITHOUT ROWID;"
    "PRAGMA application_id = 0x73706672; PRAGMA user_version = 1;"
    "INSERT INTO domains VALUES (1, 'mended.example', 100, 400), (2, 'never.example', 100, 200),"
    " (3, 'always.example', 100, 300), (4, 'lost.example', 100, 300);"
    "INSERT INTO seen VALUES"
    " (20000, 1, 4, 1, 10, 100, 200), (20001, 1, 2, 0, 5, 300, 400), (20001, 1, 5, 0, 1, 350, 500),"
    " (20000, 2, 0, 1, 10, 100, 200),"
    " (20000, 3, 2, 0, 10, 100, 300),"
    " (20000, 4, 2, 0, 10, 100, 200), (20001, 4, 3, 1, 10, 300, 300);";

static void test_version_1_is_migrated(void **state)
{
    static const struct {
        const char *name;
        bool is_authorised, was_unauthorised;
        gint64 since, broken; /* milliseconds */
    } rows[] = {
        {"mended.example", true, true, 300, 0},
        {"never.example", false, true, 0, 0},
        {"always.example", true, false, 100, 0},
        {"lost.example", false, true, 0, 300},
    };
    const LedgerFixture *fixture = *state;
    const LedgerPeriod period = {DAY, DAY + 1};
    g_autoptr(Ledger) reader = NULL;

    ledger_fixture_sql(fixture, version_1);
    ledger_close(open_ledger(fixture));
    assert_int_equal(ledger_fixture_number(fixture, "PRAGMA user_version"), LEDGER_SCHEMA_VERSION);
    assert_int_equal(messages(fixture), 56);
    reader = ledger_open_read_only(fixture->file, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(LedgerDomain) domain = ledger_report_domain(reader, rows[i].name, period, NULL);

        assert_non_null(domain);
        assert_int_equal(domain->is_authorised, rows[i].is_authorised);
        assert_int_equal(domain->was_unauthorised, rows[i].was_unauthorised);
        assert_int_equal(domain->authorised_since, rows[i].since * CLOCK_MILLISECOND);
        assert_int_equal(domain->unauthorised_since, rows[i].broken * CLOCK_MILLISECOND);
    }
}

static void test_old_is_refused_by_readers(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(GError) error = NULL;

    ledger_fixture_sql(fixture, version_1);
    assert_null(ledger_open_read_only(fixture->file, &error));
    assert_true(g_error_matches(error, DATABASE_FAILURE, DATABASE_FAILURE_VERSION));
    assert_int_equal(ledger_fixture_number(fixture, "PRAGMA user_version"), 1);
}

static void test_failed_migration_changes_nothing(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(GError) error = NULL;

    ledger_fixture_sql(fixture, version_1);
    ledger_fixture_sql(fixture, "ALTER TABLE domains ADD COLUMN unauthorised_last");
    error = refused(fixture, DATABASE_FAILURE_SYSTEM);
    assert_int_equal(ledger_fixture_number(fixture, "PRAGMA user_version"), 1);
    assert_int_equal(
        ledger_fixture_number(fixture, "SELECT count(*) FROM pragma_table_info('domains')"), 5);
}

static guint expire_all(Ledger *ledger, guint32 day)
{
    bool is_more = true;
    guint calls = 0;

    for (; is_more; calls++)
        assert_true(ledger_expire(ledger, day, &is_more, NULL));
    return calls;
}

static void write_returned(Ledger *ledger, const char *domain, guint32 day, ReturnKind kind,
                           guint64 count)
{
    LedgerRow row = {.domain = domain,
                     .day = day,
                     .result = LEDGER_UNCHECKED,
                     .action = MESSAGE_ACTION_INBOUND,
                     .messages = count,
                     .first = ledger_fixture_time(day, 0),
                     .last = ledger_fixture_time(day, 0),
                     .returned = kind + 1};
    g_autoptr(GPtrArray) rows = g_ptr_array_new();

    g_ptr_array_add(rows, &row);
    assert_true(ledger_write(ledger, rows, NULL));
}

/* What came back is counted for the author's domain, apart from its mail, and goes with its day. */
static void test_returned(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(Ledger) ledger = open_ledger(fixture);

    write_returned(ledger, "a.example", DAY, RETURN_BOUNCE, 2);
    write_returned(ledger, "a.example", DAY, RETURN_BOUNCE, 3);
    write_returned(ledger, "a.example", DAY, RETURN_REPLY, 1);
    write_returned(ledger, "b.example", DAY + 1, RETURN_AUTO_REPLY, 1);
    assert_int_equal(messages(fixture), 0);
    assert_int_equal(ledger_fixture_number(fixture, "SELECT messages FROM returned JOIN domains"
                                                    " ON id = domain WHERE name = 'a.example'"
                                                    " AND kind = 0"),
                     5);
    assert_int_equal(ledger_fixture_number(fixture, "SELECT count(*) FROM returned"), 3);
    expire_all(ledger, DAY + 1);
    assert_int_equal(ledger_fixture_number(fixture, "SELECT count(*) FROM returned"), 1);
    assert_int_equal(ledger_fixture_number(fixture, "SELECT count(*) FROM domains"), 1);
}

static void test_old_days_go(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(Ledger) ledger = open_ledger(fixture);

    for (guint32 day = DAY; day < DAY + 5; day++) {
        ledger_fixture_write(ledger, "steady.example", day, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 0);
        if (day < DAY + 2)
            ledger_fixture_write(ledger, "gone.example", day, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0,
                                 0);
    }
    assert_int_equal(expire_all(ledger, DAY), 1);
    assert_int_equal(messages(fixture), 7);
    assert_int_equal(expire_all(ledger, DAY + 3), 3);
    assert_int_equal(messages(fixture), 2);
    assert_int_equal(ledger_fixture_number(fixture, "SELECT count(*) FROM domains"), 1);
    assert_int_equal(ledger_fixture_number(fixture, "SELECT first / 1000 FROM domains"),
                     ledger_fixture_time(DAY, 0) / CLOCK_SECOND); /* first seen stays known */
}

static void test_domains_of_a_day_are_bounded(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(Ledger) ledger = open_ledger(fixture);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GStringChunk) names = g_string_chunk_new(1 << 16);
    char name[32];

    for (guint i = 0; i < LEDGER_NEW_DOMAINS_MAX + 10; i++) {
        LedgerRow *row = g_new0(LedgerRow, 1);

        g_snprintf(name, sizeof name, "d%u.example", i);
        *row = (LedgerRow){.domain = g_string_chunk_insert(names, name), .day = DAY, .messages = 1};
        row->first = row->last = ledger_fixture_time(DAY, 0);
        g_ptr_array_add(rows, row);
    }
    assert_true(ledger_write(ledger, rows, NULL));
    assert_true(ledger_write(ledger, rows, NULL));
    assert_int_equal(messages(fixture), 2 * (LEDGER_NEW_DOMAINS_MAX + 10));
    assert_int_equal(ledger_fixture_number(fixture, "SELECT count(*) FROM domains"),
                     LEDGER_NEW_DOMAINS_MAX + 1);
    assert_int_equal(ledger_fixture_number(fixture, "SELECT messages FROM seen JOIN domains ON id "
                                                    "= domain WHERE name = '*'"),
                     20);
    ledger_fixture_write(ledger, "tomorrow.example", DAY + 1, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0,
                         0);
    assert_int_equal(ledger_fixture_number(
                         fixture, "SELECT count(*) FROM domains WHERE name = 'tomorrow.example'"),
                     1);
}

/* The same, of the day to which a clock that was ahead has come back. */
static void test_domains_of_a_day_before_are_bounded(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(Ledger) ledger = open_ledger(fixture);

    ledger_fixture_write(ledger, "ahead.example", DAY + 1095, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0,
                         0);
    ledger_fixture_sql(fixture, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                                " WHERE i < 100000) INSERT INTO domains (name, first, last)"
                                " SELECT 'd' || i, 20000 * 86400000, 20000 * 86400000 FROM n");
    ledger_fixture_write(ledger, "late.example", DAY, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 0);
    assert_int_equal(
        ledger_fixture_number(fixture, "SELECT count(*) FROM domains WHERE name = 'late.example'"),
        0);
}

static void test_a_reader_while_writing(void **state)
{
    const LedgerFixture *fixture = *state;
    const LedgerPeriod period = {DAY, DAY};
    g_autoptr(Ledger) ledger = open_ledger(fixture);
    g_autoptr(Ledger) early = NULL;
    g_autoptr(Ledger) late = NULL;
    const LedgerLimits none = {0};
    g_autoptr(LedgerReport) then = NULL;
    g_autoptr(LedgerReport) now = NULL;

    ledger_fixture_write(ledger, "a.example", DAY, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 0);
    early = ledger_open_read_only(fixture->file, NULL);
    ledger_fixture_write(ledger, "a.example", DAY, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 0);
    late = ledger_open_read_only(fixture->file, NULL);
    then = ledger_report_read(early, period, &none, NULL);
    now = ledger_report_read(late, period, &none, NULL);
    assert_int_equal(g_array_index(then->days, LedgerDay, 0).counts.by[MESSAGE_ACTION_KEEP], 1);
    assert_int_equal(g_array_index(now->days, LedgerDay, 0).counts.by[MESSAGE_ACTION_KEEP], 2);
}

static void test_a_reader_without_a_file(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(GError) error = NULL;

    assert_null(ledger_open_read_only(fixture->file, &error));
    assert_true(g_error_matches(error, DATABASE_FAILURE, DATABASE_FAILURE_MISSING));
    assert_int_not_equal(access(fixture->file, F_OK), 0);
}

/* Somebody is making it, or was kept from that. */
static void test_a_reader_of_an_unmade_file(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(GError) empty_error = NULL;
    g_autoptr(GError) bare_error = NULL;

    put(fixture, "");
    assert_null(ledger_open_read_only(fixture->file, &empty_error));
    assert_true(g_error_matches(empty_error, DATABASE_FAILURE, DATABASE_FAILURE_MISSING));
    ledger_fixture_sql(fixture, "PRAGMA journal_mode = WAL");
    assert_null(ledger_open_read_only(fixture->file, &bare_error));
    assert_true(g_error_matches(bare_error, DATABASE_FAILURE, DATABASE_FAILURE_MISSING));
    assert_string_equal(bare_error->message, empty_error->message);
}

static const char *in_the_way; /* goes when a file is opened for the second time */
static int opened;

static int on_open(sqlite3 *handle G_GNUC_UNUSED, char **problem G_GNUC_UNUSED,
                   const struct sqlite3_api_routines *routines G_GNUC_UNUSED)
{
    if (++opened == 2)
        g_unlink(in_the_way);
    return SQLITE_OK;
}

/* Its log is there, and the index of the log can't be opened yet. */
static void test_a_reader_while_a_writer_begins(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autofree char *log = g_strconcat(fixture->file, "-wal", NULL);
    g_autofree char *shared = g_strconcat(fixture->file, "-shm", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Ledger) reader = NULL;

    ledger_close(open_ledger(fixture));
    assert_true(g_file_set_contents(log, "", -1, NULL));
    assert_int_equal(symlink("nowhere", shared), 0); /* SQLite does not follow it */
    in_the_way = shared;
    opened = 0;
    sqlite3_auto_extension((void (*)(void))on_open);
    reader = ledger_open_read_only(fixture->file, &error);
    sqlite3_reset_auto_extension();
    if (reader == NULL)
        fail_msg("%s", error->message);
    assert_int_equal(opened, 2);
}

static void test_a_file_that_was_taken_away(void **state)
{
    const LedgerFixture *fixture = *state;
    g_autoptr(Ledger) ledger = open_ledger(fixture);

    ledger_fixture_write(ledger, "a.example", DAY, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 0);
    assert_false(ledger_is_moved(ledger));
    assert_int_equal(g_remove(fixture->file), 0);
    assert_true(ledger_is_moved(ledger));
}

static void test_corrupt_files_are_moved_aside(void **state)
{
    const LedgerFixture *fixture = *state;
    const gint64 now = ledger_fixture_time(DAY, 0);
    g_autoptr(GError) error = NULL;

    for (int i = 1; i <= 9; i++) {
        g_autofree char *wanted =
            i == 1 ? g_strdup_printf("%s.corrupt-2024-10-04", fixture->file)
                   : g_strdup_printf("%s.corrupt-2024-10-04-%d", fixture->file, i);
        g_autofree char *log = g_strconcat(fixture->file, "-wal", NULL);
        g_autofree char *name = NULL;

        put(fixture, "x");
        assert_true(g_file_set_contents(log, "y", 1, NULL));
        name = database_move_aside(fixture->file, now, NULL);
        assert_string_equal(name, wanted);
        assert_int_equal(access(name, F_OK), 0);
        assert_int_not_equal(access(fixture->file, F_OK), 0);
        assert_int_not_equal(access(log, F_OK), 0);
    }
    put(fixture, "x");
    assert_null(database_move_aside(fixture->file, now, &error));
    assert_int_equal(access(fixture->file, F_OK), 0);
}

static void test_days(void **state G_GNUC_UNUSED)
{
    g_autofree char *first = ledger_day_text(0);
    g_autofree char *text = ledger_day_text(DAY);

    assert_string_equal(first, "1970-01-01");
    assert_string_equal(text, "2024-10-04");
    for (guint32 day = DAY; day < DAY + 400; day++) {
        assert_int_equal(ledger_day_of(ledger_day_begin(day)), day);
        assert_int_equal(ledger_day_of(ledger_day_begin(day) - 1), day - 1);
    }
}

#define WITH_FILE(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(test_rows_add_up),
        WITH_FILE(test_all_rows_or_none),
        WITH_FILE(test_a_new_file_is_private),
        WITH_FILE(test_newer_is_refused),
        WITH_FILE(test_foreign_is_refused),
        WITH_FILE(test_no_database_is_corrupt),
        WITH_FILE(test_damaged_page_is_corrupt),
        WITH_FILE(test_folder_is_missing),
        WITH_FILE(test_version_1_is_migrated),
        WITH_FILE(test_old_is_refused_by_readers),
        WITH_FILE(test_failed_migration_changes_nothing),
        WITH_FILE(test_returned),
        WITH_FILE(test_old_days_go),
        WITH_FILE(test_domains_of_a_day_are_bounded),
        WITH_FILE(test_domains_of_a_day_before_are_bounded),
        WITH_FILE(test_a_reader_while_writing),
        WITH_FILE(test_a_reader_without_a_file),
        WITH_FILE(test_a_reader_of_an_unmade_file),
        WITH_FILE(test_a_reader_while_a_writer_begins),
        WITH_FILE(test_a_file_that_was_taken_away),
        WITH_FILE(test_corrupt_files_are_moved_aside),
        cmocka_unit_test(test_days),
    };

    g_setenv("TZ", "Europe/Berlin", TRUE); /* has days of 23 and of 25 hours */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
