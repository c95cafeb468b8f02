#include "config.h"

#include "web/domain_page.h"

#include <stdbool.h>
#include <string.h>

#include "advice/words/advice_text.h"
#include "base/domain_name.h"
#include "control/message_record.h"
#include "show/mail_summary.h"
#include "show/reason.h"
#include "spf/check_host.h"
#include "web/layout.h"
#include "web/letter_page.h"

static const char *preview_text(const View *view, const Preview *preview)
{
    if (preview->is_off)
        return view_say(view, "Mail of this domain is not looked at (mode off): it arrives as it "
                              "was sent.");
    switch (preview->action) {
    case MESSAGE_ACTION_REWRITE:
        return view_say(view, "The sender's address is replaced, so that the message is not taken "
                              "for forged. The name stays, and replies go to the author.");
    case MESSAGE_ACTION_WOULD_REWRITE:
        return view_say(view, "Nothing is changed yet (mode log-only). In mode rewrite, it would "
                              "look like this:");
    case MESSAGE_ACTION_TEMPFAIL:
        return view_say(view, "The message is put off: the sender's mail program or server tries "
                              "again later.");
    case MESSAGE_ACTION_WOULD_TEMPFAIL:
        return view_say(view,
                        "Nothing is changed yet (mode log-only). In mode rewrite, the message "
                        "would be put off.");
    case MESSAGE_ACTION_KEEP:
    case MESSAGE_ACTION_ERROR:
    case MESSAGE_ACTION_INBOUND:
    case MESSAGE_ACTION_LOCAL:
    case MESSAGE_ACTION_REJECT:
    case MESSAGE_ACTION_WOULD_REJECT:
        break;
    }
    return view_say(view, "The message arrives as it was sent.");
}

static void add_field(Html *html, const View *view, const char *name, const char *before,
                      const char *after)
{
    html_open_row(html);
    html_open_row_heading(html, NULL);
    html_element(html, "code", name, NULL);
    html_close(html);
    html_add_cell(html, view_say(view, "As sent"), "address", before);
    html_add_cell(html, view_say(view, "As it arrives"),
                  strcmp(before, after) == 0 ? "address" : "address changed", after);
    html_close(html);
}

static void add_preview(Html *html, const View *view, const Preview *preview)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "preview", NULL);
    html_element(html, "h2", view_say(view, "What the recipient sees"), "id", "preview", NULL);
    html_element(html, "p", preview_text(view, preview), NULL);
    html_open_table(html, "preview");
    html_add_column(html, view_say(view, "Field"), NULL);
    html_add_column(html, view_say(view, "As sent"), NULL);
    html_add_column(html, view_say(view, "As it arrives"), NULL);
    html_end_columns(html);
    add_field(html, view, "From", preview->from_before, preview->from_after);
    add_field(html, view, "Reply-To", "–", preview->reply_to != NULL ? preview->reply_to : "–");
    html_close_table(html);
    html_close(html);
}

/* What became of a message. A word that is not known stays as it is in the log. */
static const char *action_text(const View *view, const char *action)
{
    static const struct {
        const char *action;
        const char *text;
    } texts[] = {
        {"keep", N_("sent on as it was")},
        {"rewrite", N_("sender replaced")},
        {"would-rewrite", N_("sent on as it was; in mode rewrite, the sender would be replaced")},
        {"tempfail", N_("put off")},
        {"would-tempfail", N_("sent on as it was; in mode rewrite, it would be put off")},
        {"reject", N_("refused")},
        {"would-reject", N_("sent on as it was; in mode rewrite, it would be refused")},
        {"error", N_("put off after an error")},
        {"inbound", N_("came from outside: not looked at")},
        {"local", N_("stayed in the house: not looked at")},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (g_strcmp0(texts[i].action, action) == 0)
            return view_say(view, texts[i].text);
    return action != NULL ? action : "";
}

/* Why nothing was looked up; NULL: it was. */
static const char *why_text(const View *view, const char *why)
{
    static const struct {
        const char *why;
        const char *text;
    } texts[] = {
        {"off", N_("mode off")},
        {"map", N_("domain_map says so")},
        {"exempt", N_("DKIM vouches for it, or an exemption")},
        {"fallback", N_("it is the fallback address's own domain")},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (g_strcmp0(texts[i].why, why) == 0)
            return view_say(view, texts[i].text);
    return why;
}

static void add_why(Html *html, const View *view, const MessageRecord *record)
{
    const char *why = why_text(view, message_record_get(record, "why"));
    const char *spf = message_record_get(record, "spf");
    const char *mechanism = message_record_get(record, "mechanism");
    const char *reason = message_record_get(record, "reason");

    if (why != NULL) {
        html_text(html, why);
        return;
    }
    if (spf == NULL)
        return;
    mail_summary_add_result(html, spf);
    if (mechanism != NULL) {
        html_text(html, " ");
        html_element(html, "code", mechanism, NULL);
    }
    if (reason != NULL) {
        g_autofree char *text = reason_in(view->language, reason);
        bool is_english = strcmp(text, reason) == 0;

        html_element(html, "span", text, "class", "detail", "lang",
                     is_english ? LANGUAGE_ENGLISH : NULL, NULL);
    }
}

static void add_message(Html *html, const View *view, const MessageRecord *record)
{
    g_autofree char *time = record->time > 0 ? view_time(view, record->time) : g_strdup("");

    html_open_row(html);
    html_open_row_heading(html, NULL);
    html_element(html, "code", record->queue_id, NULL);
    html_close(html);
    html_add_cell(html, view_say(view, "Time"), NULL, time);
    html_add_cell(html, view_say(view, "What became of it"), NULL,
                  action_text(view, message_record_get(record, "action")));
    html_open_cell(html, view_say(view, "Why"), NULL);
    add_why(html, view, record);
    html_close(html);
    html_close(html);
}

static void add_recent(Html *html, const View *view, const GPtrArray *recent, const char *problem)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "recent", NULL);
    html_element(html, "h2", view_say(view, "Last messages of this domain"), "id", "recent", NULL);
    if (recent == NULL) {
        layout_notice(html, "doubtful", view_say(view, "The daemon does not answer."), problem);
    } else if (recent->len == 0) {
        html_element(html, "p", view_say(view, "None of the last messages is from this domain."),
                     NULL);
    } else {
        html_open_table(html, "recent");
        html_add_column(html, view_say(view, "Queue ID"), NULL);
        html_add_column(html, view_say(view, "Time"), NULL);
        html_add_column(html, view_say(view, "What became of it"), NULL);
        html_add_column(html, view_say(view, "Why"), NULL);
        html_end_columns(html);
        for (guint i = 0; i < recent->len; i++)
            add_message(html, view, g_ptr_array_index(recent, i));
        html_close_table(html);
    }
    html_close(html);
}

static void add_time(Html *html, const View *view, const char *label, gint64 wall)
{
    g_autofree char *time = view_time(view, wall);

    if (wall <= 0)
        return;
    html_open(html, "div", NULL);
    html_element(html, "dt", label, NULL);
    html_element(html, "dd", time, NULL);
    html_close(html);
}

/* A bar for each day of the period. The history has no row for a day without mail. */
static GArray *bars_of(const DomainLedger *ledger)
{
    GArray *bars = g_array_new(FALSE, TRUE, sizeof(ChartBar));
    static const LedgerCounts none;
    guint next = 0;

    for (guint32 day = ledger->period.from; day <= ledger->period.to; day++) {
        const LedgerCounts *counts = &none;
        ChartBar bar;

        if (next < ledger->history->len &&
            g_array_index(ledger->history, LedgerDomainDay, next).day == day)
            counts = &g_array_index(ledger->history, LedgerDomainDay, next++).counts;
        bar = mail_summary_bar(day, counts);
        g_array_append_val(bars, bar);
    }
    return bars;
}

/* The results of a day, each with the number of its messages. */
static void add_day_results(Html *html, const View *view, const LedgerDomainDay *day)
{
    for (guint result = 0; result < LEDGER_RESULTS; result++) {
        g_autofree char *number = view_number(view, day->results[result]);

        if (day->results[result] == 0)
            continue;
        mail_summary_add_ledger_result(html, view, result);
        html_printf(html, " %s ", number);
    }
}

static void add_day(Html *html, const View *view, const LedgerDomainDay *day)
{
    g_autofree char *date = view_date(view, ledger_day_begin(day->day));
    g_autofree char *messages = view_number(view, ledger_counts_decided(&day->counts));
    g_autofree char *rewritten = view_number(view, ledger_counts_rewritten(&day->counts));

    html_open_row(html);
    html_open_row_heading(html, NULL);
    html_text(html, date);
    html_close(html);
    html_open_cell(html, view_say(view, "SPF"), NULL);
    add_day_results(html, view, day);
    html_close(html);
    html_add_cell(html, view_say(view, "Rewritten"), "number", rewritten);
    html_add_cell(html, view_say(view, "Messages"), "number", messages);
    html_close(html);
}

/* On other days something came back, and that is all. */
static bool has_mail(const LedgerDomainDay *day)
{
    for (guint result = 0; result < LEDGER_RESULTS; result++)
        if (day->results[result] > 0)
            return true;
    return false;
}

/* The latest day first. */
static void add_days(Html *html, const View *view, const GArray *history)
{
    if (history->len == 0)
        return;
    html_element(html, "h3", view_say(view, "Day by day"), "id", "days", NULL);
    html_open_table(html, "days");
    html_add_column(html, view_say(view, "Day"), NULL);
    html_add_column(html, view_say(view, "SPF"), NULL);
    html_add_column(html, view_say(view, "Rewritten"), "number");
    html_add_column(html, view_say(view, "Messages"), "number");
    html_end_columns(html);
    for (guint i = history->len; i > 0; i--)
        if (has_mail(&g_array_index(history, LedgerDomainDay, i - 1)))
            add_day(html, view, &g_array_index(history, LedgerDomainDay, i - 1));
    html_close_table(html);
}

static const char *const kind_texts[RETURN_KINDS] = {
    [RETURN_BOUNCE] = N_("Bounces"),
    [RETURN_AUTO_REPLY] = N_("Automatic replies"),
    [RETURN_REPLY] = N_("Answers"),
};

static guint64 returned_on(const LedgerDomainDay *day)
{
    guint64 sum = 0;

    for (guint kind = 0; kind < RETURN_KINDS; kind++)
        sum += day->returned[kind];
    return sum;
}

static void add_returned_day(Html *html, const View *view, const LedgerDomainDay *day)
{
    g_autofree char *date = view_date(view, ledger_day_begin(day->day));

    html_open_row(html);
    html_open_row_heading(html, NULL);
    html_text(html, date);
    html_close(html);
    for (guint kind = 0; kind < RETURN_KINDS; kind++) {
        g_autofree char *number = view_number(view, day->returned[kind]);

        html_add_cell(html, view_say(view, kind_texts[kind]), "number", number);
    }
    html_close(html);
}

/* What came back to the domain's authors, the latest day first. */
static void add_returned(Html *html, const View *view, const DomainLedger *ledger)
{
    if (ledger->seen->returned == 0)
        return;
    html_element(html, "h3", view_say(view, "What came back"), "id", "returned", NULL);
    html_open_table(html, "returned");
    html_add_column(html, view_say(view, "Day"), NULL);
    for (guint kind = 0; kind < RETURN_KINDS; kind++)
        html_add_column(html, view_say(view, kind_texts[kind]), "number");
    html_end_columns(html);
    for (guint i = ledger->history->len; i > 0; i--) {
        const LedgerDomainDay *day = &g_array_index(ledger->history, LedgerDomainDay, i - 1);

        if (returned_on(day) > 0)
            add_returned_day(html, view, day);
    }
    html_close_table(html);
}

static void add_seen(Html *html, const View *view, const DomainLedger *ledger)
{
    g_autoptr(GArray) bars = bars_of(ledger);

    if (ledger->seen->unauthorised_since != 0) {
        g_autofree char *broken = mail_summary_broken_text(view, ledger->seen);

        layout_notice(html, "bad", broken, NULL);
    }
    html_open(html, "dl", "class", "fields", NULL);
    add_time(html, view, view_say(view, "First seen"), ledger->seen->first);
    add_time(html, view, view_say(view, "Last seen"), ledger->seen->last);
    add_time(html, view, view_say(view, "Authorised since"), ledger->seen->authorised_since);
    html_close(html);
    chart_add(html, view, view_say(view, "Messages of this domain by what became of them"), bars);
    add_days(html, view, ledger->history);
    add_returned(html, view, ledger);
}

static void add_history(Html *html, const View *view, const Request *request,
                        const DomainLedger *ledger)
{
    html_open(html, "section", "class", "card", "aria-labelledby", "history", NULL);
    html_open(html, "div", "class", "heading", NULL);
    html_element(html, "h2", view_say(view, "Mail of this domain"), "id", "history", NULL);
    if (ledger->seen != NULL)
        layout_periods(html, view, request);
    html_close(html);
    if (ledger->problem != NULL)
        layout_notice(html, "doubtful", view_say(view, "The ledger can't be read."),
                      ledger->problem);
    else if (ledger->seen == NULL)
        html_element(html, "p", view_say(view, "No mail of this domain has been seen."), NULL);
    else
        add_seen(html, view, ledger);
    html_close(html);
}

/* Characters of a record on a line of a narrow screen. */
#define RECORD_COLUMNS 40
/* Rows of the table of relays. Of a pool, those that tell something come first. */
#define RELAYS_MAX 20
/* The style sheet has a class for as many levels of includes. */
#define DEPTH_MAX 10

static const char *verdict_class(const DomainCheck *check)
{
    if (check->is_authorised)
        return "badge good";
    return check->result == SPF_TEMPERROR ? "badge doubtful" : "badge bad";
}

static const char *verdict_text(const View *view, const DomainCheck *check)
{
    if (check->is_authorised)
        return view_say(view, "authorised");
    return check->result == SPF_TEMPERROR ? view_say(view, "not known")
                                          : view_say(view, "not authorised");
}

/* The domain as its owner writes it, as DNS does if that differs, and the address if one was asked
 * for. */
static void add_names(Html *html, const View *view, const CheckSubject *subject)
{
    g_autofree char *shown = domain_name_shown(subject->domain);
    g_autofree char *address = NULL;

    html_element(html, "h1", shown != NULL ? shown : subject->domain, "class", "domain", NULL);
    if (shown != NULL && strcmp(shown, subject->domain) != 0)
        html_element(html, "p", subject->domain, "class", "detail", NULL);
    if (subject->local_part == NULL)
        return;
    address = g_strdup_printf("%s@%s", subject->local_part, subject->domain);
    html_open(html, "p", "class", "detail", NULL);
    html_printf(html, "%s: %s", view_say(view, "Checked for"), address);
    html_close(html);
}

/* When DNS was asked, and for how long the milter may go by what it found before (the life of a
 * verdict in its cache, verdict/verdicts.c). */
static void add_asked(Html *html, const View *view, const Request *request,
                      const DomainFacts *facts)
{
    g_autofree char *again = request_target(request, NULL, request->days);
    g_autofree char *asked = view_time(view, facts->asked);
    g_autofree char *until = view_time(view, facts->older_until);
    g_autofree char *text = language_fill(view->language, N_("Asked {time}."), "time", asked, NULL);
    g_autofree char *older = language_fill(
        view->language,
        N_("The milter may go by an older answer until {time}, unless it is told to ask anew:"),
        "time", until, NULL);
    g_autofree char *command = g_strconcat("spfrom flush ", facts->check->subject->domain, NULL);

    html_open(html, "p", "class", "detail", NULL);
    html_text(html, text);
    html_text(html, " ");
    html_element(html, "a", view_say(view, "Check again"), "href", again, NULL);
    html_empty(html, "br", NULL);
    html_text(html, older);
    html_text(html, " ");
    html_element(html, "code", command, NULL);
    html_close(html);
}

static void add_meant(Html *html, const View *view, const char *meant)
{
    g_autofree char *shown = domain_name_shown(meant);
    g_autofree char *target = request_domain_target(meant);

    html_open(html, "p", "class", "notice doubtful", NULL);
    html_text(html, view_say(view, "Did you mean this domain?"));
    html_text(html, " ");
    html_element(html, "a", shown != NULL ? shown : meant, "class", "domain", "href", target, NULL);
    html_close(html);
}

static void add_headline(Html *html, const View *view, const Request *request,
                         const DomainFacts *facts)
{
    const DomainCheck *check = facts->check;

    add_names(html, view, check->subject);
    html_open(html, "p", "class", "verdict", NULL);
    html_element(html, "span", verdict_text(view, check), "class", verdict_class(check), NULL);
    html_text(html, " SPF: ");
    mail_summary_add_result(html, spf_result_text(check->result));
    html_close(html);
    add_asked(html, view, request, facts);
}

/* A text field, because one click or key selects all of it, even without scripts. */
static void add_record(Html *html, const View *view, const char *record, guint number)
{
    g_autofree char *id = g_strdup_printf("record-%u", number);
    g_autofree char *rows =
        g_strdup_printf("%lu", (gulong)MIN(strlen(record) / RECORD_COLUMNS + 1, 12));

    html_open(html, "div", "class", "record", NULL);
    html_element(html, "label", view_say(view, "To be copied"), "for", id, NULL);
    html_element(html, "textarea", record, "id", id, "readonly", "", "rows", rows, "spellcheck",
                 "false", "wrap", "soft", NULL);
    layout_copy_button(html, view, id, view_say(view, "Copy the record"));
    html_close(html);
}

static const char *piece_class(AdvicePieceKind kind)
{
    switch (kind) {
    case ADVICE_PIECE_SUMMARY:
        return "summary";
    case ADVICE_PIECE_REMARK:
        return "remark";
    case ADVICE_PIECE_OPERATOR:
        return "remark operator";
    case ADVICE_PIECE_INSTRUCTION:
    case ADVICE_PIECE_FIELD:
    case ADVICE_PIECE_RECORD:
    case ADVICE_PIECE_QUOTE:
    case ADVICE_PIECE_ITEM:
    case ADVICE_PIECE_OUTCOME:
        break;
    }
    return NULL;
}

static AdvicePieceKind kind_at(const GPtrArray *pieces, guint position)
{
    return ((const AdvicePiece *)g_ptr_array_index(pieces, position))->kind;
}

/* A run of fields or of items becomes one list. */
static bool begins_run(const GPtrArray *pieces, guint position)
{
    return position == 0 || kind_at(pieces, position - 1) != kind_at(pieces, position);
}

static bool ends_run(const GPtrArray *pieces, guint position)
{
    return position + 1 == pieces->len ||
           kind_at(pieces, position + 1) != kind_at(pieces, position);
}

static void add_in_run(Html *html, const GPtrArray *pieces, guint position)
{
    const AdvicePiece *piece = g_ptr_array_index(pieces, position);
    bool is_field = piece->kind == ADVICE_PIECE_FIELD;

    if (begins_run(pieces, position))
        html_open(html, is_field ? "dl" : "ul", "class", is_field ? "fields" : "items", NULL);
    if (is_field) {
        html_open(html, "div", NULL);
        html_element(html, "dt", piece->label != NULL ? piece->label : "", NULL);
        html_element(html, "dd", piece->text, NULL);
        html_close(html);
    } else {
        html_element(html, "li", piece->text, NULL);
    }
    if (ends_run(pieces, position))
        html_close(html);
}

static void add_piece(Html *html, const View *view, const GPtrArray *pieces, guint position)
{
    const AdvicePiece *piece = g_ptr_array_index(pieces, position);

    switch (piece->kind) {
    case ADVICE_PIECE_FIELD:
    case ADVICE_PIECE_ITEM:
        add_in_run(html, pieces, position);
        return;
    case ADVICE_PIECE_RECORD:
        add_record(html, view, piece->text, position);
        return;
    case ADVICE_PIECE_QUOTE:
        html_element(html, "code", piece->text, "class", "quote", NULL);
        return;
    case ADVICE_PIECE_SUMMARY:
    case ADVICE_PIECE_INSTRUCTION:
    case ADVICE_PIECE_REMARK:
    case ADVICE_PIECE_OUTCOME:
    case ADVICE_PIECE_OPERATOR:
        html_element(html, "p", piece->text, "class", piece_class(piece->kind), NULL);
        return;
    }
}

/* The reader is one of our staff; the pieces are written for the owner, as the letter is. */
static void add_advice(Html *html, const View *view, const GPtrArray *pieces)
{
    bool is_for_owner = false;

    for (guint i = 0; i < pieces->len; i++)
        is_for_owner = is_for_owner || kind_at(pieces, i) == ADVICE_PIECE_INSTRUCTION;
    html_open(html, "section", "class", "card advice", "aria-labelledby", "advice", NULL);
    html_element(html, "h2", view_say(view, "What to do"), "id", "advice", NULL);
    if (is_for_owner)
        html_element(html, "p", view_say(view, "For the owner of the domain, to be told or sent:"),
                     "class", "detail", NULL);
    for (guint i = 0; i < pieces->len; i++)
        add_piece(html, view, pieces, i);
    html_close(html);
}

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

/* The relays that don't pass come first: among hundreds of networks, they matter. */
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

/* "yes" stands at terms for whose sake an include matches; in one that does not match, nothing
 * counts. */
static const char *outcome_text(const View *view, EvaluationTermOutcome outcome)
{
    switch (outcome) {
    case EVALUATION_TERM_PASSED_OVER:
    case EVALUATION_TERM_IN_VAIN:
        break;
    case EVALUATION_TERM_MATCHES:
        return view_say(view, "yes");
    case EVALUATION_TERM_DECIDES:
        return view_say(view, "yes, this decides");
    }
    return "";
}

static void add_term(Html *html, const View *view, const Evaluation *shown, guint position)
{
    const EvaluationTerm *term = g_ptr_array_index(shown->terms, position);
    EvaluationTermOutcome outcome = evaluation_term_outcome(shown, position);
    g_autofree char *class = g_strdup_printf("term depth-%u", MIN(term->depth, DEPTH_MAX));
    g_autofree char *lookups = view_number(view, term->lookups);
    g_autofree char *voids = view_number(view, term->voids);

    html_open(html, "tr", "role", "row", "class",
              outcome == EVALUATION_TERM_DECIDES ? "decides" : NULL, NULL);
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
                  term->is_assumed ? view_say(view, "depends on the address")
                                   : outcome_text(view, outcome));
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
        add_term(html, view, shown, i);
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

static void add_record_text(Html *html, const char *title, const char *text, const char *none)
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
    if (check->reason != NULL) {
        g_autofree char *text = reason_in(view->language, check->reason);
        bool is_english = strcmp(text, check->reason) == 0;

        html_element(html, "li", text, "lang", is_english ? LANGUAGE_ENGLISH : NULL, NULL);
    }
    for (guint i = 0; i < check->notes->len; i++) {
        g_autofree char *note = domain_check_note(check, i, view->language);

        html_element(html, "li", note, NULL);
    }
    html_close(html);
}

static void add_evidence(Html *html, const View *view, const DomainCheck *check)
{
    const Evaluation *shown = check->shown;
    const char *no_record = check->result == SPF_TEMPERROR || shown == NULL
                                ? view_say(view, "Not known: the DNS gave no answer.")
                                : view_say(view, "No SPF record, or none that counts.");

    html_open(html, "section", "class", "card", "aria-labelledby", "evidence", NULL);
    html_element(html, "h2", view_say(view, "What DNS says now"), "id", "evidence", NULL);
    add_record_text(html, view_say(view, "SPF record"), shown != NULL ? shown->record : NULL,
                    no_record);
    if (shown != NULL && shown->terms->len > 0) {
        add_tree(html, view, shown);
        add_costs(html, view, shown);
    }
    add_relays(html, view, check);
    add_record_text(html, view_say(view, "DMARC record"), check->dmarc,
                    check->dmarc_trouble != NULL
                        ? view_say(view, "Not known: the DNS gave no answer.")
                        : view_say(view, "none"));
    add_notes(html, view, check);
    html_close(html);
}

char *domain_page(const View *view, const Request *request, const DomainFacts *facts)
{
    g_auto(Html) html;
    g_autofree char *shown = domain_name_shown(facts->check->subject->domain);

    html_init(&html);
    layout_begin(&html, view, request, shown != NULL ? shown : facts->check->subject->domain);
    add_headline(&html, view, request, facts);
    if (facts->meant != NULL)
        add_meant(&html, view, facts->meant);
    add_advice(&html, view, facts->pieces);
    if (facts->letter != NULL)
        letter_page_add(&html, view, facts->check->subject, facts->letter);
    add_preview(&html, view, facts->preview);
    add_evidence(&html, view, facts->check);
    add_recent(&html, view, facts->recent, facts->recent_problem);
    add_history(&html, view, request, facts->ledger);
    return layout_end(&html, view);
}

char *domain_page_empty(const View *view, const Request *request)
{
    return layout_notice_page(view, request, view_say(view, "Check a domain"),
                              view_say(view, "Type a domain or a mail address in the field above."),
                              NULL);
}

char *domain_page_malformed(const View *view, const Request *request)
{
    return layout_notice_page(
        view, request, view_say(view, "That is no domain"),
        view_say(view, "Write it like praxis-mueller.de or anna@praxis-mueller.de."),
        request->subject);
}
