#include "config.h"

#include "show/message_story.h"

#include <stdbool.h>
#include <string.h>

#include "show/reason.h"

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

/* What is told so far. */
typedef struct {
    const Language *language;
    GPtrArray *sentences;
} Story;

/* Takes sentence. */
static void add(const Story *story, char *sentence)
{
    g_ptr_array_add(story->sentences, sentence);
}

static void add_text(const Story *story, const char *english)
{
    add(story, g_strdup(language_text(story->language, english)));
}

/* Was, or would have been, the author replaced? Only the envelope sender is if "envelope" says so. */
static bool is_author_replaced(const MessageRecord *record)
{
    return !is_value(record, "envelope", "changed");
}

static void tell_author(const MessageRecord *record, const Story *story)
{
    const char *author = message_record_get(record, "author");
    const char *fallback = message_record_get(record, "fallback");

    if (author == NULL)
        author = language_text(story->language, N_("in From:, which can't be read,"));
    if (fallback != NULL)
        add(story, language_fill(
                       story->language,
                       N_("The author {author} was replaced by the fallback address {fallback}."),
                       "author", author, "fallback", fallback, NULL));
    else
        add(story, language_fill(story->language,
                                 N_("The author {author} was replaced by the fallback address."),
                                 "author", author, NULL));
}

static void tell_rewrite(const MessageRecord *record, bool is_done, const Story *story)
{
    if (!is_done)
        add_text(story, N_("The message was not touched, since the mode was log-only. What follows "
                           "would have happened in mode rewrite."));
    if (is_author_replaced(record))
        tell_author(record, story);
    else
        add(story,
            language_fill(story->language,
                          N_("The author stayed. The envelope sender {sender} was replaced."),
                          "sender", value_or(record, "sender", "-"), NULL));
}

static const struct {
    const char *name; /* of an action, of what is in "why", or of a result */
    const char *text;
} actions[] =
    {
        {"keep", N_("The message was left as it is.")},
        {"tempfail", N_("The message was put off: its client was told to try again later "
                        "(tempfail_on).")},
        {"would-tempfail", N_("The message was not touched, since the mode was log-only. In mode "
                              "rewrite its client would have been told to try again later "
                              "(tempfail_on).")},
        {"reject", N_("The message was refused.")},
        {"would-reject",
         N_("The message was not touched, since the mode was log-only. In mode rewrite "
            "it would have been refused.")},
        {"inbound",
         N_("The message was left as it is: by \"outbound\" it came from outside, and is "
            "none of ours.")},
        {"local", N_("The message was left as it is: by \"local_mailers\" it does not leave the "
                     "house.")},
        {"error", N_("The message could not be changed, and was deferred or refused.")},
},
  whys[] =
      {
          {"off", N_("Nothing was looked up, since the mode was off.")},
          {"map",
           N_("Nothing was looked up: domain_map says of {domain} whether it is authorised.")},
          {"exempt",
           N_("Nothing was looked up: a DKIM signature vouches for the author (exempt_dkim).")},
          {"fallback",
           N_("Nothing was looked up: {domain} is the fallback's own domain, or the author is "
              "a fallback address.")},
},
  results[] = {
      {"pass", N_("{domain} authorises our relays: its SPF record gives pass")},
      {"none", N_("{domain} has no SPF record")},
      {"temperror",
       N_("Whether {domain} authorises our relays could not be found out, since the DNS "
          "had trouble")},
      {"permerror", N_("{domain} does not authorise our relays: its SPF record has an error")},
};

static void tell_action(const MessageRecord *record, const Story *story)
{
    const char *action = value_or(record, "action", "");

    if (strcmp(action, "rewrite") == 0 || strcmp(action, "would-rewrite") == 0)
        tell_rewrite(record, action[0] == 'r', story);
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
        if (strcmp(action, actions[i].name) == 0)
            add_text(story, actions[i].text);
}

/* Nothing was looked up. */
static void tell_why(const char *why, const char *domain, const Story *story)
{
    if (domain == NULL)
        domain = language_text(story->language, N_("the domain"));
    for (size_t i = 0; i < G_N_ELEMENTS(whys); i++)
        if (strcmp(why, whys[i].name) == 0)
            add(story, language_fill(story->language, whys[i].text, "domain", domain, NULL));
}

static char *result_text(const Language *language, const char *domain, const char *spf)
{
    for (size_t i = 0; i < G_N_ELEMENTS(results); i++)
        if (strcmp(spf, results[i].name) == 0)
            return language_fill(language, results[i].text, "domain", domain, NULL);
    return language_fill(
        language, N_("{domain} does not authorise our relays: its SPF record gives {result}"),
        "domain", domain, "result", spf, NULL);
}

/* Appends a part of a sentence, which is taken. */
static void append(GString *text, char *part)
{
    g_string_append(text, part);
    g_free(part);
}

static void tell_result(const MessageRecord *record, const char *domain, const Story *story)
{
    const Language *language = story->language;
    const char *spf = message_record_get(record, "spf");
    const char *relay = message_record_get(record, "relay");
    const char *mechanism = message_record_get(record, "mechanism");
    const char *reason = message_record_get(record, "reason");
    GString *text;

    if (domain == NULL) {
        add_text(story, N_("From: has no domain that could authorise our relays."));
        return;
    }
    text = g_string_new(NULL);
    append(text, result_text(language, domain, spf));
    if (mechanism != NULL)
        append(text, language_fill(language, N_(" by \"{term}\""), "term", mechanism, NULL));
    if (relay != NULL && strcmp(spf, "none") != 0)
        append(text, language_fill(language, N_(" for {relay}"), "relay", relay, NULL));
    if (reason != NULL) {
        g_autofree char *told = reason_in(language, reason);

        g_string_append_printf(text, " (%s)", told);
    }
    g_string_append_c(text, '.');
    add(story, g_string_free(text, FALSE));
}

static void tell_consent(const MessageRecord *record, const Story *story)
{
    const char *selector = message_record_get(record, "dkim");

    if (selector != NULL && message_record_get(record, "why") == NULL)
        add(story, language_fill(story->language,
                                 N_("The author stayed for a DKIM key of ours, {term}, which the "
                                    "author's domain publishes (dkim_consent)."),
                                 "term", selector, NULL));
}

static void tell_cache(const MessageRecord *record, const Story *story)
{
    if (is_value(record, "cache", "hit"))
        add_text(story, N_("That came from the cache; what the DNS says by now, spfrom check "
                           "tells."));
    else if (is_value(record, "cache", "stale"))
        add_text(story, N_("That was an older verdict, since the DNS had trouble."));
}

static void tell_replies(const MessageRecord *record, const Story *story)
{
    if (is_value(record, "reply_to", "added"))
        add_text(story, N_("Replies go to the author: Reply-To: was added."));
    else if (is_value(record, "reply_to", "kept"))
        add_text(story, N_("Replies go where the author wanted: Reply-To: was there."));
    else if (is_value(record, "reply_to", "none"))
        add_text(story, N_("Reply-To: was not added."));
}

char **message_story(const MessageRecord *record)
{
    return message_story_in(NULL, record);
}

char **message_story_in(const Language *language, const MessageRecord *record)
{
    const Story story = {.language = language, .sentences = g_ptr_array_new()};
    const char *domain = message_record_get(record, "domain");
    const char *why = message_record_get(record, "why");

    tell_action(record, &story);
    if (why != NULL)
        tell_why(why, domain, &story);
    else if (message_record_get(record, "spf") != NULL)
        tell_result(record, domain, &story);
    tell_consent(record, &story);
    tell_cache(record, &story);
    tell_replies(record, &story);
    if (story.sentences->len == 0)
        add(&story, g_strdup(record->line));
    g_ptr_array_add(story.sentences, NULL);
    return (char **)g_ptr_array_free(story.sentences, FALSE);
}
