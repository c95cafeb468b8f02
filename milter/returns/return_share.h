#ifndef SPFROM_RETURNS_RETURN_SHARE_H
#define SPFROM_RETURNS_RETURN_SHARE_H

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "fleet/fleet.h"
#include "policy/return_address.h"

/*
 * The return addresses that the hosts of a fleet tell each other through the store (design sections
 * 17 and 19).
 *
 * A thread writes this host's rows into the store: new ones at once, and all of them at the start,
 * once a day, and when the store was emptied. What could not be told is told once the store is back.
 * Each host also says every RETURN_SHARE_ROUND seconds whether the store has all its rows, so that
 * another one knows whether a token that is not there was never given out.
 *
 * Lock protocol: one lock inside guards the tokens that wait and what is known of other hosts; it is
 * not held while the store or a file is asked. Any thread may call any function.
 */
#define RETURN_SHARE_ROUND 1 /* seconds */

typedef struct ReturnShare ReturnShare;

typedef struct {
    /* A new reference of the fleet in force; NULL: this host is alone. */
    Fleet *(*take_fleet)(void);
    const char *host;  /* this one's name */
    const char *file;  /* return.db */
    guint days;        /* return_days */
    const guint8 *key; /* RETURN_KEY_LENGTH octets, which the tokens are made with */
    const Clock *clock;
} ReturnShareOptions;

/* Starts the thread. Copies what options say. Returns NULL if there can be no thread. */
ReturnShare *return_share_start(const ReturnShareOptions *options);
void return_share_set_days(ReturnShare *share, guint days);

/* Tells what waits and that this host stops, for a second at most, and ends the thread. */
void return_share_stop(ReturnShare *share);

/* After return_share_stop(), when nobody uses it any more. */
void return_share_free(ReturnShare *share);

/* The row of token is on the disk, new or with another day. Never waits. */
void return_share_note(ReturnShare *share, const char *token);

/* Is this one of the other hosts that may have given tokens out? */
bool return_share_has_host(ReturnShare *share, const char *name);

/* Has this host rows that the store may not have? */
bool return_share_is_unsent(ReturnShare *share);

typedef enum {
    RETURN_SHARE_FOUND,
    RETURN_SHARE_UNKNOWN, /* no host of the fleet gave it out */
    /* The store can't be asked, or a host may have given it out and not told it yet; for a day at
     * most. */
    RETURN_SHARE_TROUBLE,
} ReturnShareOutcome;

/*
 * Asks the store for token (lower case), which is not known here; waits until deadline, and no
 * longer than fleet_timeout. An address counts only if the token is the one that the key gives for
 * it. If it is found, address is the caller's, and day that of last use.
 */
ReturnShareOutcome return_share_find(ReturnShare *share, const char *token, Deadline deadline,
                                     char **address, guint32 *day);
#endif
