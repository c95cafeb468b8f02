#include "config.h"

#include "web/overview_page.h"

#include <stdbool.h>
#include <string.h>

#include "show/mail_summary.h"
#include "web/layout.h"

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
    g_clear_pointer(&overview->daemon, daemon_status_free);
    g_free(overview->daemon_problem);
    g_free(overview->ledger_problem);
    g_free(overview->ledger_trouble);
    g_clear_pointer(&overview->ledger, ledger_report_free);
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

/* "Since …, set by the switch (anna)." The name is of a user of the machine. */
static char *since_text(const View *view, const DaemonStatusMode *mode)
{
    g_autofree char *since = view_time(view, mode->since);
    const char *by = g_strcmp0(mode->by, "switch") == 0 ? view_say(view, "by the switch")
                                                        : view_say(view, "by the configuration");

    if (mode->who != NULL)
        return language_fill(view->language, N_("Since {time}, set {by} ({who})."), "time", since,
                             "by", by, "who", mode->who, NULL);
    return language_fill(view->language, N_("Since {time}, set {by}."), "time", since, "by", by,
                         NULL);
}

static char *until_text(const View *view, const DaemonStatusMode *mode)
{
    g_autofree char *until = view_time(view, mode->until);

    if (mode->next != NULL)
        return language_fill(view->language, N_("Until {time}, then {mode}."), "time", until,
                             "mode", mode->next, NULL);
    return language_fill(view->language, N_("Until {time}, then as the configuration says."),
                         "time", until, NULL);
}

static void add_mode_times(Html *html, const View *view, const DaemonStatusMode *mode)
{
    html_open(html, "p", "class", "detail", NULL);
    if (mode->since > 0) {
        g_autofree char *text = since_text(view, mode);

        html_text(html, text);
    }
    if (mode->until > 0) {
        g_autofree char *text = until_text(view, mode);

        html_text(html, " ");
        html_text(html, text);
    }
    html_close(html);
}

static void add_mode(Html *html, const View *view, const DaemonStatus *daemon)
{
    html_open(html, "div", "class", "tile mode", NULL);
    html_element(html, "h2", view_say(view, "Mode"), NULL);
    html_open(html, "p", NULL);
    if (daemon == NULL) {
        html_element(html, "span", view_say(view, "unknown"), "class", "badge bad", NULL);
        html_close(html);
        html_element(html, "p", view_say(view, "The daemon does not answer."), "class", "detail",
                     NULL);
        html_close(html);
        return;
    }
    layout_mode(html, daemon->mode.mode, "badge");
    html_close(html);
    html_element(html, "p", mode_sentence(view, daemon->mode.mode), "class", "detail", NULL);
    add_mode_times(html, view, &daemon->mode);
    html_close(html);
}

/* daemon is NULL if it can't be asked; trouble then says why. */
static void add_daemon_warnings(Html *html, const View *view, const DaemonStatus *daemon,
                                const char *trouble)
{
    if (daemon == NULL) {
        layout_notice(
            html, "bad",
            view_say(view, "The daemon does not answer. What is shown is what the ledger has."),
            trouble);
        return;
    }
    if (daemon->fallback.authorised == DAEMON_STATUS_NO)
        layout_notice(html, "bad",
                      view_say(view, "The domain of the fallback address does not authorise the "
                                     "relays: rewritten mail is not better off."),
                      daemon->fallback.address);
    if (daemon->configuration.error != NULL)
        layout_notice(html, "bad",
                      view_say(view, "The configuration was changed and could not be loaded; the "
                                     "one before it is in force."),
                      daemon->configuration.error);
    if (daemon->relay_set.complete == DAEMON_STATUS_NO)
        layout_notice(html, "bad",
                      view_say(view, "The relay set is incomplete: no domain is vouched for by "
                                     "relays that are not known."),
                      NULL);
    for (char **problem = daemon->relay_set.problems; problem != NULL && *problem != NULL;
         problem++)
        layout_notice(html, "doubtful", view_say(view, "A relay host could not be looked up."),
                      *problem);
    if (daemon->ledger_errors > 0)
        layout_notice(html, "doubtful",
                      view_say(view, "The ledger could not be written; its numbers are too low."),
                      NULL);
}

static void add_names(Html *html, const char *kind, const char *text, char **names)
{
    g_autofree char *all = names != NULL ? g_strjoinv(", ", names) : NULL;

    if (all != NULL && *all != '\0')
        layout_notice(html, kind, text, all);
}

static void add_fleet_warnings(Html *html, const View *view, const DaemonStatus *daemon)
{
    if (daemon->fleet.up == DAEMON_STATUS_NO)
        layout_notice(html, "bad",
                      view_say(view, "The store of the fleet can't be used; mail goes on without "
                                     "it."),
                      daemon->fleet.error);
    add_names(html, "bad", view_say(view, "Hosts of the fleet differ from the others."),
              daemon->fleet.differing);
    add_names(html, "bad", view_say(view, "Hosts of the fleet were not seen for a minute."),
              daemon->fleet.unseen);
    add_names(html, "bad", view_say(view, "Two hosts of the fleet have the same name."),
              daemon->fleet.doubled);
}

static void add_warnings(Html *html, const View *view, const Overview *overview)
{
    add_daemon_warnings(html, view, overview->daemon, overview->daemon_problem);
    if (overview->daemon != NULL)
        add_fleet_warnings(html, view, overview->daemon);
    if (overview->ledger_trouble != NULL)
        layout_notice(html, "doubtful", view_say(view, "Not all of the fleet is in these numbers."),
                      overview->ledger_trouble);
    if (overview->ledger_problem != NULL)
        layout_notice(html, "doubtful",
                      view_say(view, "There is nothing to report: the ledger can't be read."),
                      overview->ledger_problem);
}

/* Nothing has been seen. */
static void add_nothing(Html *html, const View *view, const Request *request)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "nothing", NULL);
    html_open(html, "div", "class", "heading", NULL);
    html_element(html, "h2", view_say(view, "No mail yet"), "id", "nothing", NULL);
    layout_periods(html, view, request);
    html_close(html);
    layout_nothing_seen(html, view);
    html_close(html);
}

static void add_chart(Html *html, const View *view, const Request *request,
                      const LedgerReport *ledger)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "over-time", NULL);
    html_open(html, "div", "class", "heading", NULL);
    html_element(html, "h2", view_say(view, "Messages a day"), "id", "over-time", NULL);
    layout_periods(html, view, request);
    html_close(html);
    mail_summary_add_chart(html, view, ledger->days);
    html_close(html);
}

static void add_rewritten(Html *html, const View *view, const LedgerReport *ledger)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "most", NULL);
    html_element(html, "h2", view_say(view, "Domains with most rewritten mail"), "id", "most",
                 NULL);
    if (ledger->by_rewritten->len == 0)
        html_element(html, "p", view_say(view, "No message was rewritten in this time."), NULL);
    else
        mail_summary_add_domains(html, view, ledger->by_rewritten, "most", MAIL_SUMMARY_SHORT);
    html_close(html);
}

char *overview_page(const View *view, const Request *request, const Overview *overview)
{
    const LedgerReport *ledger = overview->ledger;
    g_auto(Html) html;

    html_init(&html);
    layout_begin(&html, view, request, view_say(view, "Overview"));
    html_element(&html, "h1", view_say(view, "Overview"), NULL);
    add_warnings(&html, view, overview);
    html_open(&html, "div", "class", "tiles", NULL);
    add_mode(&html, view, overview->daemon);
    if (ledger != NULL)
        mail_summary_add_tiles(&html, view, ledger, MAIL_SUMMARY_SHORT);
    html_close(&html);
    if (ledger != NULL && ledger->domains == 0) {
        add_nothing(&html, view, request);
    } else if (ledger != NULL) {
        mail_summary_add_broken(&html, view, ledger->no_longer_authorised, OVERVIEW_AUTHORISED_MAX);
        add_chart(&html, view, request, ledger);
        add_rewritten(&html, view, ledger);
        mail_summary_add_authorised(&html, view, ledger->newly_authorised, OVERVIEW_AUTHORISED_MAX);
    }
    return layout_end(&html, view);
}
