#include "config.h"

#include "daemon/recent_messages.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "control/message_record.h"

typedef struct {
    gint64 time;
    guint64 author; /* digests; 0: none */
    guint64 sender;
    guint64 domain;
    guint64 decided;
    char queue_id[RECENT_MESSAGES_ID_MAX];
    char message_id[RECENT_MESSAGES_MESSAGE_ID_MAX];
    char line[RECENT_MESSAGES_LINE_MAX]; /* empty: nothing is kept here yet */
} Kept;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards both */
static Kept ring[RECENT_MESSAGES_MAX];
static guint next; /* where the next one goes: the place of the oldest */

/* FNV-1a of text in lower case; 0 for NULL. */
static guint64 digest(const char *text)
{
    guint64 hash = G_GUINT64_CONSTANT(0xcbf29ce484222325);

    if (text == NULL)
        return 0;
    for (; *text != '\0'; text++)
        hash = (hash ^ (guint8)g_ascii_tolower(*text)) * G_GUINT64_CONSTANT(0x100000001b3);
    return hash;
}

/* Copies text; one that is too long, or NULL, becomes empty. */
static void copy_whole(char *copy, gsize size, const char *text)
{
    if (text == NULL || g_strlcpy(copy, text, size) >= size)
        copy[0] = '\0';
}

void recent_messages_keep(gint64 time, const RecentMessage *message, const char *line)
{
    guint64 author = digest(message->author);
    guint64 sender = digest(message->sender);
    guint64 domain = digest(message->domain);
    guint64 decided = digest(message->decided);
    Kept *kept;

    pthread_mutex_lock(&lock);
    kept = &ring[next];
    kept->time = time;
    kept->author = author;
    kept->sender = sender;
    kept->domain = domain;
    kept->decided = decided;
    copy_whole(kept->queue_id, sizeof kept->queue_id, message->queue_id);
    copy_whole(kept->message_id, sizeof kept->message_id, message->message_id);
    g_strlcpy(kept->line, line, sizeof kept->line);
    next = (next + 1) % RECENT_MESSAGES_MAX;
    pthread_mutex_unlock(&lock);
}

static bool is_same(const char *wanted, const char *text)
{
    return wanted == NULL || (*wanted != '\0' && strcmp(wanted, text) == 0);
}

static bool is_either(guint64 wanted, guint64 a, guint64 b)
{
    return wanted == 0 || wanted == a || wanted == b;
}

GPtrArray *recent_messages_find(const RecentMessage *wanted, guint limit)
{
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)message_record_free);
    guint64 author = digest(wanted->author);
    guint64 domain = digest(wanted->domain);

    pthread_mutex_lock(&lock);
    for (guint i = 1; i <= RECENT_MESSAGES_MAX && found->len < limit; i++) {
        const Kept *kept = &ring[(next + RECENT_MESSAGES_MAX - i) % RECENT_MESSAGES_MAX];

        if (kept->line[0] == '\0')
            break;
        if (is_same(wanted->queue_id, kept->queue_id) &&
            is_same(wanted->message_id, kept->message_id) &&
            is_either(author, kept->author, kept->sender) &&
            is_either(domain, kept->domain, kept->decided))
            g_ptr_array_add(found,
                            message_record_new(
                                kept->time, kept->queue_id[0] != '\0' ? kept->queue_id : "-",
                                kept->message_id[0] != '\0' ? kept->message_id : NULL, kept->line));
    }
    pthread_mutex_unlock(&lock);
    return found;
}
