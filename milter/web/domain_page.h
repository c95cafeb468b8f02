#ifndef SPFROM_WEB_DOMAIN_PAGE_H
#define SPFROM_WEB_DOMAIN_PAGE_H

#include <glib.h>

#include "advice/domain_check.h"
#include "advice/preview.h"
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

/* What the page of one domain shows. All of it is borrowed. */
typedef struct {
    const DomainCheck *check;
    /* A domain that was seen and is written alike, if this one may be a slip; else NULL. */
    const char *meant;
    /* Of AdvicePiece (advice/words/advice_text.h), in the reader's language. */
    const GPtrArray *pieces;
    /* NULL: there is nothing to write. */
    const char *letter;
    const Preview *preview;
    /* Wall time: when DNS was asked, and until when the milter may go by an older answer. */
    gint64 asked, older_until;
    /* Of MessageRecord, newest first; NULL with recent_problem, which says to people why. */
    const GPtrArray *recent;
    const char *recent_problem;
    const DomainLedger *ledger;
} DomainFacts;

/* The page, owned by the caller. */
char *domain_page(const View *view, const Request *request, const DomainFacts *facts);

/* The page that asks for a domain, and the one that says that the text is not a domain. */
char *domain_page_empty(const View *view, const Request *request);
char *domain_page_malformed(const View *view, const Request *request);
#endif
