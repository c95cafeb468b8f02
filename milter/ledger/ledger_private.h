#ifndef SPFROM_LEDGER_LEDGER_PRIVATE_H
#define SPFROM_LEDGER_LEDGER_PRIVATE_H

#include <sqlite3.h>

#include "ledger/ledger.h"

/* What ledger.c and ledger_report.c share. */
typedef enum {
    LEDGER_FIND_DOMAIN,
    LEDGER_ADD_DOMAIN,
    LEDGER_SEE_UNKNOWN,
    LEDGER_SEE_AUTHORISED,
    LEDGER_SEE_UNAUTHORISED,
    LEDGER_SEE,
    LEDGER_COUNT_NEW,
    LEDGER_STATEMENTS
} LedgerStatement;

struct Ledger {
    sqlite3 *database;
    char *file;
    sqlite3_stmt *statements[LEDGER_STATEMENTS]; /* prepared when they are first used */
    guint32 new_day;                             /* the one that was written to last; 0: none yet */
    guint new_domains;                           /* the ledger's since that day began */
};

/* Sets error to what SQLite says. Returns false. */
bool ledger_fail(Ledger *ledger, GError **error);
#endif
