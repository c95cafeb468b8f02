#ifndef SPFROM_WEB_DOMAINS_PAGE_H
#define SPFROM_WEB_DOMAINS_PAGE_H

#include <glib.h>

#include "advice/lists.h"
#include "ledger/ledger_report.h"
#include "show/view.h"
#include "web/request.h"

/*
 * The list of domains in the ledger: searched, narrowed, sorted, a page at a time.
 *
 * The kind of advice is what the last result tells without asking DNS: of a domain with permerror,
 * whether its record is to be mended, united or reduced shows only on its own page. ADVICE_REPAIR
 * stands for all three.
 */

/* Domains on a page, and in the CSV. */
#define DOMAINS_PAGE_LENGTH 50
#define DOMAINS_CSV_MAX 100000

/* Reads what request asks for. Returns NULL with error (LEDGER_FAILURE) set. */
LedgerFound *domains_page_read(Ledger *ledger, const Request *request, const Lists *lists,
                               gint64 now, GError **error);

/*
 * The page, owned by the caller.
 *
 * found    NULL with problem, which says to people why the ledger can't be read
 */
char *domains_page(const View *view, const Request *request, const Lists *lists,
                   const LedgerFound *found, const char *problem);
#endif
