#include "config.h"

#include "web/letters_page.h"

#include "ledger/ledger_report.h"
#include "returns/letter_rows.h"
#include "show/html.h"
#include "show/mail_summary.h"
#include "web/layout.h"

static const char *kind_sentence(LetterKind kind)
{
    switch (kind) {
    case LETTER_ASKS:
        return N_("which record to publish");
    case LETTER_PROVIDER:
        return N_("the two ways of a provider's user");
    case LETTER_THANKS:
        break;
    }
    return N_("it is authorised, thank you");
}

static void add_result(Html *html, const char *class, const char *text)
{
    g_autofree char *classes = g_strconcat("result ", class, NULL);

    html_element(html, "span", text, "class", classes, NULL);
}

/* What the ledger knows of the domain since the letter. */
static void add_domain_state(Html *html, const View *view, const LetterRow *row, Ledger *ledger)
{
    g_autoptr(LedgerDomain) domain =
        ledger != NULL
            ? ledger_report_domain(ledger, row->domain, ledger_period_of(view->now, 365), NULL)
            : NULL;

    if (domain != NULL && domain->is_authorised)
        add_result(html, "good", view_say(view, "authorised"));
    else
        html_text(html, view_say(view, "no change yet"));
}

static void add_outcome(Html *html, const View *view, const LetterRow *row, Ledger *ledger)
{
    html_open_cell(html, view_say(view, "What came of it"), NULL);
    if (row->state == LETTER_FAILED)
        add_result(html, "bad", view_say(view, "not sent"));
    else if (row->bounced > 0)
        add_result(html, "bad", view_say(view, "came back"));
    else if (row->state == LETTER_NOTED)
        add_result(html, "doubtful", view_say(view, "not known whether it left"));
    else if (row->kind == LETTER_ASKS)
        add_domain_state(html, view, row, ledger);
    else
        html_text(html, view_say(view, "sent"));
    html_close(html);
}

static void add_letter(Html *html, const View *view, const LetterRow *row, Ledger *ledger)
{
    g_autofree char *day = view_date(view, row->noted);

    html_open_row(html);
    html_open_row_heading(html, NULL);
    mail_summary_add_domain_name(html, view, row->domain);
    html_close(html);
    html_add_cell(html, view_say(view, "To"), NULL, row->address);
    html_add_cell(html, view_say(view, "Letter"), NULL, view_say(view, kind_sentence(row->kind)));
    html_add_cell(html, view_say(view, "Written"), NULL, day);
    add_outcome(html, view, row, ledger);
    html_close(html);
}

static void add_table(Html *html, const View *view, const GPtrArray *letters, Ledger *ledger)
{
    html_open_table(html, "letters");
    html_add_column(html, view_say(view, "Domain"), NULL);
    html_add_column(html, view_say(view, "To"), NULL);
    html_add_column(html, view_say(view, "Letter"), NULL);
    html_add_column(html, view_say(view, "Written"), NULL);
    html_add_column(html, view_say(view, "What came of it"), NULL);
    html_end_columns(html);
    for (guint i = 0; i < letters->len; i++)
        add_letter(html, view, g_ptr_array_index(letters, i), ledger);
    html_close_table(html);
}

char *letters_page(const View *view, const Request *request, const GPtrArray *letters,
                   Ledger *ledger, const char *problem)
{
    g_auto(Html) html;

    html_init(&html);
    layout_begin(&html, view, request, view_say(view, "Letters to owners"));
    html_element(&html, "h1", view_say(view, "Letters to owners"), "id", "letters", NULL);
    if (problem != NULL)
        layout_notice(&html, "doubtful", view_say(view, "The list of letters can't be read."),
                      problem);
    html_open(&html, "section", "class", "card full", "aria-labelledby", "letters", NULL);
    if (letters != NULL && letters->len > 0)
        add_table(&html, view, letters, ledger);
    else
        html_element(
            &html, "p",
            view_say(view, "No letter was sent yet. spfrom letters shows who would get one."),
            NULL);
    html_close(&html);
    return layout_end(&html, view);
}
