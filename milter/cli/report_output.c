#include "config.h"

#include "cli/report_output.h"

#include <string.h>

#include "base/clock.h"
#include "show/domains_csv.h"
#include "show/html.h"
#include "show/mail_summary.h"
#include "show/view.h"

#define LABEL_WIDTH 16
#define NUMBER_WIDTH 10
#define PERCENT_WIDTH 9
#define BAR_WIDTH 24
#define DAY_WIDTH 12
#define DOMAIN_WIDTH_MIN 20
#define DOMAIN_WIDTH_MAX 44
#define RESULT_WIDTH 11
#define NEWLY_SHOWN_MAX 20

static const View english;

/* The local day of wall time, "2026-01-31"; "" for 0. */
static char *day_text(gint64 wall)
{
    return wall != 0 ? ledger_day_text(ledger_day_of(wall)) : g_strdup("");
}

static void end_line(Page *page)
{
    page_raw(page, PAGE_PLAIN, "\n");
}

/* Right-aligned, with two blanks after it. */
static void add_right(Page *page, PageStyle style, const char *text, int width)
{
    page_printf(page, style, "%*s", width, text);
    page_raw(page, PAGE_PLAIN, "  ");
}

static void add_number(Page *page, PageStyle style, guint64 number)
{
    g_autofree char *text = view_number(&english, number);

    add_right(page, number > 0 ? style : PAGE_FAINT, text, NUMBER_WIDTH);
}

/* A bar of part / whole in eighths of a column. A part that is not 0 can be seen. */
static void add_bar(Page *page, PageStyle style, guint64 part, guint64 whole)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    guint length = whole > 0 ? (guint)((double)part / (double)whole * BAR_WIDTH * 8 + 0.5) : 0;
    g_autoptr(GString) bar = g_string_new(NULL);

    if (part > 0)
        length = MAX(length, 1);
    for (guint i = 0; i < length / 8; i++)
        g_string_append(bar, "█");
    g_string_append(bar, eighths[length % 8]);
    page_raw(page, style, bar->str);
}

static PageStyle style_of(MessageAction action)
{
    switch (action) {
    case MESSAGE_ACTION_KEEP:
        return PAGE_GOOD;
    case MESSAGE_ACTION_REWRITE:
    case MESSAGE_ACTION_WOULD_REWRITE:
        return PAGE_DOUBTFUL;
    case MESSAGE_ACTION_TEMPFAIL:
    case MESSAGE_ACTION_WOULD_TEMPFAIL:
    case MESSAGE_ACTION_ERROR:
    case MESSAGE_ACTION_REJECT:
    case MESSAGE_ACTION_WOULD_REJECT:
        return PAGE_BAD;
    case MESSAGE_ACTION_INBOUND:
    case MESSAGE_ACTION_LOCAL:
        return PAGE_PLAIN;
    }
    return PAGE_PLAIN;
}

static char *percent_text(guint64 part, guint64 whole)
{
    return g_strdup_printf("%.1f %%", whole > 0 ? 100.0 * (double)part / (double)whole : 0);
}

static void add_headline(Page *page, const ReportData *data)
{
    LedgerCounts total = mail_summary_total(data->ledger->days);
    g_autofree char *from = ledger_day_text(data->period.from);
    g_autofree char *to = ledger_day_text(data->period.to);
    g_autofree char *messages = view_number(&english, ledger_counts_decided(&total));
    g_autofree char *domains = view_number(&english, data->ledger->domains);
    guint days = data->ledger->days->len;

    page_printf(page, PAGE_STRONG, "%s to %s (%u day%s): %s outgoing messages, %s domains", from,
                to, days, days == 1 ? "" : "s", messages, domains);
    page_raw(page, PAGE_PLAIN, "\n\n");
}

static void add_actions(Page *page, const ReportData *data)
{
    LedgerCounts total = mail_summary_total(data->ledger->days);
    guint64 decided = ledger_counts_decided(&total);

    for (MessageAction action = 0; action < MESSAGE_ACTION_INBOUND; action++) {
        guint64 count = total.by[action];
        g_autofree char *percent = percent_text(count, decided);

        if (count == 0 && action > MESSAGE_ACTION_REWRITE)
            continue;
        page_add_padded(page, PAGE_PLAIN, message_action_text(action), LABEL_WIDTH);
        add_number(page, PAGE_PLAIN, count);
        add_right(page, PAGE_PLAIN, percent, PERCENT_WIDTH);
        add_bar(page, style_of(action), count, decided);
        end_line(page);
    }
}

/* Those of them whose author stayed for a DKIM key; their envelope may have changed. */
static void add_consent(Page *page, const ReportData *data)
{
    LedgerCounts total = mail_summary_total(data->ledger->days);
    g_autofree char *percent = percent_text(data->ledger->by_dkim, ledger_counts_decided(&total));

    if (data->ledger->by_dkim == 0)
        return;
    page_add_padded(page, PAGE_FAINT, "by DKIM key", LABEL_WIDTH);
    add_number(page, PAGE_FAINT, data->ledger->by_dkim);
    add_right(page, PAGE_FAINT, percent, PERCENT_WIDTH);
    end_line(page);
}

/* Messages that spfrom did not decide on. */
static void add_besides(Page *page, const ReportData *data)
{
    LedgerCounts total = mail_summary_total(data->ledger->days);

    for (MessageAction action = MESSAGE_ACTION_INBOUND; action <= MESSAGE_ACTION_LOCAL; action++) {
        if (total.by[action] == 0)
            continue;
        page_add_padded(page, PAGE_FAINT, message_action_text(action), LABEL_WIDTH);
        add_number(page, PAGE_FAINT, total.by[action]);
        end_line(page);
    }
}

static guint64 busiest(const ReportData *data)
{
    guint64 most = 0;

    for (guint i = 0; i < data->ledger->days->len; i++)
        most = MAX(most,
                   ledger_counts_decided(&g_array_index(data->ledger->days, LedgerDay, i).counts));
    return most;
}

static void add_day(Page *page, const LedgerDay *day, guint64 most)
{
    g_autofree char *text = ledger_day_text(day->day);
    guint64 decided = ledger_counts_decided(&day->counts);
    guint64 rewritten = ledger_counts_rewritten(&day->counts);

    page_add_padded(page, PAGE_PLAIN, text, DAY_WIDTH);
    add_number(page, PAGE_PLAIN, decided);
    add_number(page, PAGE_PLAIN, rewritten);
    add_bar(page, PAGE_PLAIN, decided, most);
    end_line(page);
}

/* The days from the first one with mail on. */
static void add_days(Page *page, const ReportData *data)
{
    guint64 most = busiest(data);
    bool has_begun = false;

    if (most == 0)
        return;
    page_raw(page, PAGE_PLAIN, "\n");
    page_add_padded(page, PAGE_FAINT, "DAY", DAY_WIDTH);
    add_right(page, PAGE_FAINT, "MESSAGES", NUMBER_WIDTH);
    add_right(page, PAGE_FAINT, "REWRITTEN", NUMBER_WIDTH);
    end_line(page);
    for (guint i = 0; i < data->ledger->days->len; i++) {
        const LedgerDay *day = &g_array_index(data->ledger->days, LedgerDay, i);

        has_begun = has_begun || ledger_counts_decided(&day->counts) > 0;
        if (has_begun)
            add_day(page, day, most);
    }
}

static guint domain_width(const ReportData *data)
{
    gsize width = DOMAIN_WIDTH_MIN;

    for (guint i = 0; i < data->ledger->by_messages->len; i++)
        width = MAX(width,
                    strlen(domains_csv_name(g_ptr_array_index(data->ledger->by_messages, i))) + 2);
    return (guint)MIN(width, DOMAIN_WIDTH_MAX);
}

static PageStyle style_of_result(guint result)
{
    if (result == SPF_PASS || result == LEDGER_DKIM)
        return PAGE_GOOD;
    if (result == LEDGER_UNCHECKED)
        return PAGE_FAINT;
    return result == SPF_TEMPERROR ? PAGE_DOUBTFUL : PAGE_BAD;
}

static void add_domain(Page *page, const LedgerDomain *domain, guint width, bool has_column,
                       bool is_narrow)
{
    g_autofree char *first = day_text(domain->first);
    g_autofree char *last = day_text(domain->last);
    g_autofree char *since = day_text(domain->authorised_since);

    page_add_padded(page, PAGE_PLAIN, domains_csv_name(domain), width);
    add_number(page, PAGE_PLAIN, ledger_counts_decided(&domain->counts));
    add_number(page, PAGE_PLAIN, ledger_counts_rewritten(&domain->counts));
    add_number(page, PAGE_PLAIN, domain->counts.by[MESSAGE_ACTION_KEEP]);
    if (has_column)
        add_number(page, PAGE_PLAIN, domain->returned);
    page_add_padded(page, style_of_result(domain->result), ledger_result_text(domain->result),
                    RESULT_WIDTH);
    if (!is_narrow) {
        page_add_padded(page, PAGE_PLAIN, first, DAY_WIDTH);
        page_add_padded(page, PAGE_PLAIN, last, DAY_WIDTH);
    }
    page_add(page, PAGE_PLAIN, domain->is_authorised ? since : "-");
    end_line(page);
}

static void add_domains(Page *page, const ReportData *data)
{
    bool has_column = domains_csv_has_returned(data->ledger->by_messages);
    gsize numbers = (has_column ? 4 : 3) * (NUMBER_WIDTH + 2) + RESULT_WIDTH;
    bool is_narrow =
        page->columns > 0 && page->columns < DOMAIN_WIDTH_MAX + numbers + 3 * DAY_WIDTH + 4;
    guint width = is_narrow ? DOMAIN_WIDTH_MIN : domain_width(data);

    if (data->ledger->by_messages->len == 0)
        return;
    page_raw(page, PAGE_PLAIN, "\n");
    page_add_padded(page, PAGE_FAINT, "DOMAIN", width);
    add_right(page, PAGE_FAINT, "MESSAGES", NUMBER_WIDTH);
    add_right(page, PAGE_FAINT, "REWRITTEN", NUMBER_WIDTH);
    add_right(page, PAGE_FAINT, "KEPT", NUMBER_WIDTH);
    if (has_column)
        add_right(page, PAGE_FAINT, "RETURNED", NUMBER_WIDTH);
    page_add_padded(page, PAGE_FAINT, "RESULT", RESULT_WIDTH);
    if (!is_narrow) {
        page_add_padded(page, PAGE_FAINT, "FIRST SEEN", DAY_WIDTH);
        page_add_padded(page, PAGE_FAINT, "LAST SEEN", DAY_WIDTH);
    }
    page_raw(page, PAGE_FAINT, is_narrow ? "PASS SINCE" : "AUTHORISED SINCE");
    end_line(page);
    for (guint i = 0; i < data->ledger->by_messages->len; i++)
        add_domain(page, g_ptr_array_index(data->ledger->by_messages, i), width, has_column,
                   is_narrow);
    if (data->ledger->domains > data->ledger->by_messages->len) {
        page_printf(page, PAGE_FAINT, "and %" G_GUINT64_FORMAT " more: --limit 0 shows all",
                    data->ledger->domains - data->ledger->by_messages->len);
        end_line(page);
    }
}

static void add_more(Page *page, guint domains)
{
    if (domains <= NEWLY_SHOWN_MAX)
        return;
    page_printf(page, PAGE_FAINT, "and %u more", domains - NEWLY_SHOWN_MAX);
    end_line(page);
}

static void add_newly(Page *page, const ReportData *data)
{
    if (data->ledger->newly_authorised->len == 0)
        return;
    page_raw(page, PAGE_PLAIN, "\nNewly authorised\n");
    for (guint i = 0; i < MIN(data->ledger->newly_authorised->len, NEWLY_SHOWN_MAX); i++) {
        const LedgerDomain *domain = g_ptr_array_index(data->ledger->newly_authorised, i);
        g_autofree char *since = day_text(domain->authorised_since);

        page_add_padded(page, PAGE_PLAIN, since, DAY_WIDTH);
        page_add(page, PAGE_GOOD, domains_csv_name(domain));
        end_line(page);
    }
    add_more(page, data->ledger->newly_authorised->len);
}

static void add_broken(Page *page, const ReportData *data)
{
    const GPtrArray *domains = data->ledger->no_longer_authorised;

    if (domains->len == 0)
        return;
    page_raw(page, PAGE_PLAIN, "\nNo longer authorised\n");
    for (guint i = 0; i < MIN(domains->len, NEWLY_SHOWN_MAX); i++) {
        const LedgerDomain *domain = g_ptr_array_index(domains, i);
        g_autofree char *since = day_text(domain->unauthorised_since);
        g_autofree char *before = day_text(domain->authorised_before);

        page_add_padded(page, PAGE_PLAIN, since, DAY_WIDTH);
        page_add(page, PAGE_BAD, domains_csv_name(domain));
        if (*before != '\0')
            page_printf(page, PAGE_FAINT, "  (before that since %s)", before);
        end_line(page);
    }
    add_more(page, domains->len);
}

void report_output_add_text(Page *page, const ReportData *data)
{
    add_headline(page, data);
    add_actions(page, data);
    add_consent(page, data);
    add_besides(page, data);
    add_days(page, data);
    add_domains(page, data);
    add_broken(page, data);
    add_newly(page, data);
}

static void add_results(Page *page, const LedgerDomainDay *day)
{
    const char *separator = "";

    for (guint result = 0; result < LEDGER_RESULTS; result++) {
        g_autofree char *number = view_number(&english, day->results[result]);

        if (day->results[result] == 0)
            continue;
        page_raw(page, PAGE_PLAIN, separator);
        page_printf(page, style_of_result(result), "%s", ledger_result_text(result));
        page_printf(page, PAGE_PLAIN, " %s", number);
        separator = ", ";
    }
}

static void add_domain_day(Page *page, const LedgerDomainDay *day, bool has_column)
{
    g_autofree char *text = ledger_day_text(day->day);
    guint64 returned = 0;

    for (guint kind = 0; kind < RETURN_KINDS; kind++)
        returned += day->returned[kind];
    page_add_padded(page, PAGE_PLAIN, text, DAY_WIDTH);
    add_number(page, PAGE_PLAIN, ledger_counts_decided(&day->counts));
    add_number(page, PAGE_PLAIN, ledger_counts_rewritten(&day->counts));
    add_number(page, PAGE_PLAIN, day->counts.by[MESSAGE_ACTION_KEEP]);
    if (has_column)
        add_number(page, PAGE_PLAIN, returned);
    add_results(page, day);
    end_line(page);
}

/* Since when the domain is authorised, or is not any more. */
static void add_state(Page *page, const LedgerDomain *domain)
{
    g_autofree char *since =
        day_text(domain->is_authorised ? domain->authorised_since : domain->unauthorised_since);
    g_autofree char *before = day_text(domain->authorised_before);

    if (*since == '\0')
        return;
    page_printf(page, domain->is_authorised ? PAGE_GOOD : PAGE_BAD, "%s since %s",
                domain->is_authorised ? "authorised" : "no longer authorised", since);
    if (*before != '\0' && !domain->is_authorised)
        page_printf(page, PAGE_PLAIN, ", before that since %s", before);
    end_line(page);
}

void report_output_add_history(Page *page, LedgerPeriod period, const LedgerDomain *domain,
                               const GArray *history)
{
    g_autofree char *from = ledger_day_text(period.from);
    g_autofree char *to = ledger_day_text(period.to);
    g_autofree char *messages = view_number(&english, ledger_counts_decided(&domain->counts));
    guint days = period.to - period.from + 1;
    bool has_column = domain->returned > 0;

    page_add(page, PAGE_STRONG, domains_csv_name(domain));
    page_printf(page, PAGE_STRONG, ", %s to %s (%u day%s): %s outgoing messages", from, to, days,
                days == 1 ? "" : "s", messages);
    end_line(page);
    add_state(page, domain);
    if (history->len == 0)
        return;
    end_line(page);
    page_add_padded(page, PAGE_FAINT, "DAY", DAY_WIDTH);
    add_right(page, PAGE_FAINT, "MESSAGES", NUMBER_WIDTH);
    add_right(page, PAGE_FAINT, "REWRITTEN", NUMBER_WIDTH);
    add_right(page, PAGE_FAINT, "KEPT", NUMBER_WIDTH);
    if (has_column)
        add_right(page, PAGE_FAINT, "RETURNED", NUMBER_WIDTH);
    page_raw(page, PAGE_FAINT, "RESULTS");
    end_line(page);
    for (guint i = 0; i < history->len; i++)
        add_domain_day(page, &g_array_index(history, LedgerDomainDay, i), has_column);
}

static void set_count(json_t *json, const char *key, guint64 count)
{
    json_object_set_new(json, key, json_integer((json_int_t)count));
}

static void set_day(json_t *json, const char *key, guint32 day)
{
    g_autofree char *text = ledger_day_text(day);

    json_object_set_new(json, key, json_string(text));
}

static void set_time(json_t *json, const char *key, gint64 wall)
{
    g_autofree char *text = wall != 0 ? clock_rfc3339(wall) : NULL;

    json_object_set_new(json, key, text != NULL ? json_string(text) : json_null());
}

/* "messages" counts those that spfrom decided on. The members are those of status; the ledger counts
 * returned mail, which alone is rejected, for the author that it goes to. */
static json_t *counts_json(const LedgerCounts *counts)
{
    json_t *json = json_object();

    set_count(json, "messages", ledger_counts_decided(counts));
    for (guint action = 0; action < MESSAGE_ACTIONS; action++)
        set_count(json, message_action_text((MessageAction)action),
                  action < LEDGER_ACTIONS ? counts->by[action] : 0);
    return json;
}

static json_t *days_json(const GArray *days)
{
    json_t *json = json_array();

    for (guint i = 0; i < days->len; i++) {
        const LedgerDay *day = &g_array_index(days, LedgerDay, i);
        json_t *row = counts_json(&day->counts);

        set_day(row, "day", day->day);
        json_array_append_new(json, row);
    }
    return json;
}

static json_t *domain_json(const LedgerDomain *domain)
{
    json_t *json = json_object();
    bool has_name = strcmp(domain->name, LEDGER_NO_DOMAIN) != 0;

    json_object_set_new(json, "domain", has_name ? json_string(domain->name) : json_null());
    json_object_set_new(json, "result", json_string(ledger_result_text(domain->result)));
    set_count(json, "messages", ledger_counts_decided(&domain->counts));
    set_count(json, "rewritten", ledger_counts_rewritten(&domain->counts));
    set_count(json, "kept", domain->counts.by[MESSAGE_ACTION_KEEP]);
    set_count(json, "returned", domain->returned);
    set_count(json, "dkim", domain->by_dkim);
    json_object_set_new(json, "actions", counts_json(&domain->counts));
    set_time(json, "first_seen", domain->first);
    set_time(json, "last_seen", domain->last);
    json_object_set_new(json, "authorised", json_boolean(domain->is_authorised));
    set_time(json, "authorised_since", domain->authorised_since);
    json_object_set_new(json, "was_unauthorised", json_boolean(domain->was_unauthorised));
    set_time(json, "unauthorised_since", domain->unauthorised_since);
    set_time(json, "authorised_before", domain->authorised_before);
    return json;
}

static json_t *domains_json(const GPtrArray *domains)
{
    json_t *json = json_array();

    for (guint i = 0; i < domains->len; i++)
        json_array_append_new(json, domain_json(g_ptr_array_index(domains, i)));
    return json;
}

json_t *report_output_json(const ReportData *data)
{
    LedgerCounts total = mail_summary_total(data->ledger->days);
    json_t *json = json_object();

    set_day(json, "from", data->period.from);
    set_day(json, "to", data->period.to);
    set_time(json, "generated", data->now);
    json_object_set_new(json, "total", counts_json(&total));
    set_count(json, "dkim", data->ledger->by_dkim);
    set_count(json, "domains_seen", data->ledger->domains);
    json_object_set_new(json, "days", days_json(data->ledger->days));
    json_object_set_new(json, "domains", domains_json(data->ledger->by_messages));
    json_object_set_new(json, "newly_authorised", domains_json(data->ledger->newly_authorised));
    json_object_set_new(json, "no_longer_authorised",
                        domains_json(data->ledger->no_longer_authorised));
    return json;
}

static char *period_text(const View *view, const ReportData *data)
{
    g_autofree char *from = view_date(view, ledger_day_begin(data->period.from));
    g_autofree char *to = view_date(view, ledger_day_begin(data->period.to));
    g_autofree char *days = view_number(view, data->ledger->days->len);

    if (data->ledger->days->len == 1)
        return g_steal_pointer(&from);
    return language_fill(view->language, N_("{from} to {to}, {days} days"), "from", from, "to", to,
                         "days", days, NULL);
}

static void add_html_head(Html *html, const View *view, const char *period)
{
    g_autofree char *title = g_strconcat("spfrom: ", period, NULL);

    html_open_head(html, language_code(view->language), title);
    html_empty(html, "meta", "name", "robots", "content", "noindex", NULL);
    html_empty(html, "meta", "http-equiv", "Content-Security-Policy", "content",
               "default-src 'none'; style-src 'unsafe-inline'", NULL);
    html_add_style(html);
    html_close(html);
    html_open(html, "body", NULL);
    html_open(html, "header", "class", "top", NULL);
    html_open(html, "div", "class", "width", NULL);
    html_element(html, "span", "spfrom", "class", "brand", NULL);
    html_close(html);
    html_close(html);
}

static void add_html_domains(Html *html, const View *view, const LedgerReport *ledger)
{
    html_open(html, "section", "class", "card full", "aria-labelledby", "list", NULL);
    html_element(html, "h2", view_say(view, "Domains"), "id", "list", NULL);
    mail_summary_add_domains(html, view, ledger->by_messages, "list", MAIL_SUMMARY_FULL);
    if (ledger->domains > ledger->by_messages->len) {
        g_autofree char *number = view_number(view, ledger->domains - ledger->by_messages->len);
        g_autofree char *text =
            language_fill(view->language, N_("and {number} more; spfrom report --csv lists all"),
                          "number", number, NULL);

        html_element(html, "p", text, "class", "detail", NULL);
    }
    html_close(html);
}

static void add_html_mail(Html *html, const View *view, const LedgerReport *ledger)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "over-time", NULL);
    html_element(html, "h2", view_say(view, "Messages a day"), "id", "over-time", NULL);
    mail_summary_add_chart(html, view, ledger->days);
    html_close(html);
    mail_summary_add_broken(html, view, ledger->no_longer_authorised, NEWLY_SHOWN_MAX);
    mail_summary_add_authorised(html, view, ledger->newly_authorised, NEWLY_SHOWN_MAX);
    add_html_domains(html, view, ledger);
}

static void add_html_foot(Html *html, const View *view, const LedgerReport *ledger)
{
    LedgerCounts total = mail_summary_total(ledger->days);
    g_autofree char *inbound = view_number(view, total.by[MESSAGE_ACTION_INBOUND]);
    g_autofree char *local = view_number(view, total.by[MESSAGE_ACTION_LOCAL]);
    g_autofree char *besides =
        language_fill(view->language,
                      N_("Besides, {inbound} messages came from outside and {local} stayed in the "
                         "house; they are not touched."),
                      "inbound", inbound, "local", local, NULL);
    g_autofree char *time = view_time(view, view->now);
    g_autofree char *made = language_fill(view->language, N_("Made by spfrom {version}, {time}."),
                                          "version", PACKAGE_VERSION, "time", time, NULL);

    html_open(html, "footer", "class", "width", NULL);
    if (total.by[MESSAGE_ACTION_INBOUND] + total.by[MESSAGE_ACTION_LOCAL] > 0)
        html_element(html, "p", besides, NULL);
    html_element(html, "p", made, NULL);
    html_close(html);
}

char *report_output_html(const ReportData *data, const Language *language)
{
    const View view = {.language = language, .now = data->now};
    const LedgerReport *ledger = data->ledger;
    g_autofree char *period = period_text(&view, data);
    g_auto(Html) html;

    html_init(&html);
    add_html_head(&html, &view, period);
    html_open(&html, "main", "class", "width", NULL);
    html_element(&html, "h1", view_say(&view, "Outgoing mail and SPF"), NULL);
    html_element(&html, "p", period, "class", "detail", NULL);
    html_open(&html, "div", "class", "tiles", NULL);
    mail_summary_add_tiles(&html, &view, ledger, MAIL_SUMMARY_FULL);
    html_close(&html);
    if (ledger->by_messages->len == 0)
        html_element(&html, "p", view_say(&view, "No outgoing mail was seen in these days."), NULL);
    else
        add_html_mail(&html, &view, ledger);
    html_close(&html);
    add_html_foot(&html, &view, ledger);
    return html_finish(&html);
}
