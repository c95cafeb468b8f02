#include "config.h"

#include "returns/return_store.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "ledger/ledger_tally.h"
#include "returns/return_rows.h"

#include "unit/folder.h"
#include "unit/table.h"

#define PATIENCE 60 /* seconds; only a failure takes that long */
#define DAYS 400
#define TODAY 20000
#define TOKEN "aaaaaaaaaaaaaaaa"
#define ADDRESS "Mueller@praxis.example"

typedef struct {
    char *folder;
    char *file;
    ReturnStore *store;
} Fixture;

static gint today = TODAY; /* by g_atomic_int_*() only */

static gint64 real_monotonic(void *hook)
{
    (void)hook;
    return g_get_monotonic_time();
}

static gint64 noon(void *hook)
{
    (void)hook;
    return ledger_day_begin((guint32)g_atomic_int_get(&today)) + 12 * 3600 * CLOCK_SECOND;
}

static const Clock clock_at_noon = {real_monotonic, noon, NULL};

static void start(Fixture *fixture)
{
    fixture->store = return_store_start(fixture->file, DAYS, &clock_at_noon);
    assert_non_null(fixture->store);
}

static void stop(Fixture *fixture)
{
    return_store_stop(fixture->store);
    g_clear_pointer(&fixture->store, return_store_free);
}

static int setup(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);

    g_atomic_int_set(&today, TODAY);
    fixture->folder = g_dir_make_tmp("spfrom-returns-XXXXXX", NULL);
    fixture->file = g_build_filename(fixture->folder, RETURN_STORE_NAME, NULL);
    start(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;

    if (fixture->store != NULL)
        stop(fixture);
    folder_remove(fixture->folder);
    g_free(fixture->file);
    g_free(fixture);
    return 0;
}

static void token_of(char token[17], guint number)
{
    g_snprintf(token, 17, "a%015u", number);
}

static bool put(const Fixture *fixture, const char *token, const char *address)
{
    return return_store_put(fixture->store, token, address, deadline_in(PATIENCE));
}

/* A machine may be too busy for a commit within a second. */
static void put_at_last(const Fixture *fixture, const char *token, const char *address)
{
    Deadline deadline = deadline_in(PATIENCE);

    while (!put(fixture, token, address)) {
        if (deadline_is_over(deadline))
            fail_msg("%s can't be kept", token);
        g_usleep(10000);
    }
}

static ReturnStoreOutcome find(const Fixture *fixture, const char *token, ReturnStoreRow *row)
{
    return return_store_find(fixture->store, token, deadline_in(PATIENCE), row);
}

static void assert_found(const Fixture *fixture, const char *token, const char *address,
                         guint32 day)
{
    g_auto(ReturnStoreRow) row = {0};

    assert_int_equal(find(fixture, token, &row), RETURN_STORE_FOUND);
    assert_string_equal(row.address, address);
    assert_int_equal(row.last_used, day);
}

static void wait_for(const Fixture *fixture, const char *token, ReturnStoreOutcome wanted)
{
    Deadline deadline = deadline_in(PATIENCE);
    ReturnStoreOutcome outcome;

    do {
        g_auto(ReturnStoreRow) row = {0};

        outcome = find(fixture, token, &row);
        if (outcome == wanted)
            return;
        g_usleep(1000);
    } while (!deadline_is_over(deadline));
    fail_msg("%s: outcome %d instead of %d", token, outcome, wanted);
}

static guint64 addresses(const Fixture *fixture)
{
    g_auto(ReturnStoreStatus) status = {0};

    return_store_status(fixture->store, &status);
    return status.addresses;
}

static void wait_for_addresses(const Fixture *fixture, guint64 wanted)
{
    Deadline deadline = deadline_in(PATIENCE);

    while (addresses(fixture) != wanted && !deadline_is_over(deadline))
        g_usleep(1000);
    assert_int_equal(addresses(fixture), wanted);
}

static bool is_in_trouble(const Fixture *fixture)
{
    g_auto(ReturnStoreStatus) status = {0};

    return_store_status(fixture->store, &status);
    return status.trouble != NULL;
}

static sqlite3 *open_file(const Fixture *fixture)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(fixture->file, &database), SQLITE_OK);
    sqlite3_busy_timeout(database, PATIENCE * 1000);
    return database;
}

static void run_sql(sqlite3 *database, const char *sql)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
}

static void test_kept(void **state)
{
    Fixture *fixture = *state;
    g_auto(ReturnStoreRow) row = {0};
    struct stat status;

    put_at_last(fixture, TOKEN, ADDRESS);
    assert_true(put(fixture, TOKEN, "MUELLER@praxis.example"));
    assert_found(fixture, TOKEN, ADDRESS, TODAY);
    assert_int_equal(find(fixture, "bbbbbbbbbbbbbbbb", &row), RETURN_STORE_UNKNOWN);
    assert_null(row.address);
    assert_int_equal(addresses(fixture), 1);
    assert_int_equal(stat(fixture->file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    stop(fixture);
    start(fixture);
    put_at_last(fixture, TOKEN, "mueller@praxis.example");
    assert_found(fixture, TOKEN, ADDRESS, TODAY);
    assert_int_equal(addresses(fixture), 1);
}

/* A deadline that is over, or a message from outside, makes no promise and no row. */
static void test_no_row(void **state)
{
    Fixture *fixture = *state;

    return_store_use(fixture->store, TOKEN);
    stop(fixture);
    start(fixture);
    wait_for(fixture, TOKEN, RETURN_STORE_UNKNOWN);
}

static void test_last_use(void **state)
{
    Fixture *fixture = *state;

    put_at_last(fixture, TOKEN, ADDRESS);
    put_at_last(fixture, "bbbbbbbbbbbbbbbb", "b@b.example");
    g_atomic_int_set(&today, TODAY + 1);
    assert_true(put(fixture, TOKEN, ADDRESS));
    return_store_use(fixture->store, "bbbbbbbbbbbbbbbb");
    stop(fixture);
    start(fixture);
    wait_for(fixture, TOKEN, RETURN_STORE_FOUND);
    assert_found(fixture, TOKEN, ADDRESS, TODAY + 1);
    assert_found(fixture, "bbbbbbbbbbbbbbbb", "b@b.example", TODAY + 1);
    g_atomic_int_set(&today, TODAY); /* a clock that goes back takes no use away */
    put_at_last(fixture, TOKEN, ADDRESS);
    assert_found(fixture, TOKEN, ADDRESS, TODAY + 1);
}

/* More rows than one piece has end, what was used since stays, and a token that ended is made anew
 * by its author's next message. */
static void test_expire(void **state)
{
    Fixture *fixture = *state;
    sqlite3 *database;
    char token[17];

    put_at_last(fixture, TOKEN, ADDRESS);
    database = open_file(fixture);
    run_sql(database, "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < "
                      "1199) INSERT INTO addresses SELECT printf('a%015d', i), 'x@x.example',"
                      " 19601 + i % 2 FROM n");
    sqlite3_close(database);
    stop(fixture);
    start(fixture);
    token_of(token, 0);
    wait_for(fixture, token, RETURN_STORE_FOUND);
    wait_for_addresses(fixture, 1201);
    put_at_last(fixture, token, "x@x.example");
    g_atomic_int_set(&today, TODAY + 2);
    return_store_set_days(fixture->store, DAYS - 1); /* 19603 and later are kept */
    token_of(token, 1);
    wait_for(fixture, token, RETURN_STORE_UNKNOWN);
    token_of(token, 2);
    wait_for(fixture, token, RETURN_STORE_UNKNOWN);
    wait_for_addresses(fixture, 2);
    assert_found(fixture, TOKEN, ADDRESS, TODAY);
    put_at_last(fixture, token, "y@x.example");
    assert_found(fixture, token, "y@x.example", TODAY + 2);
}

/* A clock that is years ahead ends nothing at once. */
static void test_clock_ahead(void **state)
{
    Fixture *fixture = *state;

    put_at_last(fixture, TOKEN, ADDRESS);
    g_atomic_int_set(&today, TODAY + 3650);
    stop(fixture);
    start(fixture);
    wait_for(fixture, TOKEN, RETURN_STORE_FOUND);
    return_store_set_days(fixture->store, DAYS + 1);
    put_at_last(fixture, "bbbbbbbbbbbbbbbb", "b@b.example");
    assert_found(fixture, TOKEN, ADDRESS, TODAY);
}

static void test_locked(void **state)
{
    Fixture *fixture = *state;
    sqlite3 *database;

    put_at_last(fixture, TOKEN, ADDRESS);
    database = open_file(fixture);
    run_sql(database, "BEGIN IMMEDIATE");
    assert_false(put(fixture, "bbbbbbbbbbbbbbbb", "b@b.example"));
    while (!is_in_trouble(fixture))
        g_usleep(1000);
    for (guint i = 0; i < 100; i++) { /* known ones cost nothing, new ones wait no more */
        char token[17];

        token_of(token, i);
        assert_true(put(fixture, TOKEN, ADDRESS));
        assert_false(put(fixture, token, "x@x.example"));
    }
    assert_found(fixture, TOKEN, ADDRESS, TODAY);
    run_sql(database, "ROLLBACK");
    sqlite3_close(database);
    put_at_last(fixture, "bbbbbbbbbbbbbbbb", "b@b.example");
    assert_false(is_in_trouble(fixture));
    assert_int_equal(addresses(fixture), 102); /* those that had to go without it are known now */
}

static void test_deleted(void **state)
{
    Fixture *fixture = *state;

    put_at_last(fixture, TOKEN, ADDRESS);
    assert_int_equal(g_remove(fixture->file), 0);
    put_at_last(fixture, "bbbbbbbbbbbbbbbb", "b@b.example");
    assert_found(fixture, "bbbbbbbbbbbbbbbb", "b@b.example", TODAY);
    put_at_last(fixture, TOKEN, ADDRESS); /* what was remembered of the old file is forgotten */
    assert_found(fixture, TOKEN, ADDRESS, TODAY);
}

static void test_garbage(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *octets = g_strnfill(16384, 'x');
    g_autofree char *log = g_strconcat(fixture->file, "-wal", NULL);

    put_at_last(fixture, TOKEN, ADDRESS);
    stop(fixture);
    g_remove(log);
    assert_true(g_file_set_contents(fixture->file, octets, 16384, NULL));
    start(fixture);
    put_at_last(fixture, TOKEN, ADDRESS);
    assert_found(fixture, TOKEN, ADDRESS, TODAY);
    assert_false(is_in_trouble(fixture));
}

/* One damaged page costs its rows, not the others. */
static void test_damaged_page(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *zeros = g_malloc0(4096);
    sqlite3 *database;
    Deadline deadline = deadline_in(PATIENCE);
    FILE *file;
    char token[17];

    put_at_last(fixture, TOKEN, ADDRESS);
    stop(fixture);
    database = open_file(fixture);
    run_sql(database, "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < "
                      "4999) INSERT INTO addresses SELECT printf('a%015d', i), 'x@x.example',"
                      " 20000 FROM n");
    run_sql(database, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(database);
    file = fopen(fixture->file, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 4096 * 40, SEEK_SET), 0);
    assert_int_equal(fwrite(zeros, 1, 4096, file), 4096);
    fclose(file);
    start(fixture);
    for (guint i = 0; i < 5000; i++) { /* one of them finds the damage */
        g_auto(ReturnStoreRow) row = {0};

        token_of(token, i);
        if (find(fixture, token, &row) == RETURN_STORE_TROUBLE && i > 0)
            break;
    }
    token_of(token, 4999);
    wait_for(fixture, token, RETURN_STORE_FOUND);
    /* While the file is made anew, it is counted as empty or as far as it has come. */
    while ((addresses(fixture) == 5001 || addresses(fixture) < 4000) && !deadline_is_over(deadline))
        g_usleep(1000);
    wait_for(fixture, token, RETURN_STORE_FOUND);
    wait_for(fixture, TOKEN, RETURN_STORE_FOUND);
    assert_in_range(addresses(fixture), 4000, 5000);
}

/* A row that is none of ours, as damage may leave it: nobody is told that it is an address. */
static void test_no_address(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GPtrArray) rows = NULL;
    ReturnRows *file;
    sqlite3 *database;

    put_at_last(fixture, "bbbbbbbbbbbbbbbb", ADDRESS);
    database = open_file(fixture);
    run_sql(database, "INSERT INTO addresses VALUES ('aaaaaaaaaaaaaaaa', 'praxis.example', 20000),"
                      " ('aaaaaaaaaaaaaaaaaaaaaaaa', 'a@praxis.example', 20000),"
                      " ('aaaaaaaaaaaaaaaa' || char(0), 'a@praxis.example', 20000),"
                      " ('cccccccccccccccc', 'c@praxis.example', 'x')");
    sqlite3_close(database);
    wait_for(fixture, TOKEN, RETURN_STORE_UNKNOWN);
    file = return_rows_open_read_only(fixture->file, NULL);
    assert_non_null(file);
    rows = return_rows_after(file, "", 10, NULL);
    return_rows_close(file);
    assert_int_equal(rows->len, 1);
    assert_string_equal(((const ReturnRow *)g_ptr_array_index(rows, 0))->token, "bbbbbbbbbbbbbbbb");
}

/* Rows that damage has left under a token, which stands for ADDRESS. */
static const struct damage {
    const char *values; /* address and day */
    ReturnStoreOutcome outcome;
} damages[] = {
    {"'praxis.example', 20000", RETURN_STORE_UNKNOWN},
    {"'Mueller@praxis.exa' || char(0) || 'ple', 20000", RETURN_STORE_UNKNOWN},
    {"'Mue' || char(10) || 'ller@praxis.example', 20000", RETURN_STORE_UNKNOWN},
    {"x'4d75656c6c6572407072617869732e6578616d706c65', 20000", RETURN_STORE_UNKNOWN},
    {"'Mueller@', 20000", RETURN_STORE_UNKNOWN},
    {"'Mueller@praxis.example', 'day'", RETURN_STORE_UNKNOWN},
    {"'Mueller@praxis.example', -1", RETURN_STORE_UNKNOWN},
    {"'Nobody@praxis.example', 20000", RETURN_STORE_FOUND}, /* what looks right is believed … */
};

/* … but the author's next message writes the right row, whether the token is remembered or not. */
static void test_damaged_row(void **state)
{
    Fixture *fixture = *state;

    put_at_last(fixture, "bbbbbbbbbbbbbbbb", "b@b.example");
    for (guint i = 0; i < G_N_ELEMENTS(damages); i++) {
        const struct damage *damage = &damages[i];
        g_autofree char *sql =
            g_strdup_printf("REPLACE INTO addresses VALUES ('" TOKEN "', %s)", damage->values);
        bool is_restarted = damage->outcome == RETURN_STORE_FOUND || i % 2 == 0;
        sqlite3 *database;

        put_at_last(fixture, TOKEN, ADDRESS);
        if (is_restarted)
            stop(fixture);
        database = open_file(fixture);
        run_sql(database, sql);
        sqlite3_close(database);
        if (is_restarted)
            start(fixture);
        wait_for(fixture, TOKEN, damage->outcome);
        put_at_last(fixture, TOKEN, ADDRESS);
        assert_found(fixture, TOKEN, ADDRESS, TODAY);
        assert_found(fixture, "bbbbbbbbbbbbbbbb", "b@b.example", TODAY);
    }
    stop(fixture);
    start(fixture);
    wait_for_addresses(fixture, 2);
}

#define THREADS 16
#define EACH 50

typedef struct {
    const Fixture *fixture;
    guint first;
} Share;

static void *put_share(void *data)
{
    const Share *share = data;

    for (guint i = 0; i < EACH; i++) {
        char token[17];

        token_of(token, share->first + i);
        put_at_last(share->fixture, token, "x@x.example");
        assert_found(share->fixture, token, "x@x.example", TODAY);
        assert_true(put(share->fixture, token, "x@x.example"));
    }
    return NULL;
}

static void test_many_at_once(void **state)
{
    Fixture *fixture = *state;
    pthread_t threads[THREADS];
    Share shares[THREADS];

    for (guint i = 0; i < THREADS; i++) {
        shares[i] = (Share){fixture, i / 2 * EACH}; /* two have the same authors */
        assert_int_equal(pthread_create(&threads[i], NULL, put_share, &shares[i]), 0);
    }
    for (guint i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(addresses(fixture), THREADS / 2 * EACH);
}

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER; /* held while it hangs */

static ssize_t write_at(int fd, const void *octets, size_t length, off_t offset)
{
    pthread_mutex_lock(&disk);
    pthread_mutex_unlock(&disk);
    return pwrite(fd, octets, length, offset);
}

static void replace_write(sqlite3_syscall_ptr function)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite", function), SQLITE_OK);
    assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite64", function), SQLITE_OK);
}

/* While the disk hangs, no new token holds a message up for a second. A busy machine may wake the one
 * that waits late, but not every time. */
static void test_hanging(void **state)
{
    Fixture *fixture = *state;
    bool is_in_time = false;

    put_at_last(fixture, TOKEN, ADDRESS);
    pthread_mutex_lock(&disk);
    replace_write((sqlite3_syscall_ptr)write_at);
    for (guint i = 0; i < 20 && !is_in_time; i++) {
        gint64 begin = g_get_monotonic_time();

        assert_false(put(fixture, "bbbbbbbbbbbbbbbb", "b@b.example"));
        is_in_time = g_get_monotonic_time() - begin < CLOCK_SECOND;
        assert_true(put(fixture, TOKEN, ADDRESS));
    }
    pthread_mutex_unlock(&disk);
    put_at_last(fixture, "bbbbbbbbbbbbbbbb", "b@b.example");
    replace_write(NULL);
    assert_true(is_in_time);
}

/* A disk that is full, as far as one process can have one. */
static void test_full(void **state)
{
    Fixture *fixture = *state;
    const struct rlimit small = {64 * 1024, RLIM_INFINITY};
    struct rlimit before;
    char token[17];
    guint number = 0;

    put_at_last(fixture, TOKEN, ADDRESS);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    setrlimit(RLIMIT_FSIZE, &small);
    do
        token_of(token, number++);
    while (put(fixture, token, "somebody-with-a-long-name@a-domain-with-a-long-name.example"));
    assert_true(put(fixture, TOKEN, ADDRESS));
    setrlimit(RLIMIT_FSIZE, &before);
    put_at_last(fixture, token, "x@x.example");
    assert_false(is_in_trouble(fixture));
    assert_int_equal(addresses(fixture), number + 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_kept),    TEST(test_no_row),       TEST(test_last_use),
        TEST(test_expire),  TEST(test_clock_ahead),  TEST(test_locked),
        TEST(test_deleted), TEST(test_garbage),      TEST(test_damaged_page),
        TEST(test_full),    TEST(test_many_at_once), TEST(test_no_address),
        TEST(test_hanging), TEST(test_damaged_row),
    };

    log_open("return_store_test", LOG_TARGET_STDERR, LOG_ERR);
    return cmocka_run_group_tests_name("return_store_test", tests, NULL, NULL);
}
