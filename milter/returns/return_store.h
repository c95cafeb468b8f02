#ifndef SPFROM_RETURNS_RETURN_STORE_H
#define SPFROM_RETURNS_RETURN_STORE_H

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "fleet/fleet.h"
#include "policy/return_address.h"

/*
 * Which author a return token stands for (design section 19): the SQLite file return.db with token,
 * address as first written and day of last use, and the memory of what is in it.
 *
 * One thread writes, and commits for all that wait at that moment. The last RETURN_STORE_KNOWN
 * tokens at most are remembered, so that a message of a known author touches no file. If the file
 * can't be written, this is logged when it begins and when it ends, new tokens are unavailable at
 * once, and it is tried again every second; the rows that wait for it are bounded. A corrupt file is
 * moved aside and a new one begun; one that was deleted is made again.
 *
 * In a fleet, rows are told to the other hosts, and theirs are found (return_share.h).
 *
 * Lock protocol: one lock inside guards the memory and the queue of rows; it is not held while a
 * file is read or written. Any thread may call any function.
 */
#define RETURN_STORE_NAME "return.db" /* in state_dir */
#define RETURN_STORE_KNOWN 100000
/* That a new token waits at most: the message may be late by a second in all, and the thread that
 * waits may wake up late. */
#define RETURN_STORE_WAIT (950 * CLOCK_MILLISECOND)

typedef struct ReturnStore ReturnStore;

/*
 * Starts the thread, which opens file or makes it (0600); whether that works is in
 * return_store_status(). days: a row that was not used for as many ends (return_days).
 * Returns NULL if there can be no thread.
 */
ReturnStore *return_store_start(const char *file, guint days, const Clock *clock);
void return_store_set_days(ReturnStore *store, guint days);

/*
 * From now on rows are shared with the hosts of the fleet that take_fleet gives (a new reference; NULL:
 * none), of which this one has the name host. key is what the tokens are made with. Has an effect
 * the first time only.
 */
void return_store_share(ReturnStore *store, Fleet *(*take_fleet)(void), const char *host,
                        const guint8 key[RETURN_KEY_LENGTH]);

/* Is name another host of the fleet that may have given tokens out? */
bool return_store_has_host(ReturnStore *store, const char *name);

/*
 * Writes what waits and ends the thread; gives up after RETURN_STORE_STOP_SECONDS if the disk
 * hangs. Messages that are still under way may use the store: it takes no new token any more.
 */
#define RETURN_STORE_STOP_SECONDS 3
void return_store_stop(ReturnStore *store);

/* After return_store_stop(), when nobody uses the store any more. */
void return_store_free(ReturnStore *store);

/*
 * An outgoing message is about to carry token, which stands for address. Returns true if its row
 * is on the disk: at once for a token that is remembered, else after the commit. Returns false if
 * that failed or took longer than RETURN_STORE_WAIT or until deadline: the message must not carry
 * the token.
 */
bool return_store_put(ReturnStore *store, const char *token, const char *address,
                      Deadline deadline);

typedef enum {
    RETURN_STORE_FOUND,
    RETURN_STORE_UNKNOWN, /* never given out here, or ended */
    RETURN_STORE_TROUBLE, /* the file can't be read now, or a host of the fleet may know more */
} ReturnStoreOutcome;

typedef struct {
    char *address;     /* as first written: an addr-spec */
    guint32 last_used; /* day, as ledger_day_of() counts */
} ReturnStoreRow;

/*
 * Looks token (lower case) up in the file, and then in the fleet. If it is found, row is filled and the caller clears it
 * with return_store_row_clear(). Waits for another look-up until deadline at most.
 */
ReturnStoreOutcome return_store_find(ReturnStore *store, const char *token, Deadline deadline,
                                     ReturnStoreRow *row);
void return_store_row_clear(ReturnStoreRow *row);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ReturnStoreRow, return_store_row_clear)

/* A returned message was passed on to token's author: that is a use today. Never waits, and makes
 * no row. */
void return_store_use(ReturnStore *store, const char *token);

typedef struct {
    guint64 addresses; /* rows in the file; counted when it is opened, then kept up to date */
    guint64 failures;  /* commits that failed, since the start */
    bool is_unsent;    /* the fleet may lack a row of this host's */
    char *trouble;     /* why the file can't be written; NULL: it can */
} ReturnStoreStatus;
void return_store_status(ReturnStore *store, ReturnStoreStatus *status);
void return_store_status_clear(ReturnStoreStatus *status);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ReturnStoreStatus, return_store_status_clear)
#endif
