#include "config.h"

#include "cli/report_html.h"

#include <string.h>

#include "show/report_chart.h"
#include "show/report_style.h"

#define NEWLY_SHOWN_MAX 24

/* Appends text with what HTML takes for its own escaped. */
static void add_text(GString *html, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *escaped = g_markup_escape_text(valid, -1);

    g_string_append(html, escaped);
}

static void add_number(GString *html, guint64 number)
{
    g_autofree char *text = report_data_number(number);

    g_string_append(html, text);
}

static void add_head(GString *html, const char *from, const char *to)
{
    g_string_append(html,
                    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n"
                    "<meta name=\"robots\" content=\"noindex\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" "
                    "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    g_string_append_printf(html, "<title>spfrom: %s to %s</title>\n<style>\n%s</style>\n</head>\n",
                           from, to, report_style);
}

static void add_tile(GString *html, const char *kind, const char *label, guint64 count,
                     const char *note)
{
    g_string_append_printf(html, "<div class=\"tile %s\"><dt>%s</dt><dd>", kind, label);
    add_number(html, count);
    g_string_append_printf(html, "<small>%s</small></dd></div>\n", note);
}

static void add_share(GString *html, const char *kind, const char *label, guint64 count,
                      guint64 whole)
{
    g_autofree char *note = g_strdup_printf("%.1f %%", report_data_percent(count, whole));

    add_tile(html, kind, label, count, note);
}

static guint64 refused(const LedgerCounts *counts)
{
    return ledger_counts_decided(counts) - ledger_counts_rewritten(counts) -
           counts->by[MESSAGE_ACTION_KEEP];
}

static void add_tiles(GString *html, const ReportData *data)
{
    guint64 decided = ledger_counts_decided(&data->total);
    g_autofree char *domains = report_data_number(data->all_domains);
    g_autofree char *of_domains =
        g_strdup_printf("of %s domain%s", domains, data->all_domains == 1 ? "" : "s");

    g_string_append(html, "<dl class=\"tiles\">\n");
    add_tile(html, "all", "Outgoing messages", decided, of_domains);
    add_share(html, "kept", "Kept", data->total.by[MESSAGE_ACTION_KEEP], decided);
    add_share(html, "rewritten", "Rewritten", data->total.by[MESSAGE_ACTION_REWRITE], decided);
    if (data->total.by[MESSAGE_ACTION_WOULD_REWRITE] > 0)
        add_share(html, "rewritten", "Would be rewritten",
                  data->total.by[MESSAGE_ACTION_WOULD_REWRITE], decided);
    if (refused(&data->total) > 0)
        add_share(html, "refused", "Put off or refused", refused(&data->total), decided);
    add_tile(html, "good", "Newly authorised", data->newly->len,
             data->newly->len == 1 ? "domain" : "domains");
    g_string_append(html, "</dl>\n");
}

static void add_day(GString *html, const char *class, gint64 wall)
{
    g_autofree char *text = report_data_day(wall);

    g_string_append_printf(html, "<td class=\"%s\">%s</td>", class, wall != 0 ? text : "–");
}

static void add_count(GString *html, const char *label, guint64 count)
{
    g_string_append_printf(html, "<td class=\"number%s\" data-label=\"%s\">",
                           count == 0 ? " none" : "", label);
    add_number(html, count);
    g_string_append(html, "</td>");
}

static const char *result_class(guint result)
{
    if (result == SPF_PASS)
        return "pass";
    return result == LEDGER_UNCHECKED || result == SPF_TEMPERROR ? "open" : "bad";
}

/* most: of the domain with the most messages */
static void add_domain(GString *html, const LedgerDomain *domain, guint64 most)
{
    guint64 decided = ledger_counts_decided(&domain->counts);
    guint64 kept = domain->counts.by[MESSAGE_ACTION_KEEP];
    guint64 rewritten = ledger_counts_rewritten(&domain->counts);

    g_string_append(html, "<tr><th scope=\"row\">");
    add_text(html, report_data_domain(domain));
    report_chart_bar(html, kept, rewritten, decided - kept - rewritten, most);
    g_string_append(html, "</th>");
    add_count(html, "messages", decided);
    add_count(html, "rewritten", rewritten);
    add_count(html, "kept", kept);
    g_string_append_printf(html, "<td class=\"result\"><span class=\"%s\">%s</span></td>",
                           result_class(domain->result), ledger_result_text(domain->result));
    add_day(html, "seen", domain->first);
    add_day(html, "seen", domain->last);
    add_day(html, domain->is_authorised ? "since" : "never", domain->authorised_since);
    g_string_append(html, "</tr>\n");
}

static void add_domains(GString *html, const ReportData *data)
{
    guint64 most = 0;

    g_string_append(html,
                    "<h2>Domains</h2>\n<div class=\"wide\"><table class=\"domains\">\n<thead><tr>"
                    "<th scope=\"col\">Domain</th><th scope=\"col\" class=\"number\">Messages</th>"
                    "<th scope=\"col\" class=\"number\">Rewritten</th>"
                    "<th scope=\"col\" class=\"number\">Kept</th><th scope=\"col\">Last result</th>"
                    "<th scope=\"col\" class=\"seen\">First seen</th>"
                    "<th scope=\"col\" class=\"seen\">Last seen</th>"
                    "<th scope=\"col\">Authorised since</th></tr></thead>\n<tbody>\n");
    for (guint i = 0; i < data->domains->len; i++) {
        const LedgerDomain *domain = g_ptr_array_index(data->domains, i);

        most = MAX(most, ledger_counts_decided(&domain->counts));
        add_domain(html, domain, most);
    }
    g_string_append(html, "</tbody>\n</table></div>\n");
    if (data->all_domains > data->domains->len) {
        g_string_append(html, "<p class=\"note\">and ");
        add_number(html, data->all_domains - data->domains->len);
        g_string_append(html, " more; <code>spfrom report --csv</code> lists all</p>\n");
    }
}

static void add_newly(GString *html, const ReportData *data)
{
    guint shown = MIN(data->newly->len, NEWLY_SHOWN_MAX);

    if (shown == 0)
        return;
    g_string_append(html,
                    "<h2>Newly authorised</h2>\n<p class=\"note\">Their owners have published "
                    "a record that lets our relays send.</p>\n<ul class=\"newly\">\n");
    for (guint i = 0; i < shown; i++) {
        const LedgerDomain *domain = g_ptr_array_index(data->newly, i);
        g_autofree char *since = report_data_day(domain->authorised_since);

        g_string_append(html, "<li><span>");
        add_text(html, report_data_domain(domain));
        g_string_append_printf(html, "</span> <time>%s</time></li>\n", since);
    }
    g_string_append(html, "</ul>\n");
    if (data->newly->len > shown)
        g_string_append_printf(html, "<p class=\"note\">and %u more</p>\n",
                               data->newly->len - shown);
}

static void add_foot(GString *html, const ReportData *data)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(data->now / G_USEC_PER_SEC);
    g_autofree char *text = now != NULL ? g_date_time_format(now, "%Y-%m-%d %H:%M %Z") : NULL;

    g_string_append(html, "<footer>");
    if (data->total.by[MESSAGE_ACTION_INBOUND] + data->total.by[MESSAGE_ACTION_LOCAL] > 0) {
        g_string_append(html, "Besides, ");
        add_number(html, data->total.by[MESSAGE_ACTION_INBOUND]);
        g_string_append(html, " messages came from outside and ");
        add_number(html, data->total.by[MESSAGE_ACTION_LOCAL]);
        g_string_append(html, " stayed in the house; they are not touched. ");
    }
    g_string_append_printf(html, "Made by spfrom " PACKAGE_VERSION ", %s.</footer>\n",
                           text != NULL ? text : "");
}

char *report_html(const ReportData *data)
{
    GString *html = g_string_new(NULL);
    g_autofree char *from = ledger_day_text(data->period.from);
    g_autofree char *to = ledger_day_text(data->period.to);

    add_head(html, from, to);
    g_string_append_printf(html,
                           "<body>\n<main>\n<header><h1>Outgoing mail and SPF</h1>\n"
                           "<p><time>%s</time> to <time>%s</time>, %u day%s</p></header>\n",
                           from, to, data->days->len, data->days->len == 1 ? "" : "s");
    add_tiles(html, data);
    if (data->domains->len == 0) {
        g_string_append(html, "<p class=\"note\">No outgoing mail was seen in these days.</p>\n");
    } else {
        report_chart_days(html, data->days);
        add_newly(html, data);
        add_domains(html, data);
    }
    add_foot(html, data);
    g_string_append(html, "</main>\n</body>\n</html>\n");
    return g_string_free(html, FALSE);
}
