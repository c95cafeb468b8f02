#ifndef SPFROM_VERDICT_UPKEEP_H
#define SPFROM_VERDICT_UPKEEP_H

#include <glib.h>
#include <stdbool.h>

#include "verdict/verdict_cache.h"

/*
 * The threads behind Verdicts: one refreshes the relay set when it is time, UPKEEP_RENEWERS others
 * take renewals out of a bounded queue, so that neither a slow relay host nor a slow domain holds
 * the others up for long. All signals are blocked in them.
 *
 * Lock protocol: one mutex inside guards the queue, the wake-up and the stop; it is not held while
 * work is done.
 */
typedef struct Upkeep Upkeep;

#define UPKEEP_RENEWERS 4
#define UPKEEP_QUEUE_MAX                                                                           \
    256 /* renewals that wait; one more is dropped: the domain is then evaluated when it is due */

typedef struct {
    gint64 (*refresh)(void *hook); /* returns after how many microseconds, or upkeep_wake(), it is
                                      to be called again */
    void (*renew)(void *hook, const VerdictKey *key);
    void *hook;
} UpkeepWork;

#define UPKEEP_ERROR (upkeep_error_quark())
typedef enum { UPKEEP_ERROR_THREAD } UpkeepError;
GQuark upkeep_error_quark(void);

/* Starts the threads. Returns NULL with error (UPKEEP_ERROR) set where the system has none to give.
 */
Upkeep *upkeep_new(const UpkeepWork *work, GError **error);

/* Tells the threads to stop, and drops what waits. */
void upkeep_stop(Upkeep *upkeep);

/* Stops, waits for the work under way, and frees. */
void upkeep_free(Upkeep *upkeep);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Upkeep, upkeep_free)

/* Calls refresh soon. */
void upkeep_wake(Upkeep *upkeep);

/* Calls renew with a copy of key, which has a local part, soon. Returns false where the queue is
 * full. */
bool upkeep_renew(Upkeep *upkeep, const VerdictKey *key);
#endif
