#ifndef SPFROM_DAEMON_SIGNALS_H
#define SPFROM_DAEMON_SIGNALS_H

#include <glib.h>
#include <stdbool.h>

/*
 * Signals, kept from libmilter, which would stop the daemon on each of them (signals.c). One thread
 * waits for them and notes them; it does no work.
 */

/* Blocks SIGHUP, SIGTERM and SIGINT and ignores SIGPIPE: first thing in main(), so that every
 * thread inherits it. */
void signals_block(void);

/* From now on the log says which signal ended the daemon, if it crashes. It still does crash. */
void signals_report_crashes(void);

/*
 * Starts the thread. on_reload is called for SIGHUP, in a thread of its own, one call at a time.
 * Returns false if there can be no thread.
 */
bool signals_start(void (*on_reload)(void));

/* What signals_wait() woke up for. */
typedef enum {
    SIGNALS_STOP,  /* SIGTERM or SIGINT */
    SIGNALS_ENDED, /* signals_note_end(): libmilter has returned */
} SignalsEvent;

SignalsEvent signals_wait(void);

/* libmilter's main loop has returned. */
void signals_note_end(void);
#endif
