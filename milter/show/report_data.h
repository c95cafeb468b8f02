#ifndef SPFROM_SHOW_REPORT_DATA_H
#define SPFROM_SHOW_REPORT_DATA_H

#include <glib.h>
#include <stdbool.h>

#include "ledger/ledger_report.h"

/* What `spfrom report` shows, whatever the form: all of it read at one moment. */
typedef struct {
    gint64 now; /* wall time */
    LedgerPeriod period;
    LedgerCounts total;
    GArray *days;        /* of LedgerDay */
    GPtrArray *domains;  /* of LedgerDomain, most messages first */
    guint64 all_domains; /* that there are, where domains has a limit */
    GPtrArray *newly;    /* of LedgerDomain: newly authorised */
} ReportData;

/* Reads the ledger in file. domains_max 0: all. NULL with error (LEDGER_FAILURE). */
ReportData *report_data_new(const char *file, gint64 now, guint days, guint domains_max,
                            GError **error);
void report_data_free(ReportData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReportData, report_data_free)

/* How many of those that a decision was made for; 0 to 100. */
double report_data_percent(guint64 part, guint64 whole);

/* The domain as people read it: one without a name is told in brackets. */
const char *report_data_domain(const LedgerDomain *domain);

/* The local day of wall time, "2026-01-31"; "" for 0. Owned by the caller. */
char *report_data_day(gint64 wall);

/* A number with its thousands parted: 100,000. Owned by the caller. */
char *report_data_number(guint64 number);
#endif
