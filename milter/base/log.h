#ifndef SPFROM_BASE_LOG_H
#define SPFROM_BASE_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <syslog.h>

/*
 * One event, one line, to syslog (facility mail) or stderr. Levels are those of syslog(3): LOG_ERR,
 * LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG. Any thread may write; log_open() comes first,
 * before other threads start. If stderr is systemd's journal, it is told the level of each line.
 *
 * The C library's syslog(3) waits for a daemon that does not read, and does not tell whether a line
 * got there; this module writes to /dev/log itself and does neither. After log_queue_start() nobody
 * who logs ever waits: a thread writes the lines, and a line that does not fit into the queue is
 * dropped and counted. Once the target takes lines again, one line says how many were dropped.
 * Without the thread a line is written at once, and dropped if the target does not take it within
 * a second.
 *
 * Lock protocol: one lock inside guards the queue. The thread does not hold it while it writes.
 */
typedef enum { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG } LogTarget;

/* program is kept, not copied. Lines below level (larger numbers) are dropped. */
void log_open(const char *program, LogTarget target, int level);
void log_set_level(int level);
bool log_is_enabled(int level);

/*
 * A line longer than LOG_LINE_MAX octets is cut. A control in it (see log_pair()) and octets that
 * are not UTF-8 become "?"; strangers' text goes through log_pair().
 */
#define LOG_LINE_MAX 8192
void log_write(int level, const char *format, ...) G_GNUC_PRINTF(2, 3);

/*
 * Appends " key=value" to line (design section 13). A value that is empty or has a blank, '"', '=',
 * '\' or a control is put in double quotes, '"' and '\' escaped by '\', each octet of a control as
 * \xNN; octets that are not UTF-8 too. Controls are C0, DEL, C1, line separators, and what a
 * terminal obeys without showing it: zero-width characters, bidi marks and overrides. Of a value
 * longer than LOG_VALUE_MAX octets the first whole characters are shown.
 */
#define LOG_VALUE_MAX 512
void log_pair(GString *line, const char *key, const char *value);
/* The same without " key=". */
void log_value(GString *line, const char *value);

/* Octets of the lines that wait. */
#define LOG_QUEUE_MAX (4U << 20)

/* Starts the thread. Call it after log_open(), and not before fork(). Returns false if there can be
 * no thread. */
bool log_queue_start(void);

/* Ends the thread after it has written what waits, or after a second. */
void log_queue_stop(void);

/* The number of lines dropped so far. */
guint64 log_queue_lost(void);

/* For a signal handler: gives the thread a moment to write what waits. */
void log_queue_settle(void);

/* For a signal handler: writes text without allocating, locking or waiting. */
void log_write_crash(const char *text);
#endif
