#ifndef SPFROM_WEB_DOMAIN_MAIL_H
#define SPFROM_WEB_DOMAIN_MAIL_H

#include <glib.h>

#include "advice/preview.h"
#include "ledger/ledger_report.h"
#include "show/html.h"
#include "show/view.h"
#include "web/request.h"

/* The parts of a domain's page that are about its mail: what a recipient sees, the last messages,
 * and the days. */

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

void domain_mail_add_preview(Html *html, const View *view, const Preview *preview);

/*
 * The last messages that the daemon remembers.
 *
 * recent   of MessageRecord (control/message_record.h), newest first; NULL with problem, which says
 *          to people why the daemon can't be asked
 */
void domain_mail_add_recent(Html *html, const View *view, const GPtrArray *recent,
                            const char *problem);

void domain_mail_add_history(Html *html, const View *view, const Request *request,
                             const DomainLedger *ledger);
#endif
