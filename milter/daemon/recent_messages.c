#include "config.h"

#include "daemon/recent_messages.h"

#include <pthread.h>
#include <string.h>

typedef struct {
    char queue_id[RECENT_MESSAGES_ID_MAX];
    char line[RECENT_MESSAGES_LINE_MAX];
} Recent;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards both */
static Recent ring[RECENT_MESSAGES_MAX];
static guint next; /* where the next one goes: the place of the oldest */

void recent_messages_add(const char *queue_id, const char *line)
{
    if (strlen(queue_id) >= RECENT_MESSAGES_ID_MAX)
        return;
    pthread_mutex_lock(&lock);
    g_strlcpy(ring[next].queue_id, queue_id, sizeof ring[next].queue_id);
    g_strlcpy(ring[next].line, line, sizeof ring[next].line);
    next = (next + 1) % RECENT_MESSAGES_MAX;
    pthread_mutex_unlock(&lock);
}

char *recent_messages_find(const char *queue_id)
{
    char *found = NULL;

    pthread_mutex_lock(&lock);
    for (guint i = 1; i <= RECENT_MESSAGES_MAX && found == NULL; i++) {
        const Recent *recent = &ring[(next + RECENT_MESSAGES_MAX - i) % RECENT_MESSAGES_MAX];

        if (recent->line[0] != '\0' && strcmp(recent->queue_id, queue_id) == 0)
            found = g_strdup(recent->line);
    }
    pthread_mutex_unlock(&lock);
    return found;
}
