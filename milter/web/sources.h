#ifndef SPFROM_WEB_SOURCES_H
#define SPFROM_WEB_SOURCES_H

#include <glib.h>
#include <stdbool.h>

#include "ledger/ledger_report.h"
#include "policy/settings.h"
#include "control/daemon_status.h"
#include "web/overview_page.h"

/* Where the data of pages comes from: the control socket and the ledger, each opened, read and
 * closed. Any thread may call. */

#define SOURCES_DAEMON_TIME 2 /* seconds for an answer of the daemon */

/* NULL with error (CONTROL_CLIENT_ERROR) set. */
DaemonStatus *sources_daemon(Settings *settings, GError **error);

/* The daemon's metrics as OpenMetrics text, or in Prometheus' older format, owned by the caller;
 * NULL with error set. */
char *sources_metrics(Settings *settings, bool is_prometheus, GError **error);

/* now: wall time; days: of the ledger */
Overview *sources_overview(Settings *settings, gint64 now, guint days);

/* What the ledger has of one domain. */
typedef struct {
    char *problem; /* for people; NULL: none */
    LedgerPeriod period;
    LedgerDomain *seen; /* NULL: never */
    GArray *history;    /* of LedgerDomainDay */
} SourcesDomain;

void sources_domain_read(Settings *settings, const char *domain, gint64 now, guint days,
                         SourcesDomain *read);
void sources_domain_clear(SourcesDomain *read);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SourcesDomain, sources_domain_clear)
#endif
