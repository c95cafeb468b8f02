#include "config.h"

#include "web/domain_evidence.h"

#include <stdbool.h>
#include <string.h>

#include "spf/check_host.h"
#include "web/parts.h"

#define RELAYS_MAX 20 /* rows; of a pool, those that tell something come first */
#define DEPTH_MAX 10  /* that the stylesheet knows */

static void add_column(Html *html, const char *text, const char *class)
{
    html_element(html, "th", text, "scope", "col", "class", class, NULL);
}

static void begin_table(Html *html, const char *label)
{
    html_open(html, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-labelledby",
              label, NULL);
    html_open(html, "table", "aria-labelledby", label, NULL);
    html_open(html, "thead", NULL);
    html_open(html, "tr", NULL);
}

static void end_head(Html *html)
{
    html_close(html);
    html_close(html);
    html_open(html, "tbody", NULL);
}

static void end_table(Html *html)
{
    html_close(html);
    html_close(html);
    html_close(html);
}

static void add_relay(Html *html, const DomainCheck *check, guint position)
{
    const Evaluation *evaluation = domain_check_at(check, position);
    char text[NETWORK_TEXT_MAX];

    html_open(html, "tr", NULL);
    html_element(html, "th",
                 network_text(&g_array_index(check->relays->networks, Network, position), text),
                 "scope", "row", NULL);
    html_open(html, "td", NULL);
    parts_add_result(html, spf_result_text(evaluation->result));
    html_close(html);
    html_open(html, "td", NULL);
    if (evaluation->mechanism != NULL)
        html_element(html, "code", evaluation->mechanism, NULL);
    else
        html_text(html, "–");
    html_close(html);
    html_close(html);
}

/* Those that don't pass first: of hundreds of networks they are what matters. */
static guint add_relays_that(Html *html, const DomainCheck *check, bool passes, guint left)
{
    for (guint i = 0; i < check->evaluations->len && left > 0; i++) {
        if ((domain_check_at(check, i)->result == SPF_PASS) != passes)
            continue;
        add_relay(html, check, i);
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
    begin_table(html, "relays");
    add_column(html, view_say(view, "Relay"), NULL);
    add_column(html, view_say(view, "SPF"), NULL);
    add_column(html, view_say(view, "What decided"), NULL);
    end_head(html);
    left = add_relays_that(html, check, false, left);
    add_relays_that(html, check, true, left);
    end_table(html);
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

    html_open(html, "tr", NULL);
    html_open(html, "th", "scope", "row", "class", class, NULL);
    html_element(html, "code", term->term, NULL);
    if (term->name != NULL && strchr(term->term, '%') != NULL)
        html_element(html, "code", term->name, "class", "detail", NULL);
    if (term->record != NULL)
        html_element(html, "code", term->record, "class", "detail", NULL);
    html_close(html);
    html_element(html, "td", term->lookups > 0 ? lookups : "", "class", "number", NULL);
    html_element(html, "td", term->voids > 0 ? voids : "", "class", "number", NULL);
    html_element(html, "td", term->is_match ? view_say(view, "yes") : "", NULL);
    html_close(html);
}

static void add_tree(Html *html, const View *view, const Evaluation *shown)
{
    html_element(html, "h3", view_say(view, "What was asked"), "id", "tree", NULL);
    begin_table(html, "tree");
    add_column(html, view_say(view, "Term"), NULL);
    add_column(html, view_say(view, "Look-ups"), "number");
    add_column(html, view_say(view, "Void"), "number");
    add_column(html, view_say(view, "Matches"), NULL);
    end_head(html);
    for (guint i = 0; i < shown->terms->len; i++)
        add_term(html, view, g_ptr_array_index(shown->terms, i));
    end_table(html);
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

static void add_notes(Html *html, const View *view, const DomainCheck *check)
{
    if (check->notes->len == 0 && check->reason == NULL)
        return;
    html_element(html, "h3", view_say(view, "Besides"), NULL);
    html_open(html, "ul", "class", "items", NULL);
    if (check->reason != NULL)
        html_element(html, "li", check->reason, NULL);
    for (guint i = 0; i < check->notes->len; i++)
        html_element(html, "li", g_ptr_array_index(check->notes, i), NULL);
    html_close(html);
}

void domain_evidence_add(Html *html, const View *view, const DomainCheck *check)
{
    const Evaluation *shown = check->shown;

    html_open(html, "section", "class", "card", "aria-labelledby", "evidence", NULL);
    html_element(html, "h2", view_say(view, "What DNS says now"), "id", "evidence", NULL);
    add_text(html, view_say(view, "SPF record"), shown != NULL ? shown->record : NULL,
             view_say(view, "No SPF record, or none that counts."));
    if (shown != NULL && shown->terms->len > 0)
        add_tree(html, view, shown);
    if (shown != NULL)
        add_costs(html, view, shown);
    add_relays(html, view, check);
    add_text(html, view_say(view, "DMARC record"), check->dmarc, view_say(view, "none"));
    add_notes(html, view, check);
    html_close(html);
}
