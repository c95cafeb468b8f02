#ifndef SPFROM_BASE_LOG_OUTPUT_H
#define SPFROM_BASE_LOG_OUTPUT_H

#include <glib.h>

#include "base/log.h"

/*
 * Where log lines go: stderr, which may be systemd's journal, or the syslog daemon at /dev/log. The
 * C library's syslog(3) waits for a daemon that does not read, and does not tell whether a line got
 * there; this one does neither.
 */

/* program is kept, not copied. */
void log_output_open(const char *program, LogTarget target);

/* A new line as it is written: text with what the target wants before and behind it. */
GBytes *log_output_line(int level, const char *text);

typedef enum {
    LOG_OUTPUT_WRITTEN,
    LOG_OUTPUT_BUSY,   /* nobody reads */
    LOG_OUTPUT_FAILED, /* there is nothing to write to */
} LogOutputResult;

/*
 * Waits up to patience milliseconds for a reader; -1: as long as it takes, so that it is never
 * LOG_OUTPUT_BUSY. One thread at a time may call it.
 */
LogOutputResult log_output_write(GBytes *line, int patience);

/* How many octets several lines may have that are written as one; 0 where that is not possible. */
gsize log_output_join_max(void);

/* For a signal handler: writes text without allocating, locking or waiting. */
void log_output_write_crash(const char *text);
#endif
