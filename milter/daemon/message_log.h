#ifndef SPFROM_DAEMON_MESSAGE_LOG_H
#define SPFROM_DAEMON_MESSAGE_LOG_H

#include "base/network.h"
#include "mail/mailboxes.h"
#include "policy/message_action.h"
#include "policy/settings.h"
#include "verdict/decision.h"

/* What one message's log line tells besides the decision (design section 13). */
typedef struct {
    const char *queue_id; /* NULL: the MTA gave none */
    MessageAction action;
    const Mailbox *sender;
    const Network *client; /* NULL: none is known */
    gint64 duration;       /* microseconds from the end of the message to the decision */
} MessageLog;

/* Writes the line, if level is logged, and keeps it in any case. decision is NULL if nothing was
 * decided: inbound, local, error. */
void message_log_write(int level, Settings *settings, const MessageLog *message,
                       const Decision *decision);

/*
 * The lines of the last messages are kept, so that the sender of one can ask what became of it,
 * whatever the log level and wherever the log goes. Bounded, nothing is allocated for a message; one
 * lock inside guards all, held for a copy of one line. Any thread may call.
 */
#define MESSAGE_LOG_MAX 256
#define MESSAGE_LOG_LINE_MAX 1024 /* octets with the NUL; a longer line is cut */
#define MESSAGE_LOG_ID_MAX 64     /* octets with the NUL; a longer queue id is never found */

/* Keeps a copy of line, to be found by queue_id. */
void message_log_keep(const char *queue_id, const char *line);

/* The newest line of that queue id, owned by the caller; NULL if it is not kept (any more). */
char *message_log_find(const char *queue_id);
#endif
