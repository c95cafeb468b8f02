#include "config.h"

#include "web/changes_page.h"

#include "advice/watch.h"
#include "show/html.h"
#include "show/mail_summary.h"
#include "web/layout.h"

static const char *kind_class(const WatchChange *change)
{
    if (change->kind == WATCH_ENDANGERED)
        return "result doubtful";
    return change->is_authorised ? "result good" : "result bad";
}

static const char *kind_word(const WatchChange *change)
{
    switch (change->kind) {
    case WATCH_OWN:
        return N_("own domain");
    case WATCH_BROKEN:
        return N_("no longer authorised");
    case WATCH_ENDANGERED:
        return N_("endangered");
    case WATCH_AUTHORISED:
        break;
    }
    return N_("authorised");
}

static void add_what(Html *html, const View *view, const WatchChange *change)
{
    g_autofree char *sentence = watch_sentence(view->language, change);
    g_auto(GStrv) records = watch_records(view->language, change);

    html_open_cell(html, view_say(view, "Change"), "words");
    html_element(html, "span", view_say(view, kind_word(change)), "class", kind_class(change),
                 NULL);
    html_element(html, "p", sentence, NULL);
    for (char **line = records; *line != NULL; line++)
        html_element(html, "p", *line, "class", "detail", NULL);
    html_close(html);
}

static void add_next(Html *html, const View *view, const WatchChange *change)
{
    g_autofree char *step = watch_step(view->language, change);
    const char *record = watch_step_record(change);

    html_open_cell(html, view_say(view, "Next step"), "words");
    html_text(html, step);
    if (record != NULL)
        html_element(html, "code", record, "class", "quote", NULL);
    html_close(html);
}

static void add_change(Html *html, const View *view, const WatchChange *change)
{
    g_autofree char *day = view_date(view, change->found);

    html_open_row(html);
    html_open_row_heading(html, NULL);
    mail_summary_add_domain_name(html, view, change->domain);
    html_close(html);
    html_add_cell(html, view_say(view, "Day"), NULL, day);
    add_what(html, view, change);
    add_next(html, view, change);
    html_close(html);
}

static void add_table(Html *html, const View *view, const GPtrArray *changes)
{
    html_open_table(html, "changes");
    html_add_column(html, view_say(view, "Domain"), NULL);
    html_add_column(html, view_say(view, "Day"), NULL);
    html_add_column(html, view_say(view, "Change"), NULL);
    html_add_column(html, view_say(view, "Next step"), NULL);
    html_end_columns(html);
    for (guint i = 0; i < changes->len; i++)
        add_change(html, view, g_ptr_array_index(changes, i));
    html_close_table(html);
}

static void add_tile(Html *html, const View *view, const char *title, guint64 number,
                     const char *detail)
{
    g_autofree char *text = view_number(view, number);

    mail_summary_add_tile(html, title, text, detail);
}

static void add_summary(Html *html, const View *view, const WatchSummary *summary)
{
    g_autofree char *time = view_time(view, summary->ended);
    g_autofree char *looked = language_fill(
        view->language, N_("spfrom watch looked last on {time}."), "time", time, NULL);
    g_autofree char *unknown = view_number(view, summary->unknown);
    g_autofree char *troubled =
        summary->unknown > 0
            ? language_fill(view->language, N_("Without an answer from DNS: {number}."), "number",
                            unknown, NULL)
            : NULL;

    if (summary->own_unauthorised > 0)
        layout_notice(html, "bad",
                      view_say(view, "A domain of our own fallback or return addresses does not "
                                     "authorise our relays: rewritten mail fails, too."),
                      NULL);
    html_open(html, "div", "class", "tiles", NULL);
    add_tile(html, view, view_say(view, "Authorised"), summary->authorised, NULL);
    add_tile(html, view, view_say(view, "Not authorised"), summary->unauthorised, troubled);
    add_tile(html, view, view_say(view, "Broken in the last 7 days"), summary->broken, NULL);
    add_tile(html, view, view_say(view, "Endangered"), summary->endangered, NULL);
    html_close(html);
    html_element(html, "p", looked, "class", "detail", NULL);
}

static void add_list(Html *html, const View *view, const GPtrArray *changes)
{
    html_open(html, "section", "class", "card full", "aria-labelledby", "changes", NULL);
    if (changes->len > 0)
        add_table(html, view, changes);
    else
        html_element(html, "p", view_say(view, "Nothing has changed at any domain yet."), NULL);
    if (changes->len == CHANGES_PAGE_MAX)
        html_element(html, "p", view_say(view, "Earlier changes are not shown."), "class", "detail",
                     NULL);
    html_close(html);
}

char *changes_page(const View *view, const Request *request, const WatchSummary *summary,
                   const GPtrArray *changes, const char *problem)
{
    g_auto(Html) html;

    html_init(&html);
    layout_begin(&html, view, request, view_say(view, "Changes at domains"));
    html_element(&html, "h1", view_say(view, "Changes at domains"), "id", "changes", NULL);
    if (problem != NULL)
        layout_notice(&html, "doubtful", view_say(view, "The list of changes can't be read."),
                      problem);
    if (changes != NULL && summary->ended != 0)
        add_summary(&html, view, summary);
    if (changes != NULL && (summary->ended != 0 || changes->len > 0))
        add_list(&html, view, changes);
    else if (problem == NULL)
        html_element(&html, "p",
                     view_say(view,
                              "No run of spfrom watch has ended yet. It looks at all domains, "
                              "and tells what changed; spfrom-watch.timer runs it daily."),
                     NULL);
    return layout_end(&html, view);
}
