#include "config.h"

#include <stdio.h>
#include <string.h>

#include "advice/consultation.h"
#include "advice/words/advice_json.h"
#include "advice/words/advice_text.h"
#include "base/domain_name.h"
#include "base/parallel.h"
#include "cli/configuration.h"
#include "control/control_client.h"
#include "policy/verdict.h"
#include "show/page.h"
#include "cli/subcommand.h"
#include "spf/check_host.h"
#include "verdict/setup.h"

typedef struct {
    GPtrArray *relays; /* what --relay gave */
    Relays *given;     /* the same, read */
    const char *helo;
    bool is_json;
    GPtrArray *subjects; /* of CheckSubject */
} Options;

static const Option option_rows[] = {
    {.name = "relay",
     .argument = "IP",
     .kind = OPTION_TEXTS,
     .member = offsetof(Options, relays),
     .help = "check for this address or network instead of relay_hosts; again for more. With it no "
             "configuration is needed: if there is none, the defaults count"},
    {.name = "helo",
     .argument = "NAME",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, helo),
     .help = "the name in HELO, for the macro %{h} (default hostname)"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .help = "print JSON: an object, or for several domains an array of them"},
};

static int parse_relays(Options *options)
{
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < options->relays->len; i++)
        if (!relays_add(options->given, g_ptr_array_index(options->relays, i), &error))
            return subcommand_usage_error(&check_subcommand, "--relay: %s", error->message);
    return SUBCOMMAND_GO_ON;
}

static int parse_subjects(Options *options, char **arguments)
{
    if (*arguments == NULL)
        return subcommand_usage_error(&check_subcommand, "name a domain or an address");
    for (; *arguments != NULL; arguments++) {
        CheckSubject *subject = check_subject_parse(*arguments);

        g_ptr_array_add(options->subjects, subject);
        if (subject->is_nothing)
            return subcommand_usage_error(&check_subcommand, CHECK_SUBJECT_NOTHING, *arguments);
    }
    return SUBCOMMAND_GO_ON;
}

static int status_of(const DomainCheck *check)
{
    if (check->result == SPF_TEMPERROR && check->dkim == NULL)
        return CLI_TROUBLE;
    return check->is_authorised ? CLI_YES : CLI_NO;
}

/* Of several domains: one that is not authorised counts before DNS trouble with another. */
static int combined(int a, int b)
{
    if (a == CLI_NO || b == CLI_NO)
        return CLI_NO;
    return MAX(a, b);
}

/* Subjects that are checked at once, with one deadline. */
#define SUBJECTS_AT_ONCE 16

#define DAEMON_TIME 2 /* seconds for an answer of the daemon */

/* What every subject is checked with. */
typedef struct {
    Settings *settings;
    ModeInForce mode;
    Dns *dns;
    Deadline deadline;
    Relays *relays;
    const Lists *lists;
} Ground;

/* Subjects that are checked at once. */
typedef struct {
    const Ground *ground;
    gpointer *subjects; /* of CheckSubject */
    Consultation *consultations[SUBJECTS_AT_ONCE];
} Batch;

/* Of an entry of relay_hosts with more networks than this, the networks are summed up. */
#define NETWORKS_MAX 4

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
    page_printf(page, PAGE_PLAIN, " (%s", spf_result_text(check->result));
    if (check->dkim != NULL)
        page_printf(page, PAGE_PLAIN, ", DKIM key %s", check->dkim);
    page_raw(page, PAGE_PLAIN, ")\n\n");
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
        if (end - first > NETWORKS_MAX)
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

/* In an include that does not match, no term "matches", whichever ends its record. */
static const char *outcome_text(const Evaluation *evaluation, guint position)
{
    switch (evaluation_term_outcome(evaluation, position)) {
    case EVALUATION_TERM_PASSED_OVER:
    case EVALUATION_TERM_IN_VAIN:
        break;
    case EVALUATION_TERM_MATCHES:
        return "matches";
    case EVALUATION_TERM_DECIDES:
        return "decides";
    }
    return NULL;
}

static char *cost_text(const Evaluation *evaluation, guint position)
{
    const EvaluationTerm *term = term_at(evaluation, position);
    const char *outcome = outcome_text(evaluation, position);
    GString *text = g_string_new(NULL);

    if (term->lookups > 0)
        g_string_append_printf(text, "%u look-up%s", term->lookups, term->lookups > 1 ? "s" : "");
    if (term->is_assumed)
        g_string_append(text, ", depends on the address");
    else if (term->voids == 1 && term->lookups == 1)
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
    else if (check->result == SPF_TEMPERROR)
        add_line(page, "record", "unknown");
    add_tree(page, shown);
    add_costs(page, check);
}

/* One clear line first, then what it rests on. */
static void add_check(Page *page, const DomainCheck *check)
{
    g_autofree char *dmarc = NULL;

    add_headline(page, check);
    if (check->reason != NULL)
        add_line(page, "reason", check->reason);
    add_relays(page, check);
    if (check->shown != NULL)
        add_evaluation(page, check);
    if (check->dmarc_trouble != NULL)
        dmarc = g_strdup_printf("unknown: %s", check->dmarc_trouble);
    else
        dmarc = g_strdup(check->dmarc != NULL ? check->dmarc : "none");
    add_line(page, "dmarc", dmarc);
    for (guint i = 0; i < check->notes->len; i++) {
        g_autofree char *note = domain_check_note(check, i, NULL);

        add_line(page, "note", note);
    }
}

/* What to publish: in short, and the record alone on its line, to be copied. */
static void add_advice(Page *page, const Advice *advice)
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

static void add_meant(Page *page, const char *meant)
{
    g_autofree char *shown = meant != NULL ? domain_name_shown(meant) : NULL;
    g_autofree char *text = shown != NULL ? g_strdup_printf("did you mean %s?", shown) : NULL;

    if (text != NULL)
        add_line(page, "note", text);
}

static void print_text(const Consultation *consultation, bool is_first)
{
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    if (!is_first)
        page_raw(&page, PAGE_PLAIN, "\n");
    add_check(&page, consultation->check);
    add_meant(&page, consultation->meant);
    add_advice(&page, consultation->advice);
    page_print(&page, stdout);
    fflush(stdout); /* the next domain may take its time */
}

static json_t *json_of(const Consultation *consultation)
{
    g_autoptr(Language) english = language_new(LANGUAGE_ENGLISH, NULL);
    json_t *json = advice_json_check(consultation->check);

    json_object_set_new(json, "advice", advice_json(english, consultation->advice));
    if (consultation->meant != NULL)
        json_object_set_new(json, "did_you_mean", advice_json_text(consultation->meant));
    return json;
}

static void print_json(json_t *checks)
{
    const json_t *printed = json_array_size(checks) == 1 ? json_array_get(checks, 0) : checks;

    json_dumpf(printed, stdout, 0);
    putchar('\n');
}

static void check_one(void *hook, guint position)
{
    Batch *batch = hook;
    const Ground *ground = batch->ground;

    batch->consultations[position] =
        consultation_new_in(ground->settings, ground->mode, ground->dns, ground->lists,
                            ground->relays, batch->subjects[position], ground->deadline);
}

/*
 * Checks the subjects from first to before end and prints them, or appends them to checks. Returns
 * the exit code.
 */
static int check_batch(const Options *options, const Ground *ground, guint first, guint end,
                       json_t *checks)
{
    Batch batch = {.ground = ground, .subjects = &options->subjects->pdata[first]};
    int status = CLI_YES;

    parallel_run(end - first, check_one, &batch);
    for (guint i = first; i < end; i++) {
        g_autoptr(Consultation) consultation = batch.consultations[i - first];

        if (options->is_json)
            json_array_append_new(checks, json_of(consultation));
        else
            print_text(consultation, i == 0);
        status = combined(status, status_of(consultation->check));
    }
    return status;
}

/* The first subjects have the time that the relays left; those after them begin anew. */
static int check_all(const Options *options, Ground *ground)
{
    const char *helo = options->helo != NULL ? options->helo : ground->settings->hostname;
    guint count = options->subjects->len;
    json_t *checks = json_array();
    int status = CLI_YES;

    g_free(ground->relays->helo);
    ground->relays->helo = g_strdup(helo);
    for (guint i = 0; i < count; i += SUBJECTS_AT_ONCE) {
        if (i > 0)
            ground->deadline = deadline_in(ground->settings->check_timeout);
        status = combined(
            status, check_batch(options, ground, i, MIN(i + SUBJECTS_AT_ONCE, count), checks));
    }
    if (options->is_json)
        print_json(checks);
    json_decref(checks);
    return status;
}

static int check_for_relay_set(const Options *options, Ground *ground)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Relays) relays =
        relays_resolve(ground->settings, ground->dns, ground->deadline, &error);

    if (relays == NULL)
        return subcommand_error(&check_subcommand, CLI_CONFIGURATION, "%s", error->message);
    ground->relays = relays;
    return check_all(options, ground);
}

static int check_on(const Options *options, Settings *settings, Dns *dns)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Lists) lists = lists_read(settings->file, problems);
    Ground ground = {.settings = settings,
                     .mode = control_client_mode_in_force(settings, DAEMON_TIME),
                     .dns = dns,
                     .deadline = deadline_in(settings->check_timeout),
                     .relays = options->given,
                     .lists = lists};

    if (problems->len > 0)
        return subcommand_error(&check_subcommand, CLI_CONFIGURATION, "%s",
                                (char *)g_ptr_array_index(problems, 0));
    if (options->given->networks->len > 0)
        return check_all(options, &ground);
    return check_for_relay_set(options, &ground);
}

static int check_with(const Options *options, const CliContext *context)
{
    g_autoptr(GError) error = NULL;
    bool has_relays = options->given->networks->len > 0;
    g_autoptr(Settings) settings = configuration_read(context, has_relays, &error);
    g_autoptr(Dns) dns = settings != NULL ? setup_dns(settings, &error) : NULL;

    if (settings == NULL && !has_relays && !context->is_file_given)
        g_prefix_error(&error, "without --relay IP a configuration is needed: ");
    if (dns == NULL)
        return subcommand_error(&check_subcommand, configuration_status(error), "%s",
                                error->message);
    return check_on(options, settings, dns);
}

static int run(int argc, char **argv, CliContext *context)
{
    g_autoptr(Relays) given = relays_new(NULL);
    g_autoptr(GPtrArray) subjects =
        g_ptr_array_new_with_free_func((GDestroyNotify)check_subject_free);
    g_autoptr(GPtrArray) relays = g_ptr_array_new();
    Options options = {.relays = relays, .given = given, .subjects = subjects};
    char **operands;
    int status = subcommand_parse(&check_subcommand, context, argc, argv, &options, &operands);

    if (status == SUBCOMMAND_GO_ON)
        status = parse_relays(&options);
    if (status == SUBCOMMAND_GO_ON)
        status = parse_subjects(&options, operands);
    return status != SUBCOMMAND_GO_ON ? status : check_with(&options, context);
}

const Subcommand check_subcommand = {
    .name = "check",
    .summary = "does a domain authorise our relays, and what does that rest on?",
    .operands = "DOMAIN|ADDRESS...",
    .operand = "domain or address",
    .description =
        "Asks the DNS whether each domain authorises our relays by SPF, and shows what that "
        "rests on: the result for each relay and the mechanism that decided, the record, the "
        "terms of it that were reached with the DNS look-ups that each costs (at most 10 may be "
        "needed, 2 of them void), how long the answers hold, the DMARC record, and what to "
        "publish (spfrom advise says more). Nothing comes from a cache of the daemon; no daemon "
        "is needed.\n\n"
        "An address is checked with its local part (macros of a record can ask for it), a "
        "domain as postmaster's. Names with umlauts are taken as they are.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .notes = "A result that is neither in rewrite_on nor in tempfail_on counts as authorised. What "
             "else the configuration says of a domain (its mode, domain_map, the fallback address) "
             "is told in notes and does not change the answer.",
    .exit_status =
        "0 every domain authorises the relays, 1 one doesn't, 2 wrong usage, 69 no DNS library, "
        "75 DNS trouble (and none is known to be not authorised), 78 configuration",
    .examples = "spfrom check praxis-mueller.de\n"
                "spfrom check --relay 192.0.2.25 --json anna@praxis-mueller.de",
    .run = run,
};
