#include "config.h"

#include "daemon/message_log.h"

#include <pthread.h>
#include <string.h>

#include "base/log.h"

typedef struct {
    char queue_id[MESSAGE_LOG_ID_MAX];
    char line[MESSAGE_LOG_LINE_MAX];
} Recent;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards both */
static Recent ring[MESSAGE_LOG_MAX];
static guint next; /* where the next one goes: the place of the oldest */

void message_log_keep(const char *queue_id, const char *line)
{
    if (strlen(queue_id) >= MESSAGE_LOG_ID_MAX)
        return;
    pthread_mutex_lock(&lock);
    g_strlcpy(ring[next].queue_id, queue_id, sizeof ring[next].queue_id);
    g_strlcpy(ring[next].line, line, sizeof ring[next].line);
    next = (next + 1) % MESSAGE_LOG_MAX;
    pthread_mutex_unlock(&lock);
}

char *message_log_find(const char *queue_id)
{
    char *found = NULL;

    pthread_mutex_lock(&lock);
    for (guint i = 1; i <= MESSAGE_LOG_MAX && found == NULL; i++) {
        const Recent *recent = &ring[(next + MESSAGE_LOG_MAX - i) % MESSAGE_LOG_MAX];

        if (recent->line[0] != '\0' && strcmp(recent->queue_id, queue_id) == 0)
            found = g_strdup(recent->line);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

/* The whole address, owned by the caller. One that could not be read is what came between "<>". */
static char *whole_address(const Mailbox *mailbox, const char *domain)
{
    const char *text = mailbox->local_part;
    gsize length = strlen(text);

    if (mailbox->addr_spec != NULL)
        return g_strdup(mailbox->addr_spec);
    if (domain != NULL)
        return g_strconcat(text, "@", domain, NULL);
    if (length > 1 && text[0] == '<' && text[length - 1] == '>')
        return g_strndup(text + 1, length - 2);
    return g_strdup(text);
}

/* A mailbox as log_addresses wants it shown: whole, or its domain alone. */
static void pair_mailbox(GString *line, Settings *settings, const char *key, const Mailbox *mailbox)
{
    g_autofree char *text = NULL;
    const char *domain = mailbox->domain_name != NULL ? mailbox->domain_name : mailbox->domain;

    if (mailbox_is_null_sender(mailbox))
        text = g_strdup("<>");
    else if (!settings->log_local_parts)
        text = g_strdup(domain != NULL ? domain : "-");
    else
        text = whole_address(mailbox, domain);
    log_pair(line, key, text);
}

static void pair_text(GString *line, const char *key, const char *value)
{
    if (value != NULL)
        log_pair(line, key, value);
}

/* Why the verdict is what it is; names that were made of the local part as log_addresses wants. */
static void pair_reason(GString *line, Settings *settings, const Verdict *verdict)
{
    bool is_masked = !settings->log_local_parts && verdict->masked_reason != NULL;

    pair_text(line, "reason", is_masked ? verdict->masked_reason : verdict->reason);
}

static const char *reply_to_text(ReplyToOutcome outcome)
{
    switch (outcome) {
    case REPLY_TO_ADDED:
        return "added";
    case REPLY_TO_KEPT:
        return "kept";
    case REPLY_TO_NONE:
        return "none";
    }
    return "none";
}

static void pair_decision(GString *line, Settings *settings, const Decision *decision,
                          const Mailbox *sender)
{
    const Plan *plan = decision->plan;

    if (plan->author != NULL)
        pair_mailbox(line, settings, "author", plan->author);
    pair_mailbox(line, settings, "sender", sender);
    pair_text(line, "domain", plan->domain);
    log_pair(line, "spf", spf_result_text(plan->result));
    if (plan->verdict != NULL) {
        pair_text(line, "relay", plan->verdict->relay);
        pair_text(line, "mechanism", plan->verdict->mechanism);
        pair_reason(line, settings, plan->verdict);
        log_pair(line, "cache", verdict_source_text(decision->source));
    }
    if (decision->is_dkim_exempt)
        log_pair(line, "dkim", "pass");
    if (decision->edits != NULL)
        log_pair(line, "reply_to", reply_to_text(decision->reply_to));
    if (plan->envelope_sender != NULL)
        log_pair(line, "envelope", plan->rewrite_author ? "fallback" : "changed");
    log_pair(line, "aligned", plan->is_aligned ? "yes" : "no");
}

/* The line without the queue id before it. */
static GString *compose(Settings *settings, const MessageLog *message, const Decision *decision)
{
    GString *line = g_string_sized_new(512);
    char client[NETWORK_TEXT_MAX];

    log_pair(line, "action", message_action_text(message->action));
    if (decision != NULL)
        pair_decision(line, settings, decision, message->sender);
    else if (message->sender != NULL)
        pair_mailbox(line, settings, "sender", message->sender);
    if (message->client != NULL)
        log_pair(line, "client", network_text(message->client, client));
    g_string_append_printf(line, " ms=%.1f", (double)message->duration / 1000);
    return line;
}

void message_log_write(int level, Settings *settings, const MessageLog *message,
                       const Decision *decision)
{
    g_autoptr(GString) line = compose(settings, message, decision);
    g_autoptr(GString) begin = g_string_new(NULL);
    const char *queue_id = message->queue_id != NULL ? message->queue_id : "-";

    log_value(begin, queue_id);
    message_log_keep(queue_id, line->str + strspn(line->str, " "));
    log_write(level, "%s:%s", begin->str, line->str);
}
