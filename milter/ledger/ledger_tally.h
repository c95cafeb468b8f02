#ifndef SPFROM_LEDGER_LEDGER_TALLY_H
#define SPFROM_LEDGER_LEDGER_TALLY_H

#include <glib.h>

#include "mail/returned.h"
#include "policy/message_action.h"
#include "policy/verdict.h"

/* A row's result is an SpfResult, or says that nothing was looked up (mode off, domain_map, DKIM,
 * an exempt domain, a message that came from outside). */
#define LEDGER_UNCHECKED SPF_RESULTS
/* SPF did not authorise, but the author's domain has a DKIM key of ours (dkim_consent): From: stays. */
#define LEDGER_DKIM (LEDGER_UNCHECKED + 1)
#define LEDGER_RESULTS (LEDGER_DKIM + 1)
const char *ledger_result_text(guint result); /* "softfail" …, "unchecked", "dkim" */

/* Those of MessageAction that the ledger has. Returned mail is counted for the author it went to. */
#define LEDGER_ACTIONS (MESSAGE_ACTION_LOCAL + 1)

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
    /* 0, or a ReturnKind + 1: messages that came back to the domain's authors. They have neither
     * result nor action. */
    guint returned;
} LedgerRow;

/* Days of local time, counted from 1970-01-01. */
guint32 ledger_day_of(gint64 wall);
gint64 ledger_day_begin(guint32 day); /* wall time */
char *ledger_day_text(guint32 day);   /* "2026-01-31" */

/*
 * Rows that the ledger does not have yet, added up in memory. Strangers choose the domains: from
 * LEDGER_TALLY_ROWS_MAX rows on, those of another domain add to LEDGER_OTHER_DOMAINS, with their
 * day, result and action, so that every sum stays exact. No lock: its owner has one.
 */
typedef struct LedgerTally LedgerTally;

#define LEDGER_TALLY_ROWS_MAX 20000

LedgerTally *ledger_tally_new(void);
void ledger_tally_free(LedgerTally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerTally, ledger_tally_free)

/* Copies row. */
void ledger_tally_add(LedgerTally *tally, const LedgerRow *row);

/* Adds all that is in from. */
void ledger_tally_add_all(LedgerTally *tally, const LedgerTally *from);

/* The messages in it. */
guint64 ledger_tally_messages(const LedgerTally *tally);

/* Those of them that were added to LEDGER_OTHER_DOMAINS. */
guint64 ledger_tally_others(const LedgerTally *tally);

/* Its rows: a GPtrArray of LedgerRow, which are valid until the tally changes. */
GPtrArray *ledger_tally_rows(const LedgerTally *tally);
#endif
