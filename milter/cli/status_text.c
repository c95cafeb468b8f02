#include "config.h"

#include "cli/status_text.h"

#include <string.h>

#include "cli/control.h"
#include "show/time_text.h"

#define LABEL_WIDTH 15
#define NETWORKS_SHOWN_MAX 8

static void add_label(Page *page, const char *label)
{
    page_add_padded(page, PAGE_FAINT, label, LABEL_WIDTH);
}

static void end_line(Page *page)
{
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_line(Page *page, const char *label, PageStyle style, const char *text)
{
    if (text == NULL)
        return;
    add_label(page, label);
    page_add(page, style, text);
    end_line(page);
}

static void add_time(Page *page, const char *label, const char *text, gint64 now)
{
    g_autofree char *relative = text != NULL ? time_text_relative(text, now) : NULL;

    add_line(page, label, PAGE_PLAIN, relative);
}

#define COUNT_MAX (G_MAXINT64 / 16) /* sums and multiples of some are still numbers */

static gint64 count_of(const json_t *object, const char *member)
{
    return CLAMP(json_integer_value(json_object_get(object, member)), 0, COUNT_MAX);
}

/* A number with its thousands parted: 100,000. */
static char *count_text(gint64 count)
{
    GString *text = g_string_new(NULL);

    g_string_printf(text, "%" G_GINT64_FORMAT, count);
    for (gssize at = (gssize)text->len - 3; at > 0; at -= 3)
        g_string_insert_c(text, at, ',');
    return g_string_free(text, FALSE);
}

static void add_process(Page *page, const json_t *status, gint64 now)
{
    g_autofree char *title =
        g_strdup_printf("spfrom-milter %s, process %" G_GINT64_FORMAT,
                        control_text(status, "version"), count_of(status, "pid"));

    add_line(page, "daemon", PAGE_PLAIN, title);
    add_time(page, "up since", control_text(status, "up_since"), now);
}

static void add_mode(Page *page, const json_t *status, gint64 now)
{
    const char *by = control_text(status, "mode_by");
    g_autofree char *text = g_strdup(by);

    add_line(page, "mode", PAGE_STRONG, control_text(status, "mode"));
    add_time(page, "  since", control_text(status, "mode_since"), now);
    if (g_strcmp0(by, "switch") == 0) {
        g_free(text);
        text = g_strdup_printf("switch; the configuration says %s",
                               control_text(status, "mode_configured"));
    }
    add_line(page, "  by", PAGE_PLAIN, text);
    add_time(page, "  until", control_text(status, "mode_until"), now);
}

static void add_configuration(Page *page, const json_t *status, gint64 now)
{
    const json_t *configuration = json_object_get(status, "configuration");

    add_line(page, "configuration", PAGE_PLAIN, control_text(configuration, "file"));
    add_time(page, "  loaded", control_text(configuration, "loaded"), now);
    add_line(page, "  not reloaded", PAGE_BAD, control_text(configuration, "error"));
    add_line(page, "socket", PAGE_PLAIN, control_text(status, "socket"));
    add_line(page, "control socket", PAGE_PLAIN, control_text(status, "control_socket"));
}

static void add_relay_set(Page *page, const json_t *status)
{
    const json_t *set = json_object_get(status, "relay_set");
    const json_t *networks = json_object_get(set, "networks");
    const json_t *problems = json_object_get(set, "problems");
    const char *policy = control_text(set, "policy");
    size_t count = json_array_size(networks);
    g_autoptr(GString) text = g_string_new(count == 0 ? "not known yet" : NULL);

    for (size_t i = 0; i < MIN(count, NETWORKS_SHOWN_MAX); i++) {
        const char *network = json_string_value(json_array_get(networks, i));

        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", network != NULL ? network : "?");
    }
    if (count > NETWORKS_SHOWN_MAX)
        g_string_append_printf(text, " and %" G_GSIZE_FORMAT " more", count - NETWORKS_SHOWN_MAX);
    if (count > 1 && policy != NULL)
        g_string_append_printf(text, " (%s must be authorised)",
                               strcmp(policy, "any") == 0 ? "one of them" : "all");
    add_line(page, "relay set", count == 0 ? PAGE_BAD : PAGE_PLAIN, text->str);
    if (json_is_false(json_object_get(set, "complete")))
        add_line(page, "  incomplete", PAGE_BAD,
                 g_strcmp0(policy, "any") == 0
                     ? "what is not known of it vouches for no domain"
                     : "no domain is vouched for until the rest is known");
    for (size_t i = 0; i < json_array_size(problems); i++)
        add_line(page, "  problem", PAGE_DOUBTFUL, json_string_value(json_array_get(problems, i)));
}

static void append_part(GString *text, const char *part)
{
    if (part != NULL)
        g_string_append_printf(text, " %s", part);
}

static void add_fallback(Page *page, const json_t *status)
{
    const json_t *fallback = json_object_get(status, "fallback");
    const json_t *authorised = json_object_get(fallback, "authorised");
    g_autoptr(GString) text = g_string_new(NULL);

    add_line(page, "fallback", PAGE_PLAIN, control_text(fallback, "address"));
    if (json_is_true(authorised))
        g_string_append(text, "authorised:");
    else if (json_is_false(authorised))
        g_string_append(text, "NOT authorised, rewritten mail fails SPF:");
    else
        g_string_append(text, control_text(fallback, "result") != NULL ? "not known:"
                                                                       : "not looked up yet");
    append_part(text, control_text(fallback, "result"));
    append_part(text, control_text(fallback, "relay"));
    append_part(text, control_text(fallback, "mechanism"));
    append_part(text, control_text(fallback, "reason"));
    add_line(page, "  its domain",
             json_is_true(authorised)    ? PAGE_GOOD
             : json_is_false(authorised) ? PAGE_BAD
                                         : PAGE_DOUBTFUL,
             text->str);
}

/* The members of an object of counts in its order, those that aren't 0: "keep 12, rewrite 3". */
static void add_counts(Page *page, const char *label, json_t *counts)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *name;
    json_t *value;

    json_object_foreach(counts, name, value)
    {
        g_autofree char *count = count_text(json_integer_value(value));

        if (json_integer_value(value) > 0)
            g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", name, count);
    }
    add_line(page, label, PAGE_PLAIN, text->len > 0 ? text->str : "none yet");
}

static void add_cache(Page *page, const json_t *status)
{
    const json_t *cache = json_object_get(status, "cache");
    gint64 hits = count_of(cache, "hit");
    gint64 all =
        hits + count_of(cache, "miss") + count_of(cache, "wait") + count_of(cache, "stale");
    g_autofree char *entries = count_text(count_of(cache, "entries"));
    g_autofree char *size = count_text(count_of(cache, "size"));
    g_autofree char *asked = count_text(all);
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_printf(text, "%s of %s entries", entries, size);
    if (all > 0)
        g_string_append_printf(text, "; %.1f %% of %s look-ups were hits",
                               100.0 * (double)hits / (double)all, asked);
    if (count_of(cache, "stale") > 0)
        g_string_append_printf(text, ", %" G_GINT64_FORMAT " stale", count_of(cache, "stale"));
    add_line(page, "cache", PAGE_PLAIN, text->str);
}

static void add_dns(Page *page, const json_t *status, gint64 now)
{
    const json_t *dns = json_object_get(status, "dns");
    gint64 trouble = count_of(dns, "trouble");
    gint64 all =
        trouble + count_of(dns, "found") + count_of(dns, "no_data") + count_of(dns, "no_name");
    g_autofree char *asked = count_text(all);
    g_autofree char *unanswered = count_text(trouble);
    g_autofree char *text =
        g_strdup_printf("%s questions, %s without an answer", asked, unanswered);

    add_line(page, "DNS", trouble * 10 > all ? PAGE_DOUBTFUL : PAGE_PLAIN, text);
    add_line(page, "  through", PAGE_PLAIN, control_text(dns, "source"));
    add_time(page, "  last answer", control_text(dns, "last_answer"), now);
    add_time(page, "  last trouble", control_text(dns, "last_trouble"), now);
}

static void add_ledger(Page *page, const json_t *status)
{
    const json_t *ledger = json_object_get(status, "ledger");
    const char *error = control_text(ledger, "error");
    gint64 waiting = count_of(ledger, "waiting");
    g_autofree char *count = count_text(waiting);
    g_autofree char *text = g_strdup_printf("%s messages' counts wait in memory", count);

    add_line(page, "ledger", PAGE_PLAIN, control_text(ledger, "file"));
    add_line(page, "  trouble", PAGE_BAD, error);
    add_line(page, "  waiting", PAGE_DOUBTFUL, error != NULL ? text : NULL);
}

void status_text_add(Page *page, const json_t *status, gint64 now)
{
    g_autofree char *connections = count_text(count_of(status, "connections"));

    add_process(page, status, now);
    add_mode(page, status, now);
    add_configuration(page, status, now);
    add_relay_set(page, status);
    add_fallback(page, status);
    add_line(page, "connections", PAGE_PLAIN, connections);
    add_counts(page, "messages", json_object_get(status, "messages"));
    add_counts(page, "verdicts", json_object_get(status, "verdicts"));
    add_cache(page, status);
    add_dns(page, status, now);
    add_ledger(page, status);
}
