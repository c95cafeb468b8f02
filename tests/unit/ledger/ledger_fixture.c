#include "config.h"

#include "unit/ledger/ledger_fixture.h"

#include <sqlite3.h>

#include "base/clock.h"

#include "unit/folder.h"
#include "unit/table.h"

int ledger_fixture_setup(void **state)
{
    LedgerFixture *fixture = g_new0(LedgerFixture, 1);

    fixture->folder = g_dir_make_tmp("spfrom-ledger-XXXXXX", NULL);
    fixture->file = g_build_filename(fixture->folder, "ledger.db", NULL);
    *state = fixture;
    return 0;
}

int ledger_fixture_teardown(void **state)
{
    LedgerFixture *fixture = *state;

    folder_remove(fixture->folder);
    g_free(fixture->file);
    g_free(fixture);
    return 0;
}

gint64 ledger_fixture_time(guint32 day, int seconds)
{
    return ledger_day_begin(day) + (12 * 3600 + seconds) * CLOCK_SECOND;
}

void ledger_fixture_write(Ledger *ledger, const char *domain, guint32 day, guint result,
                          MessageAction action, guint64 messages, int first, int last)
{
    LedgerRow row = {.domain = domain,
                     .day = day,
                     .result = result,
                     .action = action,
                     .messages = messages,
                     .first = ledger_fixture_time(day, first),
                     .last = ledger_fixture_time(day, last)};
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(rows, &row);
    if (!ledger_write(ledger, rows, &error))
        fail_msg("%s", error->message);
}

static sqlite3 *open_file(const LedgerFixture *fixture)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(fixture->file, &database), SQLITE_OK);
    return database;
}

void ledger_fixture_sql(const LedgerFixture *fixture, const char *sql)
{
    sqlite3 *database = open_file(fixture);

    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    sqlite3_close(database);
}

gint64 ledger_fixture_number(const LedgerFixture *fixture, const char *sql)
{
    sqlite3 *database = open_file(fixture);
    sqlite3_stmt *statement = NULL;
    gint64 number;

    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}
