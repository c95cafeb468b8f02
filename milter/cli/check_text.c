#include "config.h"

#include "cli/check_text.h"

#include <string.h>

#include "advice/words/advice_text.h"
#include "cli/subcommand.h"
#include "policy/verdict.h"
#include "spf/check_host.h"

#define LABEL_WIDTH 11
#define RELAY_WIDTH_MAX 48
#define RESULT_WIDTH 11 /* the longest result and two blanks */
#define TREE_WIDTH_MAX 56

static PageStyle style_of(SpfResult result)
{
    switch (result) {
    case SPF_PASS:
        return PAGE_GOOD;
    case SPF_TEMPERROR:
        return PAGE_DOUBTFUL;
    case SPF_NONE:
    case SPF_NEUTRAL:
    case SPF_FAIL:
    case SPF_SOFTFAIL:
    case SPF_PERMERROR:
        break;
    }
    return PAGE_BAD;
}

static void add_label(Page *page, const char *label)
{
    page_raw(page, PAGE_PLAIN, "  ");
    page_add_padded(page, PAGE_FAINT, label, LABEL_WIDTH);
}

static void add_headline(Page *page, const DomainCheck *check)
{
    PageStyle style = check->is_authorised ? PAGE_GOOD : style_of(check->result);

    page_add(page, PAGE_STRONG, check->subject->domain);
    page_raw(page, PAGE_PLAIN, ": ");
    page_raw(page, style, check->is_authorised ? "authorised" : "not authorised");
    page_printf(page, PAGE_PLAIN, " (%s)", spf_result_text(check->result));
    page_raw(page, PAGE_PLAIN, "\n\n");
}

/* One line of the relays: a network, or several of one entry that have the same result. */
typedef struct {
    char *name;
    const Evaluation *evaluation; /* of the first of them */
    const Network *piece;         /* the one that decided, if name doesn't say it; else NULL */
    guint count;
} RelayRow;

static void row_free(gpointer data)
{
    RelayRow *row = data;

    g_free(row->name);
    g_free(row);
}

static void add_row(GPtrArray *rows, char *name, guint count, const Evaluation *evaluation,
                    bool has_piece)
{
    RelayRow *row = g_new0(RelayRow, 1);

    row->name = name;
    row->count = count;
    row->evaluation = evaluation;
    row->piece = has_piece ? &evaluation->piece : NULL;
    g_ptr_array_add(rows, row);
}

static void add_networks(GPtrArray *rows, const DomainCheck *check, guint first, guint end)
{
    char text[NETWORK_TEXT_MAX];

    for (guint i = first; i < end; i++) {
        const Evaluation *evaluation = domain_check_at(check, i);
        const Network *network = &g_array_index(check->relays->networks, Network, i);

        add_row(rows, g_strdup(network_text(network, text)), 1, evaluation,
                !network_is_equal(network, &evaluation->piece));
    }
}

static void add_pool(GPtrArray *rows, const DomainCheck *check, guint first, guint end)
{
    guint entry = g_array_index(check->relays->entries, guint, first);
    const char *name = g_ptr_array_index(check->relays->names, entry);

    for (SpfResult result = 0; result < SPF_RESULTS; result++) {
        const Evaluation *evaluation = NULL;
        guint count = 0;

        for (guint i = first; i < end; i++) {
            if (domain_check_at(check, i)->result != result)
                continue;
            if (count++ == 0)
                evaluation = domain_check_at(check, i);
        }
        if (count > 0)
            add_row(rows, g_strdup_printf("%u network%s of %s", count, count > 1 ? "s" : "", name),
                    count, evaluation, result != SPF_PASS);
    }
}

static GPtrArray *relay_rows(const DomainCheck *check)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);

    for (guint first = 0, end; first < check->evaluations->len; first = end) {
        end = relays_entry_end(check->relays, first);
        if (end - first > CHECK_TEXT_NETWORKS_MAX)
            add_pool(rows, check, first, end);
        else
            add_networks(rows, check, first, end);
    }
    return rows;
}

static guint width_of(const GPtrArray *rows)
{
    gsize width = 0;

    for (guint i = 0; i < rows->len; i++) {
        const RelayRow *row = g_ptr_array_index(rows, i);

        width = MAX(width, strlen(row->name));
    }
    return (guint)MIN(width, RELAY_WIDTH_MAX) + 2;
}

static void add_relay(Page *page, const RelayRow *row, guint width)
{
    const Evaluation *evaluation = row->evaluation;
    char text[NETWORK_TEXT_MAX];

    page_add_padded(page, PAGE_PLAIN, row->name, width);
    page_add_padded(page, style_of(evaluation->result), spf_result_text(evaluation->result),
                    RESULT_WIDTH);
    page_add(page, PAGE_PLAIN, evaluation->mechanism != NULL ? evaluation->mechanism : "-");
    if (row->piece != NULL)
        page_printf(page, PAGE_PLAIN, row->count > 1 ? "  (the first is %s)" : "  (for %s)",
                    network_text(row->piece, text));
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_relays(Page *page, const DomainCheck *check)
{
    g_autoptr(GPtrArray) rows = relay_rows(check);
    guint width = width_of(rows);

    for (guint i = 0; i < rows->len; i++) {
        add_label(page, i > 0 ? "" : rows->len > 1 ? "relays" : "relay");
        add_relay(page, g_ptr_array_index(rows, i), width);
    }
}

static const EvaluationTerm *term_at(const Evaluation *evaluation, guint position)
{
    return g_ptr_array_index(evaluation->terms, position);
}

/* Does another term of that depth come behind the one at position, in the same record? */
static bool has_later(const Evaluation *evaluation, guint position, guint depth)
{
    for (guint i = position + 1; i < evaluation->terms->len; i++) {
        if (term_at(evaluation, i)->depth < depth)
            return false;
        if (term_at(evaluation, i)->depth == depth)
            return true;
    }
    return false;
}

/* The term behind its branches, and the name it asked for if macros made that. */
static char *tree_text(const Evaluation *evaluation, guint position)
{
    const EvaluationTerm *term = term_at(evaluation, position);
    GString *text = g_string_new(NULL);

    for (guint depth = 0; depth < term->depth; depth++)
        g_string_append(text, has_later(evaluation, position, depth) ? "│  " : "   ");
    g_string_append(text, has_later(evaluation, position, term->depth) ? "├─ " : "└─ ");
    g_string_append(text, term->term);
    if (term->name != NULL && strchr(term->term, '%') != NULL)
        g_string_append_printf(text, " (%s)", term->name);
    return g_string_free(text, FALSE);
}

static bool is_redirect(const EvaluationTerm *term)
{
    return g_ascii_strncasecmp(term->term, "redirect=", strlen("redirect=")) == 0;
}

/* Is what matched there the end of it all, and not only of an include? */
static bool is_decisive(const Evaluation *evaluation, guint position)
{
    guint depth = term_at(evaluation, position)->depth;

    while (depth > 0 && position > 0) {
        const EvaluationTerm *before = term_at(evaluation, --position);

        if (before->depth >= depth)
            continue;
        if (!is_redirect(before))
            return false;
        depth = before->depth;
    }
    return true;
}

static const char *outcome_text(const Evaluation *evaluation, guint position)
{
    const EvaluationTerm *term = term_at(evaluation, position);

    if (!term->is_match || is_redirect(term))
        return NULL;
    return is_decisive(evaluation, position) ? "decides" : "matches";
}

static char *cost_text(const Evaluation *evaluation, guint position)
{
    const EvaluationTerm *term = term_at(evaluation, position);
    const char *outcome = outcome_text(evaluation, position);
    GString *text = g_string_new(NULL);

    if (term->lookups > 0)
        g_string_append_printf(text, "%u look-up%s", term->lookups, term->lookups > 1 ? "s" : "");
    if (term->voids == 1 && term->lookups == 1)
        g_string_append(text, ", void");
    else if (term->voids > 0)
        g_string_append_printf(text, ", %u void", term->voids);
    if (outcome != NULL)
        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", outcome);
    return g_string_free(text, FALSE);
}

static void add_term(Page *page, const Evaluation *evaluation, guint position, const char *line,
                     guint width)
{
    g_autofree char *cost = cost_text(evaluation, position);

    add_label(page, "");
    page_add_padded(page, PAGE_PLAIN, line, *cost != '\0' ? width : 0);
    if (*cost != '\0')
        page_raw(page, PAGE_PLAIN, "  ");
    page_add(page, term_at(evaluation, position)->voids > 0 ? PAGE_DOUBTFUL : PAGE_FAINT, cost);
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_tree(Page *page, const Evaluation *evaluation)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    glong width = 0;

    for (guint i = 0; i < evaluation->terms->len; i++) {
        char *line = tree_text(evaluation, i);

        width = MAX(width, g_utf8_strlen(line, -1));
        g_ptr_array_add(lines, line);
    }
    for (guint i = 0; i < evaluation->terms->len; i++)
        add_term(page, evaluation, i, g_ptr_array_index(lines, i),
                 (guint)MIN(width, TREE_WIDTH_MAX));
}

static void add_line(Page *page, const char *label, const char *text)
{
    add_label(page, label);
    page_add(page, PAGE_PLAIN, text);
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_costs(Page *page, const DomainCheck *check)
{
    const Evaluation *shown = check->shown;
    bool is_over = shown->lookups > CHECK_LOOKUPS_MAX || shown->void_lookups > CHECK_VOIDS_MAX;
    char text[NETWORK_TEXT_MAX];

    add_label(page, "look-ups");
    page_printf(page, is_over ? PAGE_BAD : PAGE_PLAIN, "%u of %d, void %u of %d", shown->lookups,
                CHECK_LOOKUPS_MAX, shown->void_lookups, CHECK_VOIDS_MAX);
    if (check->evaluations->len > 1)
        page_printf(page, PAGE_PLAIN, " (for %s)", network_text(&shown->piece, text));
    page_raw(page, PAGE_PLAIN, "\n");
    add_label(page, "ttl");
    page_printf(page, PAGE_PLAIN, "%u s", check->ttl);
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_evaluation(Page *page, const DomainCheck *check)
{
    const Evaluation *shown = check->shown;

    if (shown->record != NULL)
        add_line(page, "record", shown->record);
    else if (check->result == SPF_NONE)
        add_line(page, "record", "none");
    add_tree(page, shown);
    add_costs(page, check);
}

void check_text_add(Page *page, const DomainCheck *check)
{
    add_headline(page, check);
    if (check->reason != NULL)
        add_line(page, "reason", check->reason);
    add_relays(page, check);
    if (check->shown != NULL)
        add_evaluation(page, check);
    add_line(page, "dmarc", check->dmarc != NULL ? check->dmarc : "none");
    for (guint i = 0; i < check->notes->len; i++)
        add_line(page, "note", g_ptr_array_index(check->notes, i));
}

void check_text_add_advice(Page *page, const Advice *advice)
{
    g_autoptr(Language) english = language_new(LANGUAGE_ENGLISH, NULL);
    const AdviceKindRow *row = advice_kind_row(advice->kind);
    g_autofree char *summary =
        g_strdup_printf("%s: %s", row->name, advice_text_summary(english, advice));
    g_autofree char *command = g_strconcat("spfrom advise ", advice->domain, NULL);

    add_line(page, "advice", summary);
    if (row->exit_status != CLI_NO)
        return;
    if (advice->record != NULL) {
        page_raw(page, PAGE_PLAIN, "\n");
        page_add(page, PAGE_STRONG, advice->record);
        page_raw(page, PAGE_PLAIN, "\n\n");
    }
    add_line(page, advice->record != NULL ? "how" : "more", command);
}
