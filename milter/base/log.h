#ifndef SPFROM_BASE_LOG_H
#define SPFROM_BASE_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <syslog.h>

/*
 * One event, one line, to syslog (facility mail) or stderr. Levels are those of syslog(3): LOG_ERR,
 * LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG. Any thread may write; log_open() comes first,
 * before other threads start. Where stderr is systemd's journal, it is told the level of each line.
 * Who writes does not wait for a reader: base/log_queue.h.
 */
typedef enum { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG } LogTarget;

/* program is kept, not copied. Lines below level (larger numbers) are dropped. */
void log_open(const char *program, LogTarget target, int level);
void log_set_level(int level);
bool log_is_enabled(int level);

/*
 * A line longer than LOG_LINE_MAX octets is cut. A control in it (see log_pair()) and what is no
 * UTF-8 become "?"; strangers' text goes through log_pair().
 */
#define LOG_LINE_MAX 8192
void log_write(int level, const char *format, ...) G_GNUC_PRINTF(2, 3);

/*
 * Appends " key=value" to line (design section 13). A value that is empty or has a blank, '"', '=',
 * '\' or a control is put in double quotes, '"' and '\' escaped by '\', each octet of a control as
 * \xNN; octets that are no UTF-8 too. Controls are C0, DEL, C1, line separators and what a terminal
 * does not show but obeys: zero-width characters, bidi marks and overrides. Of a value longer than
 * LOG_VALUE_MAX octets the first whole characters are shown.
 */
#define LOG_VALUE_MAX 512
void log_pair(GString *line, const char *key, const char *value);
/* The same without " key=". */
void log_value(GString *line, const char *value);
#endif
