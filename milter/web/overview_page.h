#ifndef SPFROM_WEB_OVERVIEW_PAGE_H
#define SPFROM_WEB_OVERVIEW_PAGE_H

#include <glib.h>

#include "control/daemon_status.h"
#include "ledger/ledger_report.h"
#include "show/view.h"
#include "web/request.h"

/* What the overview and the list of domains show. Immutable once read, counted by reference, shared
 * by threads. */
typedef struct {
    gint refs;            /* overview_ref() and overview_unref() only */
    DaemonStatus *daemon; /* NULL: it can't be asked */
    char *daemon_problem; /* for people: why not; NULL: it can */
    char *ledger_problem; /* for people: why nothing of the ledger is known; NULL: it is */
    LedgerReport *ledger; /* NULL with ledger_problem */
} Overview;

Overview *overview_new(void);
Overview *overview_ref(Overview *overview);
void overview_unref(Overview *overview);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Overview, overview_unref)

#define OVERVIEW_DOMAINS_MAX 20 /* on the overview */
#define OVERVIEW_LIST_MAX 1000  /* on the list of domains */
#define OVERVIEW_AUTHORISED_MAX 20

/* The pages, owned by the caller. */
char *overview_page(const View *view, const Request *request, const Overview *overview);
char *overview_domains_page(const View *view, const Request *request, const Overview *overview);
#endif
