#ifndef SPFROM_WEB_OVERVIEW_PAGE_H
#define SPFROM_WEB_OVERVIEW_PAGE_H

#include <glib.h>

#include "control/daemon_status.h"
#include "ledger/ledger_report.h"
#include "show/view.h"
#include "web/request.h"

/* What the overview shows. Immutable once read, counted by reference, shared
 * by threads. */
typedef struct {
    /* For overview_ref() and overview_unref() only. */
    gint refs;
    /* NULL with daemon_problem, which says to people why the daemon can't be asked. */
    DaemonStatus *daemon;
    char *daemon_problem;
    /* NULL with ledger_problem, which says to people why the ledger can't be read. */
    LedgerReport *ledger;
    char *ledger_problem;
    /* Why the rows of other hosts are missing in ledger; NULL: they are not. */
    char *ledger_trouble;
} Overview;

Overview *overview_new(void);
Overview *overview_ref(Overview *overview);
void overview_unref(Overview *overview);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Overview, overview_unref)

/* Domains on the overview, and newly and no longer authorised ones. */
#define OVERVIEW_DOMAINS_MAX 20
#define OVERVIEW_AUTHORISED_MAX 20

/* The page, owned by the caller. */
char *overview_page(const View *view, const Request *request, const Overview *overview);
#endif
