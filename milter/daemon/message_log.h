#ifndef SPFROM_DAEMON_MESSAGE_LOG_H
#define SPFROM_DAEMON_MESSAGE_LOG_H

#include "base/network.h"
#include "mail/mailboxes.h"
#include "policy/message_action.h"
#include "policy/settings.h"
#include "verdict/decision.h"

/* What one message's log line tells besides the decision (design section 13). */
typedef struct {
    const char *queue_id;   /* NULL: the MTA gave none */
    const char *message_id; /* without "<" and ">"; NULL: none. It is not logged: the MTA does */
    MessageAction action;
    const Mailbox *sender;
    const Network *client;          /* NULL: none is known */
    const GPtrArray *return_tokens; /* of char *, if the message came back; else NULL */
    gint64 duration;                /* microseconds from the end of the message to the decision */
} MessageLog;

/* Writes the line, if level is logged, and keeps it in any case (daemon/recent_messages.h). decision is NULL if nothing was
 * decided: inbound, local, error. */
void message_log_write(int level, Settings *settings, const MessageLog *message,
                       const Decision *decision);
#endif
