#ifndef SPFROM_LEDGER_LEDGER_SHARE_H
#define SPFROM_LEDGER_LEDGER_SHARE_H

#include <glib.h>
#include <stdbool.h>

#include "fleet/fleet.h"
#include "ledger/ledger.h"

/*
 * What a host's ledger gives to the others of a fleet (design section 17); ledger_union.h reads it.
 * Each host writes the rows of its own one into the store, as sums and under the ledger's random id:
 * to write a row twice changes nothing.
 *
 *   NAME:ledgers         id → when the ledger was written to last; gone once its rows are
 *   NAME:ledger:ID       day → the messages of that day that the store has
 *   NAME:ledger:ID:DAY   "RESULT ACTION DOMAIN" → "1 MESSAGES FIRST LAST": numbers as in the file. What
 *                        came back has LEDGER_SHARE_RETURNED + kind as RESULT, and 0 for the rest
 *
 * A thread tells new rows at most once in LEDGER_SHARE_SECONDS, and as often looks whether the store
 * still has each day's messages; a day of which it does not is told anew as a whole. So an outage is
 * caught up, and a store that was emptied is filled again.
 *
 * Lock protocol: one lock inside guards what is to be told; it is not held while the store or a file
 * is asked. Any thread may call any function.
 */
#define LEDGER_SHARE_SECONDS 3
#define LEDGER_SHARE_RETURNED 100

typedef struct LedgerShare LedgerShare;

/* Starts the thread. take_fleet gives a new reference of the fleet in force; NULL: none. Returns NULL
 * if there can be no thread. */
LedgerShare *ledger_share_start(Fleet *(*take_fleet)(void));

/* file is the ledger, NULL: none; days is ledger_days. Never waits. */
void ledger_share_set_file(LedgerShare *share, const char *file, guint days);

/* rows (of LedgerRow) were added to the file. Never waits. */
void ledger_share_note(LedgerShare *share, const GPtrArray *rows);

/* May the store lack a row that it should have by now? */
bool ledger_share_is_unsent(LedgerShare *share);

/* Tells what waits, for some seconds at most, and ends the thread. Returns whether the store may lack
 * something after that. */
bool ledger_share_stop(LedgerShare *share);

/* A row as it stands in the store. Returns whether field and value are one; domain is in field. */
bool ledger_share_parse(const char *field, const char *value, LedgerRow *row);
#endif
