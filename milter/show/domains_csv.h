#ifndef SPFROM_SHOW_DOMAINS_CSV_H
#define SPFROM_SHOW_DOMAINS_CSV_H

#include "ledger/ledger_report.h"

/*
 * Domains (of LedgerDomain) as CSV (RFC 4180) with a head line, for `spfrom report --csv` and the
 * web. A field that a spreadsheet would take for a formula begins with an apostrophe. Owned by the
 * caller.
 */
char *domains_csv(const GPtrArray *domains);

/* The name of a domain in tables of text; mail without one is named in brackets. */
const char *domains_csv_name(const LedgerDomain *domain);

/* Has something come back to one of domains (of LedgerDomain)? Only then do lists have a column for it. */
bool domains_csv_has_returned(const GPtrArray *domains);
#endif
