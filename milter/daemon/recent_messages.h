#ifndef SPFROM_DAEMON_RECENT_MESSAGES_H
#define SPFROM_DAEMON_RECENT_MESSAGES_H

#include <glib.h>

/*
 * The log lines of the last messages, so that who has sent one can ask what became of it, whatever
 * the log level and wherever the log goes. Bounded, nothing is allocated for a message; one lock in
 * here guards all, held for a copy of one line. Any thread may call.
 */
#define RECENT_MESSAGES_MAX 256
#define RECENT_MESSAGES_LINE_MAX 1024 /* octets with the NUL; a longer line is cut */
#define RECENT_MESSAGES_ID_MAX 64     /* octets with the NUL; a longer queue id is never found */

/* line is copied; queue_id is what it is found by. */
void recent_messages_add(const char *queue_id, const char *line);

/* The newest line of that queue id, owned by the caller; NULL where there is none (any more). */
char *recent_messages_find(const char *queue_id);
#endif
