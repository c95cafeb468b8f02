#include "config.h"

#include "web/domain_mail.h"

#include <stdbool.h>
#include <string.h>

#include "control/message_record.h"
#include "show/mail_summary.h"
#include "show/reason.h"
#include "web/layout.h"

static const char *preview_text(const View *view, const Preview *preview)
{
    if (preview->is_off)
        return view_say(view, "Mail of this domain is not looked at (mode off): it arrives as it "
                              "was sent.");
    switch (preview->action) {
    case MESSAGE_ACTION_REWRITE:
        return view_say(view, "The sender's address is replaced, so that the message is not taken "
                              "for forged. The name stays, and replies go to the author.");
    case MESSAGE_ACTION_WOULD_REWRITE:
        return view_say(view, "Nothing is changed yet (mode log-only). In mode rewrite, it would "
                              "look like this:");
    case MESSAGE_ACTION_TEMPFAIL:
        return view_say(view, "The message is put off: the sender's mail program or server tries "
                              "again later.");
    case MESSAGE_ACTION_WOULD_TEMPFAIL:
        return view_say(view,
                        "Nothing is changed yet (mode log-only). In mode rewrite, the message "
                        "would be put off.");
    case MESSAGE_ACTION_KEEP:
    case MESSAGE_ACTION_ERROR:
    case MESSAGE_ACTION_INBOUND:
    case MESSAGE_ACTION_LOCAL:
    case MESSAGE_ACTION_REJECT:
    case MESSAGE_ACTION_WOULD_REJECT:
        break;
    }
    return view_say(view, "The message arrives as it was sent.");
}

static void add_field(Html *html, const View *view, const char *name, const char *before,
                      const char *after)
{
    html_open_row(html);
    html_open_row_heading(html, NULL);
    html_element(html, "code", name, NULL);
    html_close(html);
    html_add_cell(html, view_say(view, "As sent"), "address", before);
    html_add_cell(html, view_say(view, "As it arrives"),
                  strcmp(before, after) == 0 ? "address" : "address changed", after);
    html_close(html);
}

void domain_mail_add_preview(Html *html, const View *view, const Preview *preview)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "preview", NULL);
    html_element(html, "h2", view_say(view, "What the recipient sees"), "id", "preview", NULL);
    html_element(html, "p", preview_text(view, preview), NULL);
    html_open_table(html, "preview");
    html_add_column(html, view_say(view, "Field"), NULL);
    html_add_column(html, view_say(view, "As sent"), NULL);
    html_add_column(html, view_say(view, "As it arrives"), NULL);
    html_end_columns(html);
    add_field(html, view, "From", preview->from_before, preview->from_after);
    add_field(html, view, "Reply-To", "–", preview->reply_to != NULL ? preview->reply_to : "–");
    html_close_table(html);
    html_close(html);
}

/* What became of a message. A word that is not known stays as it is in the log. */
static const char *action_text(const View *view, const char *action)
{
    static const struct {
        const char *action;
        const char *text;
    } texts[] = {
        {"keep", N_("sent on as it was")},
        {"rewrite", N_("sender replaced")},
        {"would-rewrite", N_("sent on as it was; in mode rewrite, the sender would be replaced")},
        {"tempfail", N_("put off")},
        {"would-tempfail", N_("sent on as it was; in mode rewrite, it would be put off")},
        {"reject", N_("refused")},
        {"would-reject", N_("sent on as it was; in mode rewrite, it would be refused")},
        {"error", N_("put off after an error")},
        {"inbound", N_("came from outside: not looked at")},
        {"local", N_("stayed in the house: not looked at")},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (g_strcmp0(texts[i].action, action) == 0)
            return view_say(view, texts[i].text);
    return action != NULL ? action : "";
}

/* Why nothing was looked up; NULL: it was. */
static const char *why_text(const View *view, const char *why)
{
    static const struct {
        const char *why;
        const char *text;
    } texts[] = {
        {"off", N_("mode off")},
        {"map", N_("domain_map says so")},
        {"exempt", N_("DKIM vouches for it, or an exemption")},
        {"fallback", N_("it is the fallback address's own domain")},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (g_strcmp0(texts[i].why, why) == 0)
            return view_say(view, texts[i].text);
    return why;
}

static void add_why(Html *html, const View *view, const MessageRecord *record)
{
    const char *why = why_text(view, message_record_get(record, "why"));
    const char *spf = message_record_get(record, "spf");
    const char *mechanism = message_record_get(record, "mechanism");
    const char *reason = message_record_get(record, "reason");

    if (why != NULL) {
        html_text(html, why);
        return;
    }
    if (spf == NULL)
        return;
    mail_summary_add_result(html, spf);
    if (mechanism != NULL) {
        html_text(html, " ");
        html_element(html, "code", mechanism, NULL);
    }
    if (reason != NULL) {
        g_autofree char *text = reason_in(view->language, reason);
        bool is_english = strcmp(text, reason) == 0;

        html_element(html, "span", text, "class", "detail", "lang",
                     is_english ? LANGUAGE_ENGLISH : NULL, NULL);
    }
}

static void add_message(Html *html, const View *view, const MessageRecord *record)
{
    g_autofree char *time = record->time > 0 ? view_time(view, record->time) : g_strdup("");

    html_open_row(html);
    html_open_row_heading(html, NULL);
    html_element(html, "code", record->queue_id, NULL);
    html_close(html);
    html_add_cell(html, view_say(view, "Time"), NULL, time);
    html_add_cell(html, view_say(view, "What became of it"), NULL,
                  action_text(view, message_record_get(record, "action")));
    html_open_cell(html, view_say(view, "Why"), NULL);
    add_why(html, view, record);
    html_close(html);
    html_close(html);
}

void domain_mail_add_recent(Html *html, const View *view, const GPtrArray *recent,
                            const char *problem)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "recent", NULL);
    html_element(html, "h2", view_say(view, "Last messages of this domain"), "id", "recent", NULL);
    if (recent == NULL) {
        layout_notice(html, "doubtful", view_say(view, "The daemon does not answer."), problem);
    } else if (recent->len == 0) {
        html_element(html, "p", view_say(view, "None of the last messages is from this domain."),
                     NULL);
    } else {
        html_open_table(html, "recent");
        html_add_column(html, view_say(view, "Queue ID"), NULL);
        html_add_column(html, view_say(view, "Time"), NULL);
        html_add_column(html, view_say(view, "What became of it"), NULL);
        html_add_column(html, view_say(view, "Why"), NULL);
        html_end_columns(html);
        for (guint i = 0; i < recent->len; i++)
            add_message(html, view, g_ptr_array_index(recent, i));
        html_close_table(html);
    }
    html_close(html);
}

static void add_time(Html *html, const View *view, const char *label, gint64 wall)
{
    g_autofree char *time = view_time(view, wall);

    if (wall <= 0)
        return;
    html_open(html, "div", NULL);
    html_element(html, "dt", label, NULL);
    html_element(html, "dd", time, NULL);
    html_close(html);
}

/* A bar for each day of the period. The history has no row for a day without mail. */
static GArray *bars_of(const DomainLedger *ledger)
{
    GArray *bars = g_array_new(FALSE, TRUE, sizeof(ChartBar));
    static const LedgerCounts none;
    guint next = 0;

    for (guint32 day = ledger->period.from; day <= ledger->period.to; day++) {
        const LedgerCounts *counts = &none;
        ChartBar bar;

        if (next < ledger->history->len &&
            g_array_index(ledger->history, LedgerDomainDay, next).day == day)
            counts = &g_array_index(ledger->history, LedgerDomainDay, next++).counts;
        bar = mail_summary_bar(day, counts);
        g_array_append_val(bars, bar);
    }
    return bars;
}

/* The results of a day, each with the number of its messages. */
static void add_day_results(Html *html, const View *view, const LedgerDomainDay *day)
{
    for (guint result = 0; result < LEDGER_RESULTS; result++) {
        g_autofree char *number = view_number(view, day->results[result]);

        if (day->results[result] == 0)
            continue;
        mail_summary_add_ledger_result(html, view, result);
        html_printf(html, " %s ", number);
    }
}

static void add_day(Html *html, const View *view, const LedgerDomainDay *day)
{
    g_autofree char *date = view_date(view, ledger_day_begin(day->day));
    g_autofree char *messages = view_number(view, ledger_counts_decided(&day->counts));
    g_autofree char *rewritten = view_number(view, ledger_counts_rewritten(&day->counts));

    html_open_row(html);
    html_open_row_heading(html, NULL);
    html_text(html, date);
    html_close(html);
    html_open_cell(html, view_say(view, "SPF"), NULL);
    add_day_results(html, view, day);
    html_close(html);
    html_add_cell(html, view_say(view, "Rewritten"), "number", rewritten);
    html_add_cell(html, view_say(view, "Messages"), "number", messages);
    html_close(html);
}

/* On other days something came back, and that is all. */
static bool has_mail(const LedgerDomainDay *day)
{
    for (guint result = 0; result < LEDGER_RESULTS; result++)
        if (day->results[result] > 0)
            return true;
    return false;
}

/* The latest day first. */
static void add_days(Html *html, const View *view, const GArray *history)
{
    if (history->len == 0)
        return;
    html_element(html, "h3", view_say(view, "Day by day"), "id", "days", NULL);
    html_open_table(html, "days");
    html_add_column(html, view_say(view, "Day"), NULL);
    html_add_column(html, view_say(view, "SPF"), NULL);
    html_add_column(html, view_say(view, "Rewritten"), "number");
    html_add_column(html, view_say(view, "Messages"), "number");
    html_end_columns(html);
    for (guint i = history->len; i > 0; i--)
        if (has_mail(&g_array_index(history, LedgerDomainDay, i - 1)))
            add_day(html, view, &g_array_index(history, LedgerDomainDay, i - 1));
    html_close_table(html);
}

static const char *const kind_texts[RETURN_KINDS] = {
    [RETURN_BOUNCE] = N_("Bounces"),
    [RETURN_AUTO_REPLY] = N_("Automatic replies"),
    [RETURN_REPLY] = N_("Answers"),
};

static guint64 returned_on(const LedgerDomainDay *day)
{
    guint64 sum = 0;

    for (guint kind = 0; kind < RETURN_KINDS; kind++)
        sum += day->returned[kind];
    return sum;
}

static void add_returned_day(Html *html, const View *view, const LedgerDomainDay *day)
{
    g_autofree char *date = view_date(view, ledger_day_begin(day->day));

    html_open_row(html);
    html_open_row_heading(html, NULL);
    html_text(html, date);
    html_close(html);
    for (guint kind = 0; kind < RETURN_KINDS; kind++) {
        g_autofree char *number = view_number(view, day->returned[kind]);

        html_add_cell(html, view_say(view, kind_texts[kind]), "number", number);
    }
    html_close(html);
}

/* What came back to the domain's authors, the latest day first. */
static void add_returned(Html *html, const View *view, const DomainLedger *ledger)
{
    if (ledger->seen->returned == 0)
        return;
    html_element(html, "h3", view_say(view, "What came back"), "id", "returned", NULL);
    html_open_table(html, "returned");
    html_add_column(html, view_say(view, "Day"), NULL);
    for (guint kind = 0; kind < RETURN_KINDS; kind++)
        html_add_column(html, view_say(view, kind_texts[kind]), "number");
    html_end_columns(html);
    for (guint i = ledger->history->len; i > 0; i--) {
        const LedgerDomainDay *day = &g_array_index(ledger->history, LedgerDomainDay, i - 1);

        if (returned_on(day) > 0)
            add_returned_day(html, view, day);
    }
    html_close_table(html);
}

static void add_seen(Html *html, const View *view, const DomainLedger *ledger)
{
    g_autoptr(GArray) bars = bars_of(ledger);

    if (ledger->seen->unauthorised_since != 0) {
        g_autofree char *broken = mail_summary_broken_text(view, ledger->seen);

        layout_notice(html, "bad", broken, NULL);
    }
    html_open(html, "dl", "class", "fields", NULL);
    add_time(html, view, view_say(view, "First seen"), ledger->seen->first);
    add_time(html, view, view_say(view, "Last seen"), ledger->seen->last);
    add_time(html, view, view_say(view, "Authorised since"), ledger->seen->authorised_since);
    html_close(html);
    chart_add(html, view, view_say(view, "Messages of this domain by what became of them"), bars);
    add_days(html, view, ledger->history);
    add_returned(html, view, ledger);
}

void domain_mail_add_history(Html *html, const View *view, const Request *request,
                             const DomainLedger *ledger)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "history", NULL);
    html_open(html, "div", "class", "heading", NULL);
    html_element(html, "h2", view_say(view, "Mail of this domain"), "id", "history", NULL);
    if (ledger->seen != NULL)
        layout_periods(html, view, request);
    html_close(html);
    if (ledger->problem != NULL)
        layout_notice(html, "doubtful", view_say(view, "The ledger can't be read."),
                      ledger->problem);
    else if (ledger->seen == NULL)
        html_element(html, "p", view_say(view, "No mail of this domain has been seen."), NULL);
    else
        add_seen(html, view, ledger);
    html_close(html);
}
