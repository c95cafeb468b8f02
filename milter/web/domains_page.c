#include "config.h"

#include "web/domains_page.h"

#include <stdbool.h>
#include <string.h>

#include "advice/domain_check.h"
#include "base/domain_name.h"
#include "show/chart.h"
#include "show/domains_csv.h"
#include "show/html.h"
#include "show/mail_summary.h"
#include "web/layout.h"

/* The kinds of advice that a result tells, with their names in the list. */
static const struct kind {
    AdviceKind kind;
    const char *text;
} kinds[] = {
    {ADVICE_PUBLISH, N_("publish a record")},
    {ADVICE_EXTEND, N_("add our servers")},
    {ADVICE_REPAIR, N_("mend the record")},
    {ADVICE_PROVIDER, N_("use another address (provider)")},
    {ADVICE_OK, N_("nothing to do")},
    {ADVICE_UNKNOWN, N_("not known")},
};

static const char *const order_texts[LEDGER_ORDERS] = {
    [LEDGER_BY_MESSAGES] = N_("Messages"), [LEDGER_BY_REWRITTEN] = N_("Rewritten"),
    [LEDGER_BY_NAME] = N_("Domain"),       [LEDGER_BY_RESULT] = N_("SPF"),
    [LEDGER_BY_LAST] = N_("Last seen"),
};

/* What is searched for. */
typedef struct {
    const RequestList *list;
    const Lists *lists;
    /* Folded to lower case; "": any name. */
    char *text;
    /* text as a domain that DNS could know; NULL: it is none. */
    char *domain;
} Search;

static AdviceKind kind_of(const LedgerDomain *domain, const Lists *lists)
{
    switch (domain->result) {
    case SPF_PASS:
    case LEDGER_DKIM:
        return ADVICE_OK;
    case SPF_TEMPERROR:
    case LEDGER_UNCHECKED:
        return ADVICE_UNKNOWN;
    default:
        break;
    }
    if (lists_has_provider(lists, domain->name))
        return ADVICE_PROVIDER;
    if (domain->result == SPF_PERMERROR)
        return ADVICE_REPAIR;
    return domain->result == SPF_NONE ? ADVICE_PUBLISH : ADVICE_EXTEND;
}

static bool has_name(const LedgerDomain *domain, const Search *search)
{
    g_autofree char *shown = NULL;
    g_autofree char *folded = NULL;

    if (*search->text == '\0' || strstr(domain->name, search->text) != NULL ||
        (search->domain != NULL && strstr(domain->name, search->domain) != NULL))
        return true;
    if (strstr(domain->name, "xn--") == NULL)
        return false;
    shown = domain_name_shown(domain->name);
    folded = g_utf8_strdown(shown != NULL ? shown : "", -1);
    return strstr(folded, search->text) != NULL;
}

static bool is_wanted(const LedgerDomain *domain, gconstpointer data)
{
    const Search *search = data;
    const RequestList *list = search->list;

    return (list->result == LEDGER_RESULTS || domain->result == list->result) &&
           (list->advice == ADVICE_KINDS || kind_of(domain, search->lists) == list->advice) &&
           has_name(domain, search);
}

/* An address or a URL stands for its domain, any other text for itself. */
static void read_text(Search *search, const char *typed)
{
    g_autofree char *valid = g_utf8_make_valid(typed != NULL ? typed : "", -1);
    g_autoptr(CheckSubject) subject = check_subject_parse(valid);
    g_autofree char *shown = NULL;

    if (!subject->is_malformed)
        search->domain = g_strdup(subject->domain);
    if (search->domain != NULL && strpbrk(valid, "@:/") != NULL)
        shown = domain_name_shown(subject->domain);
    search->text = g_utf8_strdown(shown != NULL ? shown : valid, -1);
}

LedgerFound *domains_page_read(Ledger *ledger, const Request *request, const Lists *lists,
                               gint64 now, GError **error)
{
    bool is_csv = request->route == ROUTE_CSV;
    Search search = {.list = &request->list, .lists = lists};
    const LedgerSearch wanted = {.wants = is_wanted,
                                 .data = &search,
                                 .order = request->list.order,
                                 .is_reversed = request->list.is_reversed,
                                 .first =
                                     is_csv ? 0 : (request->list.page - 1) * DOMAINS_PAGE_LENGTH,
                                 .limit = is_csv ? DOMAINS_CSV_MAX : DOMAINS_PAGE_LENGTH};
    LedgerFound *found;

    read_text(&search, request->subject);
    found = ledger_report_search(ledger, ledger_period_of(now, request->days), &wanted, error);
    g_free(search.text);
    g_free(search.domain);
    return found;
}

/* The target of this list after a change. */
static char *list_target(const Request *request, const RequestList *list)
{
    Request changed = *request;

    changed.list = *list;
    return request_target(&changed, NULL, request->days);
}

static void add_option(Html *html, const char *value, const char *text, bool is_selected)
{
    html_element(html, "option", text, "value", value, "selected", is_selected ? "" : NULL, NULL);
}

static void open_choice(Html *html, const char *name, const char *label)
{
    html_open(html, "p", NULL);
    html_element(html, "label", label, "for", name, NULL);
    html_open(html, "select", "id", name, "name", name, NULL);
}

static void close_choice(Html *html)
{
    html_close(html);
    html_close(html);
}

static void add_choices(Html *html, const View *view, const RequestList *list)
{
    open_choice(html, "result", view_say(view, "SPF result"));
    add_option(html, "", view_say(view, "any"), list->result == LEDGER_RESULTS);
    for (guint result = 0; result < LEDGER_RESULTS; result++)
        add_option(html, ledger_result_text(result), mail_summary_result_text(view, result),
                   list->result == result);
    close_choice(html);
    open_choice(html, "advice", view_say(view, "What to do"));
    add_option(html, "", view_say(view, "any"), list->advice == ADVICE_KINDS);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        add_option(html, advice_kind_row(kinds[i].kind)->name, view_say(view, kinds[i].text),
                   list->advice == kinds[i].kind);
    close_choice(html);
    open_choice(html, "sort", view_say(view, "Sort by"));
    for (LedgerOrder order = 0; order < LEDGER_ORDERS; order++) {
        bool is_current = list->order == order;
        g_autofree char *value = g_strconcat(is_current && list->is_reversed ? "-" : "",
                                             request_order_text(order), NULL);

        add_option(html, value, view_say(view, order_texts[order]), is_current);
    }
    close_choice(html);
}

static void add_form(Html *html, const View *view, const Request *request)
{
    g_autofree char *days = g_strdup_printf("%u", request->days);

    html_open(html, "form", "class", "filter", "action", "/domains", "method", "get", NULL);
    html_open(html, "p", "class", "name", NULL);
    html_element(html, "label", view_say(view, "Search in this list"), "for", "name", NULL);
    html_empty(html, "input", "id", "name", "name", "q", "type", "search", "autocomplete", "off",
               "autocapitalize", "none", "spellcheck", "false", "maxlength", "320", "value",
               request->subject != NULL ? request->subject : "", NULL);
    html_close(html);
    add_choices(html, view, &request->list);
    html_empty(html, "input", "type", "hidden", "name", "days", "value", days, NULL);
    html_element(html, "button", view_say(view, "Show"), "type", "submit", NULL);
    html_close(html);
}

/* A column by which the list can be sorted: its name is a link, which turns the order round if it
 * is in force. */
static void add_order(Html *html, const View *view, const Request *request, LedgerOrder order,
                      const char *class)
{
    RequestList list = request->list;
    bool is_current = list.order == order;
    bool is_ascending = (order == LEDGER_BY_NAME || order == LEDGER_BY_RESULT) != list.is_reversed;
    g_autofree char *target = NULL;

    list.order = order;
    list.is_reversed = is_current && !list.is_reversed;
    list.page = 1;
    target = list_target(request, &list);
    html_open_column(html, class, !is_current ? NULL : is_ascending ? "ascending" : "descending");
    html_element(html, "a", view_say(view, order_texts[order]), "href", target, NULL);
    if (is_current)
        html_element(html, "span", is_ascending ? " ▲" : " ▼", "aria-hidden", "true", NULL);
    html_close(html);
}

static const char *kind_text(const View *view, const LedgerDomain *domain, const Lists *lists)
{
    AdviceKind kind = kind_of(domain, lists);

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].kind == kind && *domain->name != '\0' && *domain->name != '*')
            return view_say(view, kinds[i].text);
    return "";
}

static void add_domain(Html *html, const View *view, const Lists *lists, const LedgerDomain *domain,
                       bool has_column)
{
    g_autofree char *returned_text = view_number(view, domain->returned);
    guint64 rewritten = ledger_counts_rewritten(&domain->counts);
    guint64 messages = ledger_counts_decided(&domain->counts);
    g_autofree char *rewritten_text = view_number(view, rewritten);
    g_autofree char *messages_text = view_number(view, messages);
    g_autofree char *last = view_date(view, domain->last);

    html_open_row(html);
    html_open_row_heading(html, NULL);
    mail_summary_add_domain_name(html, view, domain->name);
    html_close(html);
    html_open_cell(html, view_say(view, "SPF"), NULL);
    mail_summary_add_ledger_result(html, view, domain->result);
    html_close(html);
    html_add_cell(html, view_say(view, "What to do"), NULL, kind_text(view, domain, lists));
    html_add_cell(html, view_say(view, "Rewritten"), "number", rewritten_text);
    html_add_cell(html, view_say(view, "Messages"), "number", messages_text);
    if (has_column)
        html_add_cell(html, view_say(view, "Returned"), "number", returned_text);
    html_open_cell(html, view_say(view, "Share"), "wide");
    chart_add_share(html, rewritten, messages);
    html_close(html);
    html_add_cell(html, view_say(view, "Last seen"), "wide number", last);
    html_close(html);
}

static void add_table(Html *html, const View *view, const Request *request, const Lists *lists,
                      const GPtrArray *domains)
{
    bool has_column = domains_csv_has_returned(domains);

    html_open_table(html, "list");
    add_order(html, view, request, LEDGER_BY_NAME, NULL);
    add_order(html, view, request, LEDGER_BY_RESULT, NULL);
    html_add_column(html, view_say(view, "What to do"), NULL);
    add_order(html, view, request, LEDGER_BY_REWRITTEN, "number");
    add_order(html, view, request, LEDGER_BY_MESSAGES, "number");
    if (has_column)
        html_add_column(html, view_say(view, "Returned"), "number");
    html_add_column(html, view_say(view, "Share"), "wide");
    add_order(html, view, request, LEDGER_BY_LAST, "wide number");
    html_end_columns(html);
    for (guint i = 0; i < domains->len; i++)
        add_domain(html, view, lists, g_ptr_array_index(domains, i), has_column);
    html_close_table(html);
}

static void add_page_link(Html *html, const Request *request, guint page, const char *text,
                          const char *relation)
{
    RequestList list = request->list;
    g_autofree char *target = NULL;

    list.page = page;
    target = list_target(request, &list);
    html_open(html, "li", NULL);
    html_element(html, "a", text, "href", target, "rel", relation, NULL);
    html_close(html);
}

static void add_pages(Html *html, const View *view, const Request *request, guint64 matching)
{
    guint page = request->list.page;
    guint pages =
        (guint)MIN((matching + DOMAINS_PAGE_LENGTH - 1) / DOMAINS_PAGE_LENGTH, REQUEST_PAGE_MAX);
    g_autofree char *number = view_number(view, page);
    g_autofree char *last = view_number(view, pages);
    g_autofree char *text = language_fill(view->language, N_("Page {number} of {last}"), "number",
                                          number, "last", last, NULL);

    if (pages < 2)
        return;
    html_open(html, "nav", "class", "pages", "aria-label", view_say(view, "Pages of the list"),
              NULL);
    html_open(html, "ul", NULL);
    if (page > 2)
        add_page_link(html, request, 1, view_say(view, "First"), NULL);
    if (page > 1)
        add_page_link(html, request, MIN(page - 1, pages), view_say(view, "Previous"), "prev");
    html_element(html, "li", text, "aria-current", "page", NULL);
    if (page < pages)
        add_page_link(html, request, page + 1, view_say(view, "Next"), "next");
    if (page + 1 < pages)
        add_page_link(html, request, pages, view_say(view, "Last"), NULL);
    html_close(html);
    html_close(html);
}

/* How many there are, and the same list as a file. */
static void add_count(Html *html, const View *view, const Request *request,
                      const LedgerFound *found)
{
    Request csv = *request;
    g_autofree char *target = NULL;
    g_autofree char *matching = view_number(view, found->matching);
    g_autofree char *seen = view_number(view, found->seen);
    g_autofree char *text =
        found->matching == found->seen
            ? language_fill(view->language, N_("{seen} domains."), "seen", seen, NULL)
            : language_fill(view->language, N_("{matching} of {seen} domains."), "matching",
                            matching, "seen", seen, NULL);

    csv.route = ROUTE_CSV;
    csv.list.page = 1;
    target = request_target(&csv, NULL, request->days);
    html_open(html, "p", "class", "count", NULL);
    html_text(html, text);
    html_text(html, " ");
    html_element(html, "a", view_say(view, "As a table for a spreadsheet (CSV)"), "href", target,
                 "download", "", NULL);
    html_close(html);
}

/* Nothing in the list: says how to go on. */
static void add_nothing(Html *html, const View *view, const Request *request,
                        const LedgerFound *found)
{
    const Request check = {
        .route = ROUTE_SEARCH, .subject = request->subject, .days = request->days};
    g_autofree char *target = request_target(&check, NULL, request->days);

    if (found->seen == 0) {
        layout_nothing_seen(html, view);
        return;
    }
    html_open(html, "p", NULL);
    html_text(html, view_say(view, "No domain of this time is like that."));
    html_text(html, " ");
    html_element(html, "a", view_say(view, "Show all"), "href", "/domains", NULL);
    html_close(html);
    if (request->subject == NULL || *request->subject == '\0')
        return;
    html_open(html, "p", NULL);
    html_text(html, view_say(view, "What DNS says of it, whether its mail was seen or not:"));
    html_text(html, " ");
    html_element(html, "a", request->subject, "class", "domain", "href", target, NULL);
    html_close(html);
}

char *domains_page(const View *view, const Request *request, const Lists *lists,
                   const LedgerFound *found, const char *problem)
{
    g_auto(Html) html;

    html_init(&html);
    layout_begin(&html, view, request, view_say(view, "Domains"));
    html_open(&html, "div", "class", "heading", NULL);
    html_element(&html, "h1", view_say(view, "Domains"), "id", "list", NULL);
    if (found != NULL)
        layout_periods(&html, view, request);
    html_close(&html);
    if (found == NULL) {
        layout_notice(&html, "doubtful",
                      view_say(view, "There is nothing to report: the ledger can't be read."),
                      problem);
        return layout_end(&html, view);
    }
    html_open(&html, "section", "class", "card", "aria-labelledby", "list", NULL);
    if (found->seen > 0)
        add_form(&html, view, request);
    if (found->matching > 0)
        add_count(&html, view, request, found);
    if (found->domains->len > 0)
        add_table(&html, view, request, lists, found->domains);
    else
        add_nothing(&html, view, request, found);
    add_pages(&html, view, request, found->matching);
    html_close(&html);
    return layout_end(&html, view);
}
