#include "config.h"

#include "show/mail_summary.h"

#include <stdbool.h>
#include <string.h>

#include "base/domain_name.h"

LedgerCounts mail_summary_total(const GArray *days)
{
    LedgerCounts total = {0};

    for (guint i = 0; i < days->len; i++)
        for (int action = 0; action < LEDGER_ACTIONS; action++)
            total.by[action] += g_array_index(days, LedgerDay, i).counts.by[action];
    return total;
}

void mail_summary_add_tile(Html *html, const char *title, const char *number, const char *detail)
{
    html_open(html, "div", "class", "tile", NULL);
    html_element(html, "h2", title, NULL);
    html_element(html, "p", number, "class", "figure", NULL);
    if (detail != NULL)
        html_element(html, "p", detail, "class", "detail", NULL);
    html_close(html);
}

static char *messages_text(const View *view, guint64 messages)
{
    g_autofree char *number = view_number(view, messages);

    return language_fill(view->language, N_("{number} messages"), "number", number, NULL);
}

/* A tile for messages that are a part of all. */
static void add_share_tile(Html *html, const View *view, const char *title, guint64 part,
                           guint64 whole)
{
    g_autofree char *share = view_percent(view, part, whole);
    g_autofree char *detail = messages_text(view, part);

    mail_summary_add_tile(html, title, share, detail);
}

static void add_rewritten_tile(Html *html, const View *view, const LedgerCounts *total)
{
    guint64 rewritten = ledger_counts_rewritten(total);
    guint64 would_be = total->by[MESSAGE_ACTION_WOULD_REWRITE];
    g_autofree char *share = view_percent(view, rewritten, ledger_counts_decided(total));
    g_autofree char *number = view_number(view, rewritten);
    g_autofree char *would = view_number(view, would_be);
    g_autofree char *detail = NULL;

    if (would_be == 0)
        detail = messages_text(view, rewritten);
    else
        detail =
            language_fill(view->language, N_("{number} messages, {would} of them in the log only"),
                          "number", number, "would", would, NULL);
    mail_summary_add_tile(html, view_say(view, "Rewritten"), share, detail);
}

void mail_summary_add_tiles(Html *html, const View *view, const LedgerReport *report,
                            MailSummaryDetail detail)
{
    LedgerCounts total = mail_summary_total(report->days);
    guint64 decided = ledger_counts_decided(&total);
    guint64 kept = total.by[MESSAGE_ACTION_KEEP];
    guint64 refused = decided - kept - ledger_counts_rewritten(&total);
    g_autofree char *messages = view_number(view, decided);
    g_autofree char *domains = view_number(view, report->domains);
    g_autofree char *authorised = view_number(view, report->newly_authorised->len);

    mail_summary_add_tile(html, view_say(view, "Outgoing messages"), messages, NULL);
    if (detail == MAIL_SUMMARY_FULL)
        add_share_tile(html, view, view_say(view, "Kept"), kept, decided);
    add_rewritten_tile(html, view, &total);
    if (detail == MAIL_SUMMARY_FULL && refused > 0)
        add_share_tile(html, view, view_say(view, "Put off or failed"), refused, decided);
    if (report->by_dkim > 0)
        add_share_tile(html, view, view_say(view, "Author stays by DKIM key"), report->by_dkim,
                       decided);
    mail_summary_add_tile(html, view_say(view, "Author domains"), domains, NULL);
    mail_summary_add_tile(html, view_say(view, "Newly authorised"), authorised, NULL);
}

ChartBar mail_summary_bar(guint32 day, const LedgerCounts *counts)
{
    return (ChartBar){.from = ledger_day_begin(day),
                      .counts = {[CHART_KEPT] = counts->by[MESSAGE_ACTION_KEEP],
                                 [CHART_REWRITTEN] = counts->by[MESSAGE_ACTION_REWRITE],
                                 [CHART_WOULD_REWRITE] = counts->by[MESSAGE_ACTION_WOULD_REWRITE],
                                 [CHART_REFUSED] = counts->by[MESSAGE_ACTION_TEMPFAIL] +
                                                   counts->by[MESSAGE_ACTION_WOULD_TEMPFAIL] +
                                                   counts->by[MESSAGE_ACTION_ERROR]}};
}

void mail_summary_add_chart(Html *html, const View *view, const GArray *days)
{
    g_autoptr(GArray) bars = g_array_new(FALSE, TRUE, sizeof(ChartBar));

    for (guint i = 0; i < days->len; i++) {
        const LedgerDay *day = &g_array_index(days, LedgerDay, i);
        ChartBar bar = mail_summary_bar(day->day, &day->counts);

        g_array_append_val(bars, bar);
    }
    chart_add(html, view, view_say(view, "Outgoing messages by what became of them"), bars);
}

void mail_summary_add_domain_name(Html *html, const View *view, const char *name)
{
    g_autofree char *shown = domain_name_shown(name);
    g_autofree char *link = NULL;

    if (strcmp(name, LEDGER_NO_DOMAIN) == 0) {
        html_element(html, "em", view_say(view, "without a readable author"), NULL);
        return;
    }
    if (strcmp(name, LEDGER_OTHER_DOMAINS) == 0) {
        html_element(html, "em", view_say(view, "all others"), NULL);
        return;
    }
    if (view->domain_link != NULL)
        link = view->domain_link(name);
    html_element(html, link != NULL ? "a" : "span", shown != NULL ? shown : name, "class", "domain",
                 "href", link, NULL);
}

static void add_coloured(Html *html, const char *class, const char *text)
{
    g_autofree char *classes = g_strconcat("result ", class, NULL);

    html_element(html, "span", text, "class", classes, NULL);
}

void mail_summary_add_result(Html *html, const char *result)
{
    const char *class = "bad";

    if (strcmp(result, "pass") == 0)
        class = "good";
    else if (strcmp(result, "temperror") == 0)
        class = "doubtful";
    add_coloured(html, class, result);
}

const char *mail_summary_result_text(const View *view, guint result)
{
    if (result == LEDGER_DKIM)
        return view_say(view, "DKIM key");
    return result == LEDGER_UNCHECKED ? view_say(view, "unchecked") : ledger_result_text(result);
}

void mail_summary_add_ledger_result(Html *html, const View *view, guint result)
{
    if (result == LEDGER_UNCHECKED)
        add_coloured(html, "doubtful", mail_summary_result_text(view, result));
    else if (result == LEDGER_DKIM)
        add_coloured(html, "good", mail_summary_result_text(view, result));
    else
        mail_summary_add_result(html, ledger_result_text(result));
}

static void add_number(Html *html, const View *view, guint64 number)
{
    g_autofree char *text = view_number(view, number);

    html_text(html, text);
}

static void add_result(Html *html, const View *view, const LedgerDomain *domain)
{
    mail_summary_add_ledger_result(html, view, domain->result);
}

static void add_rewritten(Html *html, const View *view, const LedgerDomain *domain)
{
    add_number(html, view, ledger_counts_rewritten(&domain->counts));
}

static void add_kept(Html *html, const View *view, const LedgerDomain *domain)
{
    add_number(html, view, domain->counts.by[MESSAGE_ACTION_KEEP]);
}

static void add_messages(Html *html, const View *view, const LedgerDomain *domain)
{
    add_number(html, view, ledger_counts_decided(&domain->counts));
}

static void add_share(Html *html, const View *view G_GNUC_UNUSED, const LedgerDomain *domain)
{
    chart_add_share(html, ledger_counts_rewritten(&domain->counts),
                    ledger_counts_decided(&domain->counts));
}

static void add_date(Html *html, const View *view, gint64 wall)
{
    g_autofree char *date = view_date(view, wall);

    html_text(html, date);
}

static void add_first(Html *html, const View *view, const LedgerDomain *domain)
{
    add_date(html, view, domain->first);
}

static void add_last(Html *html, const View *view, const LedgerDomain *domain)
{
    add_date(html, view, domain->last);
}

static void add_since(Html *html, const View *view, const LedgerDomain *domain)
{
    if (domain->is_authorised)
        add_date(html, view, domain->authorised_since);
}

#define BOTH (MAIL_SUMMARY_SHORT | MAIL_SUMMARY_FULL)

/* The columns behind the one with the name. */
static const struct column {
    const char *name;
    const char *class;
    /* Tables of these details have it. */
    guint details;
    void (*add)(Html *html, const View *view, const LedgerDomain *domain);
} columns[] = {
    {N_("SPF"), NULL, BOTH, add_result},
    {N_("Rewritten"), "number", BOTH, add_rewritten},
    {N_("Kept"), "number", MAIL_SUMMARY_FULL, add_kept},
    {N_("Messages"), "number", BOTH, add_messages},
    {N_("Share"), "wide", MAIL_SUMMARY_SHORT, add_share},
    {N_("First seen"), "wide number", MAIL_SUMMARY_FULL, add_first},
    {N_("Last seen"), "wide number", BOTH, add_last},
    {N_("Authorised since"), "number", MAIL_SUMMARY_FULL, add_since},
};

static void add_domain(Html *html, const View *view, const LedgerDomain *domain,
                       MailSummaryDetail detail)
{
    html_open_row(html);
    html_open_row_heading(html, NULL);
    mail_summary_add_domain_name(html, view, domain->name);
    if (detail == MAIL_SUMMARY_FULL)
        add_share(html, view, domain);
    html_close(html);
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
        if ((columns[i].details & detail) == 0)
            continue;
        html_open_cell(html, view_say(view, columns[i].name), columns[i].class);
        columns[i].add(html, view, domain);
        html_close(html);
    }
    html_close(html);
}

void mail_summary_add_domains(Html *html, const View *view, const GPtrArray *domains,
                              const char *label, MailSummaryDetail detail)
{
    html_open_table(html, label);
    html_add_column(html, view_say(view, "Domain"), NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        if ((columns[i].details & detail) != 0)
            html_add_column(html, view_say(view, columns[i].name), columns[i].class);
    html_end_columns(html);
    for (guint i = 0; i < domains->len; i++)
        add_domain(html, view, g_ptr_array_index(domains, i), detail);
    html_close_table(html);
}

char *mail_summary_broken_text(const View *view, const LedgerDomain *domain)
{
    g_autofree char *since = view_date(view, domain->unauthorised_since);
    g_autofree char *before = view_date(view, domain->authorised_before);

    if (domain->authorised_before == 0)
        return language_fill(view->language, N_("No longer authorised since {since}."), "since",
                             since, NULL);
    return language_fill(view->language,
                         N_("No longer authorised since {since}, before that since {before}."),
                         "since", since, "before", before, NULL);
}

/* Each of the first max domains with a text beside it, then how many there are besides. */
static void add_domains_with(Html *html, const View *view, const GPtrArray *domains, guint max,
                             char *(*text_of)(const View *view, const LedgerDomain *domain))
{
    html_open(html, "ul", "class", "list", NULL);
    for (guint i = 0; i < MIN(domains->len, max); i++) {
        const LedgerDomain *domain = g_ptr_array_index(domains, i);
        g_autofree char *text = text_of(view, domain);

        html_open(html, "li", NULL);
        mail_summary_add_domain_name(html, view, domain->name);
        html_element(html, "span", text, "class", "detail", NULL);
        html_close(html);
    }
    html_close(html);
    if (domains->len > max) {
        g_autofree char *number = view_number(view, domains->len - max);
        g_autofree char *more =
            language_fill(view->language, N_("and {number} more"), "number", number, NULL);

        html_element(html, "p", more, "class", "detail", NULL);
    }
}

void mail_summary_add_broken(Html *html, const View *view, const GPtrArray *domains, guint max)
{
    if (domains->len == 0)
        return;
    html_open(html, "section", "class", "card broken", "aria-labelledby", "broken", NULL);
    html_element(html, "h2", view_say(view, "No longer authorised"), "id", "broken", NULL);
    html_element(html, "p",
                 view_say(view,
                          "The records of these domains let our servers send before, and do not "
                          "any more: something was changed there."),
                 NULL);
    add_domains_with(html, view, domains, max, mail_summary_broken_text);
    html_close(html);
}

static char *since_text(const View *view, const LedgerDomain *domain)
{
    return view_date(view, domain->authorised_since);
}

void mail_summary_add_authorised(Html *html, const View *view, const GPtrArray *domains, guint max)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "new", NULL);
    html_element(html, "h2", view_say(view, "Newly authorised"), "id", "new", NULL);
    if (domains->len == 0)
        html_element(html, "p", view_say(view, "No owner has mended a record in this time."), NULL);
    else
        add_domains_with(html, view, domains, max, since_text);
    html_close(html);
}
