#include "config.h"

#include "show/message_story.h"

#include <stdbool.h>
#include <string.h>

static bool is_value(const MessageRecord *record, const char *key, const char *value)
{
    return g_strcmp0(message_record_get(record, key), value) == 0;
}

/* The value of key, or other. */
static const char *value_or(const MessageRecord *record, const char *key, const char *other)
{
    const char *value = message_record_get(record, key);

    return value != NULL ? value : other;
}

static void add(GPtrArray *sentences, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add(GPtrArray *sentences, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(sentences, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

/* Was, or would have been, the author replaced? Only the envelope sender is if "envelope" says so. */
static bool is_author_replaced(const MessageRecord *record)
{
    return !is_value(record, "envelope", "changed");
}

static void tell_rewrite(const MessageRecord *record, bool is_done, GPtrArray *sentences)
{
    const char *author = value_or(record, "author", "in From:, which can't be read,");
    const char *fallback = message_record_get(record, "fallback");

    if (!is_done)
        add(sentences,
            "The message was not touched, since the mode was log-only. What follows would "
            "have happened in mode rewrite.");
    if (is_author_replaced(record))
        add(sentences, "The author %s was replaced by the fallback address%s%s.", author,
            fallback != NULL ? " " : "", fallback != NULL ? fallback : "");
    else
        add(sentences, "The author stayed. The envelope sender %s was replaced.",
            value_or(record, "sender", "-"));
}

static void tell_action(const MessageRecord *record, GPtrArray *sentences)
{
    const char *action = value_or(record, "action", "");

    if (strcmp(action, "keep") == 0)
        add(sentences, "The message was left as it is.");
    else if (strcmp(action, "rewrite") == 0 || strcmp(action, "would-rewrite") == 0)
        tell_rewrite(record, action[0] == 'r', sentences);
    else if (strcmp(action, "tempfail") == 0)
        add(sentences, "The message was put off: its client was told to try again later "
                       "(tempfail_on).");
    else if (strcmp(action, "would-tempfail") == 0)
        add(sentences,
            "The message was not touched, since the mode was log-only. In mode rewrite its "
            "client would have been told to try again later (tempfail_on).");
    else if (strcmp(action, "reject") == 0)
        add(sentences, "The message was refused.");
    else if (strcmp(action, "would-reject") == 0)
        add(sentences,
            "The message was not touched, since the mode was log-only. In mode rewrite it "
            "would have been refused.");
    else if (strcmp(action, "inbound") == 0)
        add(sentences,
            "The message was left as it is: by \"outbound\" it came from outside, and is "
            "none of ours.");
    else if (strcmp(action, "local") == 0)
        add(sentences, "The message was left as it is: by \"local_mailers\" it does not leave the "
                       "house.");
    else if (strcmp(action, "error") == 0)
        add(sentences, "The message could not be changed, and was deferred or refused.");
}

/* Nothing was looked up. */
static void tell_why(const char *why, const char *domain, GPtrArray *sentences)
{
    if (strcmp(why, "off") == 0)
        add(sentences, "Nothing was looked up, since the mode was off.");
    else if (strcmp(why, "map") == 0)
        add(sentences, "Nothing was looked up: domain_map says of %s whether it is authorised.",
            domain);
    else if (strcmp(why, "exempt") == 0)
        add(sentences, "Nothing was looked up: a DKIM signature vouches for the author "
                       "(exempt_dkim).");
    else if (strcmp(why, "fallback") == 0)
        add(sentences,
            "Nothing was looked up: %s is the fallback's own domain, or the author is a "
            "fallback address.",
            domain);
}

static void tell_result(const MessageRecord *record, const char *domain, GPtrArray *sentences)
{
    const char *spf = message_record_get(record, "spf");
    const char *relay = message_record_get(record, "relay");
    const char *mechanism = message_record_get(record, "mechanism");
    const char *reason = message_record_get(record, "reason");
    g_autoptr(GString) text = g_string_new(NULL);

    if (domain == NULL) {
        add(sentences, "From: has no domain that could authorise our relays.");
        return;
    }
    if (strcmp(spf, "pass") == 0)
        g_string_printf(text, "%s authorises our relays: its SPF record gives pass", domain);
    else if (strcmp(spf, "none") == 0)
        g_string_printf(text, "%s has no SPF record", domain);
    else if (strcmp(spf, "temperror") == 0)
        g_string_printf(text,
                        "Whether %s authorises our relays could not be found out, since the DNS "
                        "had trouble",
                        domain);
    else if (strcmp(spf, "permerror") == 0)
        g_string_printf(text, "%s does not authorise our relays: its SPF record has an error",
                        domain);
    else
        g_string_printf(text, "%s does not authorise our relays: its SPF record gives %s", domain,
                        spf);
    if (mechanism != NULL)
        g_string_append_printf(text, " by \"%s\"", mechanism);
    if (relay != NULL && strcmp(spf, "none") != 0)
        g_string_append_printf(text, " for %s", relay);
    if (reason != NULL)
        g_string_append_printf(text, " (%s)", reason);
    add(sentences, "%s.", text->str);
}

static void tell_cache(const MessageRecord *record, GPtrArray *sentences)
{
    if (is_value(record, "cache", "hit"))
        add(sentences, "That came from the cache; what the DNS says by now, spfrom check tells.");
    else if (is_value(record, "cache", "stale"))
        add(sentences, "That was an older verdict, since the DNS had trouble.");
}

static void tell_replies(const MessageRecord *record, GPtrArray *sentences)
{
    if (is_value(record, "reply_to", "added"))
        add(sentences, "Replies go to the author: Reply-To: was added.");
    else if (is_value(record, "reply_to", "kept"))
        add(sentences, "Replies go where the author wanted: Reply-To: was there.");
    else if (is_value(record, "reply_to", "none"))
        add(sentences, "Reply-To: was not added.");
}

char **message_story(const MessageRecord *record)
{
    GPtrArray *sentences = g_ptr_array_new();
    const char *domain = message_record_get(record, "domain");
    const char *why = message_record_get(record, "why");

    tell_action(record, sentences);
    if (why != NULL)
        tell_why(why, domain != NULL ? domain : "the domain", sentences);
    else if (message_record_get(record, "spf") != NULL)
        tell_result(record, domain, sentences);
    tell_cache(record, sentences);
    tell_replies(record, sentences);
    if (sentences->len == 0)
        add(sentences, "%s", record->line);
    g_ptr_array_add(sentences, NULL);
    return (char **)g_ptr_array_free(sentences, FALSE);
}
