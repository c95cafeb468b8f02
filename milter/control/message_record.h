#ifndef SPFROM_CONTROL_MESSAGE_RECORD_H
#define SPFROM_CONTROL_MESSAGE_RECORD_H

#include <glib.h>
#include <jansson.h>

/* What is known of one message: its line of the log (design section 13), read again, and when and
 * by which names. It comes from the daemon's memory or from a log. Pure. */
typedef struct {
    gint64 time;        /* wall; 0: not known */
    char *queue_id;     /* "-": the MTA gave none */
    char *message_id;   /* without "<" and ">"; NULL: not known */
    char *line;         /* "action=keep author=…", UTF-8 */
    GHashTable *values; /* of line, by key; see message_record_get() */
} MessageRecord;

/* Copies all of it. line may be cut at its end; what is no pair is passed over. */
MessageRecord *message_record_new(gint64 time, const char *queue_id, const char *message_id,
                                  const char *line);
void message_record_free(MessageRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MessageRecord, message_record_free)

/* The value of a key of the log such as "action", "domain", "spf", "why" or "fallback", without
 * quotes and escapes; NULL: the line has none. */
const char *message_record_get(const MessageRecord *record, const char *key);

/* A new object with "time", "queue_id", "message_id" and "line"; what isn't known is null. */
json_t *message_record_write(const MessageRecord *record);
/* NULL: it is none. */
MessageRecord *message_record_read(const json_t *object);
#endif
