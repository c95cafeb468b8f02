#ifndef SPFROM_LEDGER_LEDGER_ROW_H
#define SPFROM_LEDGER_LEDGER_ROW_H

#include <glib.h>
#include <stdbool.h>

#include "policy/message_action.h"
#include "policy/verdict.h"

/* What the ledger counts by. */
/* A row's result is an SpfResult, or says that nothing was looked up (mode off, domain_map, DKIM,
 * an exempt domain, a message that came from outside). */
#define LEDGER_UNCHECKED SPF_RESULTS
#define LEDGER_RESULTS (LEDGER_UNCHECKED + 1)
const char *ledger_result_text(guint result); /* "softfail" …, "unchecked" */

/* In place of a domain name. */
#define LEDGER_NO_DOMAIN ""      /* an author that can't be read, or no author at all */
#define LEDGER_OTHER_DOMAINS "*" /* those that were too many to be told apart */

/* Messages of one domain, day, result and action. */
typedef struct {
    const char *domain; /* see base/domain_name.h, or one of the two above */
    guint32 day;
    guint result;
    MessageAction action;
    guint64 messages;
    gint64 first, last; /* wall time, microseconds; the ledger keeps milliseconds */
} LedgerRow;

/* Days of local time, counted from 1970-01-01. */
guint32 ledger_day_of(gint64 wall);
gint64 ledger_day_begin(guint32 day); /* wall time */
char *ledger_day_text(guint32 day);   /* "2026-01-31" */
#endif
