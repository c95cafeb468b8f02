#include "config.h"

#include "web/parts.h"

#include <stdbool.h>
#include <string.h>

#include "base/domain_name.h"
#include "show/table.h"

ChartBar parts_bar(guint32 day, const LedgerCounts *counts)
{
    return (ChartBar){.from = ledger_day_begin(day),
                      .counts = {[CHART_KEPT] = counts->by[MESSAGE_ACTION_KEEP],
                                 [CHART_REWRITTEN] = counts->by[MESSAGE_ACTION_REWRITE],
                                 [CHART_WOULD_REWRITE] = counts->by[MESSAGE_ACTION_WOULD_REWRITE],
                                 [CHART_REFUSED] = counts->by[MESSAGE_ACTION_TEMPFAIL] +
                                                   counts->by[MESSAGE_ACTION_WOULD_TEMPFAIL] +
                                                   counts->by[MESSAGE_ACTION_ERROR]}};
}

void parts_add_periods(Html *html, const View *view)
{
    static const guint choices[] = {7, 30, 90, 365};

    html_open(html, "nav", "class", "periods", "aria-label", view_say(view, "Time"), NULL);
    html_open(html, "ul", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
        g_autofree char *target = request_target(view->request, NULL, choices[i]);
        g_autofree char *days = g_strdup_printf("%u", choices[i]);
        g_autofree char *text =
            language_fill(view->language, N_("{days} days"), "days", days, NULL);
        bool is_current = view->request->days == choices[i];

        html_open(html, "li", NULL);
        html_element(html, "a", text, "href", target, "aria-current", is_current ? "true" : NULL,
                     NULL);
        html_close(html);
    }
    html_close(html);
    html_close(html);
}

void parts_add_domain_link(Html *html, const View *view, const char *name)
{
    g_autofree char *target = NULL;
    g_autofree char *shown = domain_name_shown(name);

    if (strcmp(name, LEDGER_NO_DOMAIN) == 0) {
        html_element(html, "em", view_say(view, "without a readable author"), NULL);
        return;
    }
    if (strcmp(name, LEDGER_OTHER_DOMAINS) == 0) {
        html_element(html, "em", view_say(view, "all others"), NULL);
        return;
    }
    target = request_domain_target(name);
    html_element(html, "a", shown != NULL ? shown : name, "class", "domain", "href", target, NULL);
}

void parts_add_result(Html *html, const char *result)
{
    const char *class = "result bad";

    if (strcmp(result, "pass") == 0)
        class = "result good";
    else if (strcmp(result, "temperror") == 0 || strcmp(result, "unchecked") == 0)
        class = "result doubtful";
    html_element(html, "span", result, "class", class, NULL);
}

static void add_domain(Html *html, const View *view, const LedgerDomain *domain)
{
    guint64 messages = ledger_counts_decided(&domain->counts);
    guint64 rewritten = ledger_counts_rewritten(&domain->counts);
    g_autofree char *messages_text = view_number(view, messages);
    g_autofree char *rewritten_text = view_number(view, rewritten);
    g_autofree char *last = view_date(view, domain->last);

    table_open_row(html);
    table_open_heading(html, NULL);
    parts_add_domain_link(html, view, domain->name);
    html_close(html);
    table_open_cell(html, view_say(view, "SPF"), NULL);
    parts_add_result(html, ledger_result_text(domain->result));
    html_close(html);
    table_add_cell(html, view_say(view, "Rewritten"), "number", rewritten_text);
    table_add_cell(html, view_say(view, "Messages"), "number", messages_text);
    table_open_cell(html, view_say(view, "Share"), "wide");
    chart_add_share(html, rewritten, messages);
    html_close(html);
    table_add_cell(html, view_say(view, "Last seen"), "wide number", last);
    html_close(html);
}

void parts_add_domains(Html *html, const View *view, const GPtrArray *domains, const char *label)
{
    table_begin(html, label);
    table_add_column(html, view_say(view, "Domain"), NULL);
    table_add_column(html, view_say(view, "SPF"), NULL);
    table_add_column(html, view_say(view, "Rewritten"), "number");
    table_add_column(html, view_say(view, "Messages"), "number");
    table_add_column(html, view_say(view, "Share"), "wide");
    table_add_column(html, view_say(view, "Last seen"), "wide number");
    table_end_columns(html);
    for (guint i = 0; i < domains->len; i++)
        add_domain(html, view, g_ptr_array_index(domains, i));
    table_end(html);
}
