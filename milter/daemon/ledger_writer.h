#ifndef SPFROM_DAEMON_LEDGER_WRITER_H
#define SPFROM_DAEMON_LEDGER_WRITER_H

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "fleet/fleet.h"
#include "policy/message_action.h"
#include "policy/settings.h"
#include "verdict/decision.h"

/*
 * Counts messages for the ledger. A message adds to a table in memory, under a lock that is held
 * for nothing else, and goes on; a thread writes the table to the file once LEDGER_WRITER_BATCH
 * messages are in it, or LEDGER_WRITER_SPAN after the first. So a kill -9 loses the counts of a second
 * at most, the time of the writing included, and of LEDGER_WRITER_BATCH messages and those that ended
 * while the last batch was written; a stop loses none.
 *
 * If the file can't be written, mail goes on, the counts wait in memory (bounded, see
 * ledger/ledger_tally.h) and are written once it can be: tried every LEDGER_WRITER_RETRY_SECONDS,
 * logged when it begins and when it ends. A corrupt file is moved aside, and a new one begun.
 */
#define LEDGER_WRITER_BATCH 4000
#define LEDGER_WRITER_SPAN (700 * CLOCK_MILLISECOND)
#define LEDGER_WRITER_RETRY_SECONDS 5

/* In a fleet, what is written is told to the other hosts (ledger/ledger_share.h). take_fleet gives a
 * new reference of the fleet in force; NULL: none. Call it before ledger_writer_start(). */
void ledger_writer_share(Fleet *(*take_fleet)(void));

/*
 * Starts the thread. take_settings returns a reference of the settings in force, or NULL if the
 * daemon ends; it is asked before each batch, so that a reload takes effect with the next one. The
 * settings that are in force now say where the ledger is when that goes by state_dir. Returns false
 * if there can't be a thread.
 */
bool ledger_writer_start(Settings *(*take_settings)(void));

/*
 * Counts one message. settings are those it began with, NULL if they are not known; decision is
 * NULL if none was made. Never waits for the file.
 */
void ledger_writer_add(Settings *settings, MessageAction action, const Decision *decision);

/* Counts a message that was passed on to an author of domain. Never waits for the file. */
void ledger_writer_add_returned(Settings *settings, const char *domain, ReturnKind kind);

/* What `spfrom status` tells. */
typedef struct {
    char *file;        /* NULL: no ledger is wanted */
    char *trouble;     /* why it can't be written; NULL: it can */
    guint64 written;   /* messages, since the start */
    guint64 waiting;   /* messages that are not in the file yet */
    gint64 written_at; /* wall time; 0: never */
    bool is_unsent;    /* the fleet may lack something that is in the file; also after the stop */
} LedgerWriterStatus;
void ledger_writer_status(LedgerWriterStatus *status);
void ledger_writer_status_clear(LedgerWriterStatus *status);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LedgerWriterStatus, ledger_writer_status_clear)

/* Writes what is left and ends the thread; gives up after LEDGER_WRITER_STOP_SECONDS if the disk
 * hangs. */
#define LEDGER_WRITER_STOP_SECONDS 3
void ledger_writer_stop(void);
#endif
