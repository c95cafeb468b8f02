#include "config.h"

#include "daemon/message_log.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/message_record.h"

typedef struct {
    gint64 time;
    guint64 author; /* digests; 0: none */
    guint64 sender;
    guint64 domain;
    guint64 decided;
    char queue_id[MESSAGE_LOG_ID_MAX];
    char message_id[MESSAGE_LOG_MESSAGE_ID_MAX];
    char line[MESSAGE_LOG_LINE_MAX]; /* empty: nothing is kept here yet */
} Kept;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards both */
static Kept ring[MESSAGE_LOG_KEPT];
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

void message_log_keep(gint64 time, const MessageLogKey *message, const char *line)
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
    next = (next + 1) % MESSAGE_LOG_KEPT;
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

GPtrArray *message_log_find(const MessageLogKey *wanted, guint limit)
{
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)message_record_free);
    guint64 author = digest(wanted->author);
    guint64 domain = digest(wanted->domain);

    pthread_mutex_lock(&lock);
    for (guint i = 1; i <= MESSAGE_LOG_KEPT && found->len < limit; i++) {
        const Kept *kept = &ring[(next + MESSAGE_LOG_KEPT - i) % MESSAGE_LOG_KEPT];

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
    const ReturnForm *fallback = plan_other_fallback(plan, settings);

    if (plan->author != NULL)
        pair_mailbox(line, settings, "author", plan->author);
    pair_mailbox(line, settings, "sender", sender);
    pair_text(line, "domain", plan->domain);
    log_pair(line, "spf", plan_result_text(plan) != NULL ? plan_result_text(plan) : "-");
    pair_text(line, "why", plan_why_text(plan->why));
    if (plan->verdict != NULL) {
        pair_text(line, "relay", plan->verdict->relay);
        pair_text(line, "mechanism", plan->verdict->mechanism);
        pair_reason(line, settings, plan->verdict);
        log_pair(line, "cache", verdict_source_text(decision->source));
    }
    if (decision->is_dkim_exempt)
        log_pair(line, "dkim", "pass");
    pair_text(line, "dkim", plan->dkim);
    if (plan->rewrite_author)
        log_pair(line, "reply_to", reply_to_text(decision->reply_to));
    if (plan->envelope_sender != NULL)
        log_pair(line, "envelope", plan->rewrite_author ? "fallback" : "changed");
    if (fallback != NULL)
        log_pair(line, "fallback",
                 settings->log_local_parts ? return_form_shown(fallback)
                                           : plan->fallback->domain_name);
    log_pair(line, "aligned", plan->is_aligned ? "yes" : "no");
}

#define TOKENS_MAX 20 /* that a line tells */

/* How the message came back, or that it leaves without a way back. */
static void pair_return(GString *line, const Decision *decision, const GPtrArray *tokens)
{
    g_autoptr(GString) list = g_string_new(NULL);

    if (decision->is_token_unavailable)
        log_pair(line, "return", "unavailable");
    if (!decision->is_returned)
        return;
    log_pair(line, "return", return_kind_text(decision->return_kind));
    for (guint i = 0; i < MIN(tokens->len, TOKENS_MAX); i++)
        g_string_append_printf(list, "%s%s", i > 0 ? "," : "",
                               (const char *)g_ptr_array_index(tokens, i));
    log_pair(line, "token", list->str);
    if (decision->is_loop)
        log_pair(line, "loop", "yes");
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
    if (decision != NULL)
        pair_return(line, decision, message->return_tokens);
    if (message->client != NULL)
        log_pair(line, "client", network_text(message->client, client));
    g_string_append_printf(line, " ms=%.1f", (double)message->duration / 1000);
    return line;
}

static const char *domain_of(const Mailbox *mailbox)
{
    return mailbox != NULL ? mailbox->domain_name : NULL;
}

static void keep(const MessageLog *message, const Decision *decision, const char *line)
{
    const Mailbox *author = decision != NULL ? decision->plan->author : NULL;
    const MessageLogKey recent = {
        .queue_id = message->queue_id,
        .message_id = message->message_id,
        .author = author != NULL ? author->addr_spec : NULL,
        .sender = message->sender != NULL ? message->sender->addr_spec : NULL,
        .domain = domain_of(decision != NULL ? author : message->sender),
        .decided = decision != NULL ? decision->plan->domain : NULL,
    };

    message_log_keep(clock_wall(&clock_system), &recent, line);
}

void message_log_write(int level, Settings *settings, const MessageLog *message,
                       const Decision *decision)
{
    g_autoptr(GString) line = compose(settings, message, decision);
    g_autoptr(GString) begin = g_string_new(NULL);
    const char *queue_id = message->queue_id != NULL ? message->queue_id : "-";

    log_value(begin, queue_id);
    keep(message, decision, line->str + strspn(line->str, " "));
    log_write(level, "%s:%s", begin->str, line->str);
}
