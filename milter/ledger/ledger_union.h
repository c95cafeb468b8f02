#ifndef SPFROM_LEDGER_LEDGER_UNION_H
#define SPFROM_LEDGER_LEDGER_UNION_H

#include <glib.h>

#include "ledger/ledger.h"
#include "ledger/ledger_report.h"
#include "policy/settings.h"

/*
 * Opens a ledger for ledger_report.h with the rows of all hosts: those of file, and those that others
 * have in the store. Like ledger_open_read_only() if settings name no store.
 *
 * period   days that are wanted
 * trouble  set to why the other hosts' rows are missing or cut short, owned by the caller; NULL: they
 *          are not
 */
Ledger *ledger_union_open(Settings *settings, LedgerPeriod period, char **trouble, GError **error);
#endif
