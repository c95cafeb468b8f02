#include "config.h"

#include "web/overview_page.h"

#include <stdbool.h>
#include <string.h>

#include "ledger/ledger_report.h"
#include "show/chart.h"
#include "web/layout.h"
#include "web/parts.h"

Overview *overview_new(void)
{
    Overview *overview = g_new0(Overview, 1);

    overview->refs = 1;
    return overview;
}

Overview *overview_ref(Overview *overview)
{
    g_atomic_int_inc(&overview->refs);
    return overview;
}

void overview_unref(Overview *overview)
{
    if (!g_atomic_int_dec_and_test(&overview->refs))
        return;
    g_clear_pointer(&overview->daemon, daemon_state_free);
    g_free(overview->ledger_problem);
    g_clear_pointer(&overview->days, g_array_unref);
    g_clear_pointer(&overview->rewritten, g_ptr_array_unref);
    g_clear_pointer(&overview->domains, g_ptr_array_unref);
    g_clear_pointer(&overview->newly_authorised, g_ptr_array_unref);
    g_free(overview);
}

static const char *mode_sentence(const View *view, const char *mode)
{
    if (g_strcmp0(mode, "rewrite") == 0)
        return view_say(view, "Authors whose domain does not authorise the relays are rewritten.");
    if (g_strcmp0(mode, "log-only") == 0)
        return view_say(view, "No message is touched; what would be rewritten is logged.");
    return view_say(view, "Nothing is looked up and no message is touched.");
}

static const char *mode_class(const char *mode)
{
    if (g_strcmp0(mode, "rewrite") == 0)
        return "badge good";
    return g_strcmp0(mode, "log-only") == 0 ? "badge doubtful" : "badge bad";
}

static void add_mode_times(Html *html, const View *view, const DaemonState *daemon)
{
    g_autofree char *since = view_time(view, daemon->mode_since);
    g_autofree char *until = view_time(view, daemon->mode_until);
    const char *by = daemon->is_switched ? view_say(view, "by the switch")
                                         : view_say(view, "by the configuration");

    html_open(html, "p", "class", "detail", NULL);
    if (daemon->mode_since > 0) {
        g_autofree char *text = language_fill(view->language, N_("Since {time}, set {by}."), "time",
                                              since, "by", by, NULL);

        html_text(html, text);
    }
    if (daemon->mode_until > 0) {
        g_autofree char *text =
            language_fill(view->language, N_("Until {time}, then as the configuration says."),
                          "time", until, NULL);

        html_text(html, " ");
        html_text(html, text);
    }
    html_close(html);
}

static void add_mode(Html *html, const View *view, const DaemonState *daemon)
{
    html_open(html, "div", "class", "tile mode", NULL);
    html_element(html, "h2", view_say(view, "Mode"), NULL);
    html_open(html, "p", NULL);
    if (daemon->problem != NULL) {
        html_element(html, "span", view_say(view, "unknown"), "class", "badge bad", NULL);
        html_close(html);
        html_element(html, "p", view_say(view, "The daemon does not answer."), "class", "detail",
                     NULL);
        html_close(html);
        return;
    }
    html_element(html, "span", daemon->mode != NULL ? daemon->mode : "?", "class",
                 mode_class(daemon->mode), NULL);
    html_close(html);
    html_element(html, "p", mode_sentence(view, daemon->mode), "class", "detail", NULL);
    add_mode_times(html, view, daemon);
    html_close(html);
}

static void add_tile(Html *html, const char *title, const char *number, const char *detail)
{
    html_open(html, "div", "class", "tile", NULL);
    html_element(html, "h2", title, NULL);
    html_element(html, "p", number, "class", "figure", NULL);
    if (detail != NULL)
        html_element(html, "p", detail, "class", "detail", NULL);
    html_close(html);
}

typedef struct {
    guint64 decided, rewritten, would_be;
} Sums;

static Sums sum_up(const GArray *days)
{
    Sums sums = {0};

    for (guint i = 0; i < days->len; i++) {
        const LedgerCounts *counts = &g_array_index(days, LedgerDay, i).counts;

        sums.decided += ledger_counts_decided(counts);
        sums.rewritten += ledger_counts_rewritten(counts);
        sums.would_be += counts->by[MESSAGE_ACTION_WOULD_REWRITE];
    }
    return sums;
}

static char *rewritten_text(const View *view, const Sums *sums)
{
    g_autofree char *number = view_number(view, sums->rewritten);
    g_autofree char *would_be = view_number(view, sums->would_be);

    if (sums->would_be == 0)
        return language_fill(view->language, N_("{number} messages"), "number", number, NULL);
    return language_fill(view->language, N_("{number} messages, {would} of them in the log only"),
                         "number", number, "would", would_be, NULL);
}

static void add_sums(Html *html, const View *view, const Overview *overview)
{
    Sums sums = sum_up(overview->days);
    g_autofree char *messages = view_number(view, sums.decided);
    g_autofree char *share = view_percent(view, sums.rewritten, sums.decided);
    g_autofree char *rewritten = rewritten_text(view, &sums);
    g_autofree char *domains = view_number(view, overview->domains_count);
    g_autofree char *authorised = view_number(view, overview->newly_authorised->len);

    add_tile(html, view_say(view, "Outgoing messages"), messages, NULL);
    add_tile(html, view_say(view, "Rewritten"), share, rewritten);
    add_tile(html, view_say(view, "Author domains"), domains, NULL);
    add_tile(html, view_say(view, "Newly authorised"), authorised, NULL);
}

static void add_warnings(Html *html, const View *view, const Overview *overview)
{
    const DaemonState *daemon = overview->daemon;

    if (daemon->problem != NULL)
        layout_notice(
            html, "bad",
            view_say(view, "The daemon does not answer. What is shown is what the ledger has."),
            daemon->problem);
    if (daemon->has_fallback_verdict && !daemon->is_fallback_authorised)
        layout_notice(html, "bad",
                      view_say(view, "The domain of the fallback address does not authorise the "
                                     "relays: rewritten mail is not better off."),
                      daemon->fallback_address);
    if (daemon->configuration_error != NULL)
        layout_notice(html, "bad",
                      view_say(view, "The configuration was changed and could not be loaded; the "
                                     "one before it is in force."),
                      daemon->configuration_error);
    if (daemon->is_relay_set_incomplete)
        layout_notice(html, "bad",
                      view_say(view, "The relay set is incomplete: no domain is vouched for by "
                                     "relays that are not known."),
                      NULL);
    for (guint i = 0; i < daemon->relay_problems->len; i++)
        layout_notice(html, "doubtful", view_say(view, "A relay host could not be looked up."),
                      g_ptr_array_index(daemon->relay_problems, i));
    if (daemon->ledger_errors > 0)
        layout_notice(html, "doubtful",
                      view_say(view, "The ledger could not be written; its numbers are too low."),
                      NULL);
    if (overview->ledger_problem != NULL)
        layout_notice(html, "doubtful",
                      view_say(view, "There is nothing to report: the ledger can't be read."),
                      overview->ledger_problem);
}

static GArray *bars_of(const GArray *days)
{
    GArray *bars = g_array_new(FALSE, TRUE, sizeof(ChartBar));

    for (guint i = 0; i < days->len; i++) {
        const LedgerDay *day = &g_array_index(days, LedgerDay, i);
        ChartBar bar = parts_bar(day->day, &day->counts);

        g_array_append_val(bars, bar);
    }
    return bars;
}

static void add_chart(Html *html, const View *view, const Overview *overview)
{
    g_autoptr(GArray) bars = bars_of(overview->days);

    html_open(html, "section", "class", "card", "aria-labelledby", "over-time", NULL);
    html_open(html, "div", "class", "heading", NULL);
    html_element(html, "h2", view_say(view, "Messages a day"), "id", "over-time", NULL);
    parts_add_periods(html, view);
    html_close(html);
    chart_add(html, view, view_say(view, "Outgoing messages by what became of them"), bars);
    html_close(html);
}

static void add_rewritten(Html *html, const View *view, const Overview *overview)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "most", NULL);
    html_element(html, "h2", view_say(view, "Domains with most rewritten mail"), "id", "most",
                 NULL);
    if (overview->rewritten->len == 0)
        html_element(html, "p", view_say(view, "No message was rewritten in this time."), NULL);
    else
        parts_add_domains(html, view, overview->rewritten, "most");
    html_close(html);
}

static void add_authorised(Html *html, const View *view, const Overview *overview)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "new", NULL);
    html_element(html, "h2", view_say(view, "Newly authorised"), "id", "new", NULL);
    if (overview->newly_authorised->len == 0) {
        html_element(html, "p", view_say(view, "No owner has mended a record in this time."), NULL);
        html_close(html);
        return;
    }
    html_open(html, "ul", "class", "list", NULL);
    for (guint i = 0; i < overview->newly_authorised->len; i++) {
        const LedgerDomain *domain = g_ptr_array_index(overview->newly_authorised, i);
        g_autofree char *since = view_date(view, domain->authorised_since);

        html_open(html, "li", NULL);
        parts_add_domain_link(html, view, domain->name);
        html_element(html, "span", since, "class", "detail", NULL);
        html_close(html);
    }
    html_close(html);
    html_close(html);
}

char *overview_page(const View *view, const Overview *overview)
{
    g_auto(Html) html;

    html_init(&html);
    layout_begin(&html, view, view_say(view, "Overview"));
    html_element(&html, "h1", view_say(view, "Overview"), NULL);
    add_warnings(&html, view, overview);
    html_open(&html, "div", "class", "tiles", NULL);
    add_mode(&html, view, overview->daemon);
    if (overview->ledger_problem == NULL)
        add_sums(&html, view, overview);
    html_close(&html);
    if (overview->ledger_problem == NULL) {
        add_chart(&html, view, overview);
        add_rewritten(&html, view, overview);
        add_authorised(&html, view, overview);
    }
    return layout_end(&html, view);
}

static void add_list(Html *html, const View *view, const Overview *overview)
{
    if (overview->domains->len < overview->domains_count) {
        g_autofree char *shown = view_number(view, overview->domains->len);
        g_autofree char *all = view_number(view, overview->domains_count);
        g_autofree char *text = language_fill(
            view->language, N_("The {shown} of {all} with most mail; spfrom report lists all."),
            "shown", shown, "all", all, NULL);

        html_element(html, "p", text, NULL);
    }
    if (overview->domains->len == 0)
        html_element(html, "p", view_say(view, "There was no outgoing mail in this time."), NULL);
    else
        parts_add_domains(html, view, overview->domains, "list");
}

char *overview_domains_page(const View *view, const Overview *overview)
{
    g_auto(Html) html;

    html_init(&html);
    layout_begin(&html, view, view_say(view, "Domains"));
    html_open(&html, "div", "class", "heading", NULL);
    html_element(&html, "h1", view_say(view, "Domains"), "id", "list", NULL);
    if (overview->ledger_problem == NULL)
        parts_add_periods(&html, view);
    html_close(&html);
    if (overview->ledger_problem != NULL) {
        layout_notice(&html, "doubtful",
                      view_say(view, "There is nothing to report: the ledger can't be read."),
                      overview->ledger_problem);
        return layout_end(&html, view);
    }
    html_open(&html, "section", "class", "card", "aria-labelledby", "list", NULL);
    add_list(&html, view, overview);
    html_close(&html);
    return layout_end(&html, view);
}
