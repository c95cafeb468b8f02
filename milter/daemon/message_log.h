#ifndef SPFROM_DAEMON_MESSAGE_LOG_H
#define SPFROM_DAEMON_MESSAGE_LOG_H

#include <glib.h>

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

/* Writes the line, if level is logged, and keeps it in any case. decision is NULL if nothing was
 * decided: inbound, local, error. */
void message_log_write(int level, Settings *settings, const MessageLog *message,
                       const Decision *decision);

/*
 * The lines of the last messages are kept, so that somebody can ask what became of one, whatever
 * the log level and wherever the log goes. Bounded, nothing is allocated for a message; one lock
 * inside guards all, held for a copy of one line or for a look through all. Any thread may call.
 */
#define MESSAGE_LOG_KEPT 1000
#define MESSAGE_LOG_LINE_MAX 1024 /* octets with the NUL; a longer line is cut */
/* Octets with the NUL; a message is never found by a longer one. */
#define MESSAGE_LOG_ID_MAX 64          /* a queue id */
#define MESSAGE_LOG_MESSAGE_ID_MAX 256 /* a message id */

/* A message to be kept, or what is asked for. Any text may be NULL: there is none, or it does not
 * matter. Of addresses and domains only a digest is kept: log_addresses may want them forgotten. */
typedef struct {
    const char *queue_id;
    const char *message_id; /* without "<" and ">" */
    const char *author;     /* an addr-spec; case does not matter */
    const char *sender;     /* of the envelope, the same; to ask by address, author is enough */
    const char *domain;     /* of the author; of the sender if nothing was decided */
    const char *decided;    /* the domain that decided, maybe the sender's */
} MessageLogKey;

/* Keeps a copy. time is wall time. */
void message_log_keep(gint64 time, const MessageLogKey *message, const char *line);

/*
 * The newest messages that match all that is given in wanted, at most limit of them: author matches
 * author or sender, domain matches domain or decided. Returns an array of MessageRecord
 * (control/message_record.h), newest first, owned by the caller.
 */
GPtrArray *message_log_find(const MessageLogKey *wanted, guint limit);
#endif
