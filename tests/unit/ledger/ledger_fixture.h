#ifndef SPFROM_TESTS_UNIT_ADVICE_LEDGER_FIXTURE_H
#define SPFROM_TESTS_UNIT_ADVICE_LEDGER_FIXTURE_H

#include <glib.h>

#include "ledger/ledger.h"

/* A ledger in a folder of its own, and days whose wall time is noon of local time. */
typedef struct {
    char *folder;
    char *file;
} LedgerFixture;

int ledger_fixture_setup(void **state);
int ledger_fixture_teardown(void **state);

/* Noon of the given day, plus seconds. */
gint64 ledger_fixture_time(guint32 day, int seconds);

/* Writes one row, seen between the seconds first and last from noon; the test fails where it can't.
 */
void ledger_fixture_write(Ledger *ledger, const char *domain, guint32 day, guint result,
                          MessageAction action, guint64 messages, int first, int last);

/* Runs SQL on the file, as anybody could. */
void ledger_fixture_sql(const LedgerFixture *fixture, const char *sql);
gint64 ledger_fixture_number(const LedgerFixture *fixture, const char *sql);
#endif
