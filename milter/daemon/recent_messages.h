#ifndef SPFROM_DAEMON_RECENT_MESSAGES_H
#define SPFROM_DAEMON_RECENT_MESSAGES_H

#include <glib.h>

/*
 * The lines of the last messages are kept, so that somebody can ask what became of one, whatever
 * the log level and wherever the log goes. Bounded, nothing is allocated for a message; one lock
 * inside guards all, held for a copy of one line or for a look through all. Any thread may call.
 */
#define RECENT_MESSAGES_MAX 1000
#define RECENT_MESSAGES_LINE_MAX 1024 /* octets with the NUL; a longer line is cut */
/* Octets with the NUL; a message is never found by a longer one. */
#define RECENT_MESSAGES_ID_MAX 64          /* a queue id */
#define RECENT_MESSAGES_MESSAGE_ID_MAX 256 /* a message id */

/* A message to be kept, or what is asked for. Any text may be NULL: there is none, or it does not
 * matter. Of addresses and domains only a digest is kept: log_addresses may want them forgotten. */
typedef struct {
    const char *queue_id;
    const char *message_id; /* without "<" and ">" */
    const char *author;     /* an addr-spec; case does not matter */
    const char *sender;     /* of the envelope, the same; to ask by address, author is enough */
    const char *domain;     /* of the author; of the sender if nothing was decided */
    const char *decided;    /* the domain that decided, maybe the sender's */
} RecentMessage;

/* Keeps a copy. time is wall time. */
void recent_messages_keep(gint64 time, const RecentMessage *message, const char *line);

/*
 * The newest messages that match all that is given in wanted, at most limit of them: author matches
 * author or sender, domain matches domain or decided. Returns an array of MessageRecord
 * (control/message_record.h), newest first, owned by the caller.
 */
GPtrArray *recent_messages_find(const RecentMessage *wanted, guint limit);
#endif
