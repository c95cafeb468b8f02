#ifndef SPFROM_BASE_PARALLEL_H
#define SPFROM_BASE_PARALLEL_H

#include <glib.h>

/*
 * Several pieces of work at once, for work that mostly waits. The caller does its share; helpers
 * are threads that live for one call, with all signals blocked.
 */

/* Helpers of the whole process. Beyond them, callers do their work with fewer, or alone. */
#define PARALLEL_HELPERS_MAX 256

/* Helpers of one call. */
#define PARALLEL_CALL_MAX 80

/*
 * Calls work(hook, 0) to work(hook, count - 1), each once and in any order, and returns when all of
 * them have returned. Without helpers (PARALLEL_HELPERS_MAX, or no thread to be had), the caller
 * does one after the other.
 */
void parallel_run(guint count, void (*work)(void *hook, guint position), void *hook);
#endif
