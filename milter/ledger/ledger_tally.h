#ifndef SPFROM_LEDGER_LEDGER_TALLY_H
#define SPFROM_LEDGER_LEDGER_TALLY_H

#include <glib.h>

#include "ledger/ledger_row.h"

/*
 * Rows that the ledger does not have yet, added up in memory. Strangers choose the domains: from
 * LEDGER_TALLY_ROWS_MAX rows on, those of another domain add to LEDGER_OTHER_DOMAINS, with their
 * day, result and action, so that every sum stays exact. No lock: its owner has one.
 */
typedef struct LedgerTally LedgerTally;

#define LEDGER_TALLY_ROWS_MAX 20000

LedgerTally *ledger_tally_new(void);
void ledger_tally_free(LedgerTally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerTally, ledger_tally_free)

/* Copies row. */
void ledger_tally_add(LedgerTally *tally, const LedgerRow *row);

/* Adds all that is in from. */
void ledger_tally_add_all(LedgerTally *tally, const LedgerTally *from);

/* The messages in it. */
guint64 ledger_tally_messages(const LedgerTally *tally);

/* Those of them whose domain is not known any more. */
guint64 ledger_tally_others(const LedgerTally *tally);

/* Its rows: a GPtrArray of LedgerRow, which are valid until the tally changes. */
GPtrArray *ledger_tally_rows(const LedgerTally *tally);
#endif
