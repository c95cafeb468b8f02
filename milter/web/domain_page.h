#ifndef SPFROM_WEB_DOMAIN_PAGE_H
#define SPFROM_WEB_DOMAIN_PAGE_H

#include <glib.h>

#include "advice/domain_check.h"
#include "ledger/ledger_report.h"
#include "show/view.h"
#include "web/request.h"

/* What the ledger knows of one domain. */
typedef struct {
    /* For people: why the ledger can't be read; NULL: it was. */
    char *problem;
    LedgerPeriod period;
    /* NULL: never. */
    LedgerDomain *seen;
    /* Of LedgerDomainDay, the oldest first. */
    GArray *history;
} DomainLedger;

/* What the page of one domain shows, as it was found out for one page. Borrows nothing but check's
 * own. */
typedef struct {
    const DomainCheck *check;
    const GPtrArray *pieces; /* of AdvicePiece (advice/advice_text.h) in the reader's language */
    const char *letter;      /* NULL: there is none to be written */
    const DomainLedger *ledger;
} DomainFacts;

/* The page, owned by the caller. */
char *domain_page(const View *view, const Request *request, const DomainFacts *facts);

/* The page that asks for a domain, and the one that says that what was asked for is none. */
char *domain_page_empty(const View *view, const Request *request);
char *domain_page_malformed(const View *view, const Request *request);
#endif
