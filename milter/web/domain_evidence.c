#include "config.h"

#include "web/domain_evidence.h"

#include <stdbool.h>
#include <string.h>

#include "spf/check_host.h"
#include "show/mail_summary.h"

#define RELAYS_MAX 20 /* rows; of a pool, those that tell something come first */
#define DEPTH_MAX 10  /* that the stylesheet knows */

static void add_relay(Html *html, const View *view, const DomainCheck *check, guint position)
{
    const Evaluation *evaluation = domain_check_at(check, position);
    char text[NETWORK_TEXT_MAX];

    html_open_row(html);
    html_open_row_heading(html, NULL);
    html_text(html, network_text(&g_array_index(check->relays->networks, Network, position), text));
    html_close(html);
    html_open_cell(html, view_say(view, "SPF"), NULL);
    mail_summary_add_result(html, spf_result_text(evaluation->result));
    html_close(html);
    html_open_cell(html, view_say(view, "What decided"), NULL);
    if (evaluation->mechanism != NULL)
        html_element(html, "code", evaluation->mechanism, NULL);
    html_close(html);
    html_close(html);
}

/* Those that don't pass first: of hundreds of networks they are what matters. */
static guint add_relays_that(Html *html, const View *view, const DomainCheck *check, bool passes,
                             guint left)
{
    for (guint i = 0; i < check->evaluations->len && left > 0; i++) {
        if ((domain_check_at(check, i)->result == SPF_PASS) != passes)
            continue;
        add_relay(html, view, check, i);
        left--;
    }
    return left;
}

static void add_relays(Html *html, const View *view, const DomainCheck *check)
{
    guint left = RELAYS_MAX;

    html_element(html, "h3", view_say(view, "Relays"), "id", "relays", NULL);
    if (check->evaluations->len == 0) {
        html_element(html, "p", view_say(view, "The relay hosts could not be looked up."), NULL);
        return;
    }
    html_open_table(html, "relays");
    html_add_column(html, view_say(view, "Relay"), NULL);
    html_add_column(html, view_say(view, "SPF"), NULL);
    html_add_column(html, view_say(view, "What decided"), NULL);
    html_end_columns(html);
    left = add_relays_that(html, view, check, false, left);
    add_relays_that(html, view, check, true, left);
    html_close_table(html);
    if (check->evaluations->len > RELAYS_MAX) {
        g_autofree char *more = view_number(view, check->evaluations->len - RELAYS_MAX);
        g_autofree char *text =
            language_fill(view->language, N_("and {number} more"), "number", more, NULL);

        html_element(html, "p", text, "class", "detail", NULL);
    }
}

static void add_term(Html *html, const View *view, const EvaluationTerm *term)
{
    g_autofree char *class = g_strdup_printf("term depth-%u", MIN(term->depth, DEPTH_MAX));
    g_autofree char *lookups = view_number(view, term->lookups);
    g_autofree char *voids = view_number(view, term->voids);

    html_open_row(html);
    html_open_row_heading(html, class);
    html_element(html, "code", term->term, NULL);
    if (term->name != NULL && strchr(term->term, '%') != NULL)
        html_element(html, "code", term->name, "class", "detail", NULL);
    if (term->record != NULL)
        html_element(html, "code", term->record, "class", "detail", NULL);
    html_close(html);
    html_add_cell(html, view_say(view, "Look-ups"), "number", term->lookups > 0 ? lookups : "");
    html_add_cell(html, view_say(view, "Void"), "number", term->voids > 0 ? voids : "");
    html_add_cell(html, view_say(view, "Matches"), NULL,
                  term->is_match ? view_say(view, "yes") : "");
    html_close(html);
}

static void add_tree(Html *html, const View *view, const Evaluation *shown)
{
    html_element(html, "h3", view_say(view, "What was asked"), "id", "tree", NULL);
    html_open_table(html, "tree");
    html_add_column(html, view_say(view, "Term"), NULL);
    html_add_column(html, view_say(view, "Look-ups"), "number");
    html_add_column(html, view_say(view, "Void"), "number");
    html_add_column(html, view_say(view, "Matches"), NULL);
    html_end_columns(html);
    for (guint i = 0; i < shown->terms->len; i++)
        add_term(html, view, g_ptr_array_index(shown->terms, i));
    html_close_table(html);
}

static void add_costs(Html *html, const View *view, const Evaluation *shown)
{
    bool is_over = shown->lookups > CHECK_LOOKUPS_MAX || shown->void_lookups > CHECK_VOIDS_MAX;
    g_autofree char *lookups = view_number(view, shown->lookups);
    g_autofree char *voids = view_number(view, shown->void_lookups);
    g_autofree char *text = language_fill(
        view->language, N_("{lookups} of 10 look-ups are used, {voids} of 2 void ones."), "lookups",
        lookups, "voids", voids, NULL);

    html_element(html, "p", text, "class", is_over ? "over" : NULL, NULL);
}

static void add_text(Html *html, const char *title, const char *text, const char *none)
{
    html_element(html, "h3", title, NULL);
    if (text != NULL)
        html_element(html, "code", text, "class", "quote", NULL);
    else
        html_element(html, "p", none, NULL);
}

/* What the checker says, which is English where the catalogue doesn't have it. */
static void add_note(Html *html, const View *view, const char *note)
{
    const char *text = view_say(view, note);

    html_element(html, "li", text, "lang", text == note ? LANGUAGE_ENGLISH : NULL, NULL);
}

static void add_notes(Html *html, const View *view, const DomainCheck *check)
{
    if (check->notes->len == 0 && check->reason == NULL)
        return;
    html_element(html, "h3", view_say(view, "Besides"), NULL);
    html_open(html, "ul", "class", "items", NULL);
    if (check->reason != NULL)
        add_note(html, view, check->reason);
    for (guint i = 0; i < check->notes->len; i++)
        add_note(html, view, g_ptr_array_index(check->notes, i));
    html_close(html);
}

void domain_evidence_add(Html *html, const View *view, const DomainCheck *check)
{
    const Evaluation *shown = check->shown;

    html_open(html, "section", "class", "card", "aria-labelledby", "evidence", NULL);
    html_element(html, "h2", view_say(view, "What DNS says now"), "id", "evidence", NULL);
    add_text(html, view_say(view, "SPF record"), shown != NULL ? shown->record : NULL,
             view_say(view, "No SPF record, or none that counts."));
    if (shown != NULL && shown->terms->len > 0) {
        add_tree(html, view, shown);
        add_costs(html, view, shown);
    }
    add_relays(html, view, check);
    add_text(html, view_say(view, "DMARC record"), check->dmarc, view_say(view, "none"));
    add_notes(html, view, check);
    html_close(html);
}
