#ifndef SPFROM_LEDGER_LEDGER_H
#define SPFROM_LEDGER_LEDGER_H

#include <glib.h>
#include <stdbool.h>

#include "ledger/database.h"
#include "ledger/ledger_tally.h"

/*
 * What was seen per domain and day (design section 16): an SQLite file. Domains, results, actions,
 * counts and times are in it, no local parts and no recipients. The daemon writes; any number of
 * readers (ledger_report.h) read meanwhile, and neither waits for the other.
 */
typedef struct Ledger Ledger;

/*
 * Opens the ledger in file for the one writer, makes it if there is none (mode 0640), and brings
 * an older one up to date. A file that is not whole is DATABASE_FAILURE_CORRUPT: looking through it
 * takes at most some seconds. Belongs to one thread.
 */
Ledger *ledger_open(const char *file, GError **error);

/*
 * Opens it for reading. A reader sees the ledger as it was at this moment until it closes it, so
 * that what it asks for fits together; closes it soon, since the writer's log grows meanwhile.
 */
Ledger *ledger_open_read_only(const char *file, GError **error);

/*
 * A ledger that nobody else sees, with what file has of the days from from to to (all of its
 * domains); ledger_write() may add to it. It goes when it is closed.
 */
Ledger *ledger_copy(const char *file, guint32 from, guint32 to, GError **error);

void ledger_close(Ledger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ledger, ledger_close)

/* Domains that are new to the ledger on one day; what is over that goes to LEDGER_OTHER_DOMAINS. */
#define LEDGER_NEW_DOMAINS_MAX 100000

/* Adds rows (of LedgerRow) to what is there: all of them, or none and error. */
bool ledger_write(Ledger *ledger, const GPtrArray *rows, GError **error);

/*
 * Deletes the oldest day before day, and with it the domains that were seen on no other; one day at
 * a time, so that writing goes on between.
 *
 * is_more  set to whether there is another one
 */
bool ledger_expire(Ledger *ledger, guint32 day, bool *is_more, GError **error);

/* The latest day before day that the ledger has mail of; 0 if there is none. */
bool ledger_last_day(Ledger *ledger, guint32 day, guint32 *last, GError **error);

/*
 * Mends what a clock that was ahead has left behind: a domain that was seen after now counts as
 * seen now. Otherwise a result of that time would outweigh all that come until then.
 *
 * now      wall time
 */
bool ledger_forget_future(Ledger *ledger, gint64 now, GError **error);

/*
 * What tells this ledger from every other one: 16 hex digits, made at random with it, and owned by the
 * caller. NULL if it has none: no writer of this version has opened it yet, or with error.
 */
char *ledger_id(Ledger *ledger, GError **error);

/* Is there another file, or none, in the place of the one that is open? */
bool ledger_is_moved(Ledger *ledger);

/*
 * The tables of the ledger. Their version is the database's user_version; the step from each
 * version to the next is a script in ledger.c, and a new ledger goes through all of them. A
 * script that was released is never changed.
 *
 * domains.name is a domain name, "" or "*" (see ledger_tally.h). Times are milliseconds since 1970
 * (UTC), days days since 1970-01-01 (local), so date(day * 86400, 'unixepoch') shows one. result
 * and action are the numbers of SpfResult (and LEDGER_UNCHECKED, LEDGER_DKIM) and MessageAction.
 */
#define LEDGER_SCHEMA_VERSION 4

/* For ledger_report.c: borrowed. */
Database *ledger_database(Ledger *ledger);
#endif
