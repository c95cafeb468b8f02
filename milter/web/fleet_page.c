#include "config.h"

#include "web/fleet_page.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "control/control_client.h"
#include "web/layout.h"

/* A sign of life is that many seconds old at most if it is told in seconds. */
#define SECONDS_MAX 120

static bool is_true(const json_t *object, const char *member)
{
    return json_is_true(json_object_get(object, member));
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = control_text(object, member);

    return text != NULL ? text : "?";
}

static gint64 time_of(const json_t *object, const char *member)
{
    const char *text = control_text(object, member);

    return text != NULL ? clock_rfc3339_parse(text) : 0;
}

static bool is_differing(const json_t *host)
{
    return json_array_size(json_object_get(host, "differs")) > 0;
}

/* Stopped as it was told to, or gone: its settings are not compared. */
static bool is_away(const json_t *host)
{
    return is_true(host, "stopped") || !is_true(host, "seen");
}

static void add_result(Html *html, const char *class, const char *text)
{
    g_autofree char *classes = g_strconcat("result ", class, NULL);

    html_text(html, " ");
    html_element(html, "span", text, "class", classes, NULL);
}

static void add_name(Html *html, const View *view, const json_t *host)
{
    html_open_row_heading(html, NULL);
    html_element(html, "span", text_of(host, "host"), "class", "domain", NULL);
    if (is_true(host, "stopped"))
        add_result(html, "doubtful", view_say(view, "stopped"));
    if (!is_true(host, "seen"))
        add_result(html, "bad", view_say(view, "not seen for a minute"));
    if (is_true(host, "double"))
        add_result(html, "bad", view_say(view, "another host has this name"));
    if (is_true(host, "unsent"))
        add_result(html, "doubtful", view_say(view, "the store lacks something of it"));
    html_close(html);
}

static void add_mode(Html *html, const View *view, const json_t *host)
{
    const char *by = text_of(host, "by");

    html_open_cell(html, view_say(view, "Mode"), NULL);
    layout_mode(html, control_text(host, "mode"), "result");
    html_text(html, " ");
    if (strcmp(by, "configuration") == 0)
        html_text(html, view_say(view, "by the configuration"));
    else if (strcmp(by, "switch") == 0)
        html_text(html, view_say(view, "by the switch"));
    else
        html_text(html, by);
    if (is_true(host, "here"))
        html_text(html, view_say(view, ", for this host alone"));
    html_close(html);
}

static void add_settings(Html *html, const View *view, const json_t *host)
{
    const json_t *differs = json_object_get(host, "differs");
    const json_t *name;
    size_t i;

    html_open_cell(html, view_say(view, "Settings"), NULL);
    if (is_differing(host)) {
        html_element(html, "span", view_say(view, "differ"), "class", "result bad", NULL);
        json_array_foreach(differs, i, name)
        {
            html_text(html, i == 0 ? " " : ", ");
            html_text(html, json_is_string(name) ? json_string_value(name) : "?");
        }
    } else {
        html_text(html,
                  is_away(host) ? view_say(view, "not compared") : view_say(view, "no difference"));
    }
    html_close(html);
}

/* Owned by the caller, as is what follows. */
static char *up_since_text(const View *view, const json_t *host)
{
    gint64 wall = time_of(host, "up_since");

    return wall != 0 ? view_time(view, wall) : g_strdup("?");
}

static char *last_seen_text(const View *view, const json_t *host)
{
    gint64 wall = time_of(host, "last_seen");
    gint64 age = MAX((view->now - wall) / CLOCK_SECOND, 0);
    g_autofree char *seconds = NULL;

    if (wall == 0)
        return g_strdup("?");
    if (age > SECONDS_MAX)
        return view_time(view, wall);
    seconds = view_number(view, (guint64)age);
    return language_fill(view->language, N_("{seconds} s ago"), "seconds", seconds, NULL);
}

static char *rate_text(const View *view, const json_t *host)
{
    double rate = json_number_value(json_object_get(host, "messages_per_minute"));

    return view_number(view, (guint64)CLAMP(rate, 0, 1e9));
}

static void add_host(Html *html, const View *view, const json_t *host)
{
    g_autofree char *up = up_since_text(view, host);
    g_autofree char *seen = last_seen_text(view, host);
    g_autofree char *rate = rate_text(view, host);

    html_open_row(html);
    add_name(html, view, host);
    add_mode(html, view, host);
    add_settings(html, view, host);
    html_add_cell(html, view_say(view, "Version"), NULL, text_of(host, "version"));
    html_add_cell(html, view_say(view, "Runs since"), NULL, up);
    html_add_cell(html, view_say(view, "Last seen"), NULL, seen);
    html_add_cell(html, view_say(view, "Messages a minute"), "number", rate);
    html_close(html);
}

static void add_hosts(Html *html, const View *view, const json_t *hosts)
{
    const json_t *host;
    size_t i;

    html_open(html, "section", "class", "card full", "aria-labelledby", "hosts", NULL);
    html_element(html, "h2", view_say(view, "Hosts"), "id", "hosts", NULL);
    html_open_table(html, "hosts");
    html_add_column(html, view_say(view, "Host"), NULL);
    html_add_column(html, view_say(view, "Mode"), NULL);
    html_add_column(html, view_say(view, "Settings"), NULL);
    html_add_column(html, view_say(view, "Version"), NULL);
    html_add_column(html, view_say(view, "Runs since"), NULL);
    html_add_column(html, view_say(view, "Last seen"), NULL);
    html_add_column(html, view_say(view, "Messages a minute"), "number");
    html_end_columns(html);
    json_array_foreach(hosts, i, host) add_host(html, view, host);
    html_close_table(html);
    html_close(html);
}

static void add_store(Html *html, const View *view, const json_t *store)
{
    gint64 since = time_of(store, "since");
    double span = json_number_value(json_object_get(store, "round_trip_ms"));
    g_autofree char *since_text = since != 0 ? view_time(view, since) : g_strdup("?");
    g_autofree char *microseconds = view_number(view, (guint64)CLAMP(span * 1000, 0, 1e12));
    g_autofree char *text = language_fill(
        view->language, N_("In use since {time}; the last answer took {number} microseconds."),
        "time", since_text, "number", microseconds, NULL);

    if (!is_true(store, "up"))
        return;
    html_open(html, "section", "class", "card", "aria-labelledby", "store", NULL);
    html_element(html, "h2", view_say(view, "Store"), "id", "store", NULL);
    html_element(html, "p", text_of(store, "member"), "class", "domain", NULL);
    html_element(html, "p", text, "class", "detail", NULL);
    html_close(html);
}

/* Which of them needs somebody to look after it? */
static bool is_in_trouble(const json_t *host)
{
    return is_differing(host) || is_true(host, "double") || !is_true(host, "seen");
}

static void add_notices(Html *html, const View *view, const json_t *answer)
{
    const json_t *hosts = json_object_get(answer, "hosts");
    const json_t *store = json_object_get(answer, "store");
    bool is_trouble = false;
    bool is_unseen = false;
    const json_t *host;
    size_t i;

    json_array_foreach(hosts, i, host)
    {
        is_trouble |= is_in_trouble(host);
        is_unseen |= !is_true(host, "seen");
    }
    if (!is_true(store, "up"))
        layout_notice(html, "bad",
                      view_say(view, "The store of the fleet can't be used; mail goes on without "
                                     "it. The hosts are shown as they were known last."),
                      control_text(store, "error"));
    if (is_trouble)
        layout_notice(html, "bad",
                      view_say(view, "A host differs from the others, was not seen for a minute, "
                                     "or has the name of another one."),
                      is_unseen
                          ? view_say(view, "One that is gone for good: spfrom fleet --forget HOST")
                          : NULL);
    if (is_true(answer, "agree"))
        layout_notice(html, "plain", view_say(view, "All hosts are there and agree."), NULL);
}

static void add_content(Html *html, const View *view, const json_t *answer, const char *problem)
{
    if (answer == NULL) {
        layout_notice(html, "bad",
                      view_say(view,
                               "The daemon does not answer, so the hosts of the fleet are not "
                               "known."),
                      problem);
        return;
    }
    if (!is_true(answer, "fleet")) {
        layout_notice(html, "plain",
                      view_say(view, "This host is alone: fleet in the configuration is empty."),
                      NULL);
        return;
    }
    add_notices(html, view, answer);
    add_hosts(html, view, json_object_get(answer, "hosts"));
    add_store(html, view, json_object_get(answer, "store"));
}

char *fleet_page(const View *view, const Request *request, const json_t *answer,
                 const char *problem)
{
    g_auto(Html) html;

    html_init(&html);
    layout_begin(&html, view, request, view_say(view, "Fleet"));
    html_element(&html, "h1", view_say(view, "Fleet"), NULL);
    add_content(&html, view, answer, problem);
    return layout_end(&html, view);
}
