#ifndef SPFROM_LEDGER_LEDGER_SCHEMA_H
#define SPFROM_LEDGER_LEDGER_SCHEMA_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>

/*
 * The tables of the ledger. Their version is the database's user_version; the step from each
 * version to the next is a script in ledger_schema.c, and a new ledger goes through all of them. A
 * script that was released is never changed.
 *
 * domains.name is a domain name, "" or "*" (see advice/ledger.h). Times are milliseconds since 1970
 * (UTC), days days since 1970-01-01 (local), so date(day * 86400, 'unixepoch') shows one. result
 * and action are the numbers of SpfResult (and LEDGER_UNCHECKED) and MessageAction.
 */
#define LEDGER_APPLICATION_ID 0x73706672 /* "spfr" */
#define LEDGER_SCHEMA_VERSION 2

/* Makes or mends the tables, in one transaction. Errors are those of ledger_open(). */
bool ledger_schema_prepare(sqlite3 *database, const char *file, GError **error);

/* Is it a ledger of this version? */
bool ledger_schema_check(sqlite3 *database, const char *file, GError **error);

/* Sets error to what SQLite says of file. Returns false. */
bool ledger_schema_fail(sqlite3 *database, const char *file, GError **error);
#endif
