#include "config.h"

#include <stdio.h>

#include "advice/consultation.h"
#include "advice/words/advice_json.h"
#include "base/parallel.h"
#include "cli/check_text.h"
#include "cli/configuration.h"
#include "show/page.h"
#include "cli/subcommand.h"
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
    for (; *arguments != NULL; arguments++)
        g_ptr_array_add(options->subjects, check_subject_parse(*arguments));
    return SUBCOMMAND_GO_ON;
}

static int status_of(const DomainCheck *check)
{
    if (check->result == SPF_TEMPERROR)
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

/* What every subject is checked with. */
typedef struct {
    Settings *settings;
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

static void print_text(const Consultation *consultation, bool is_first)
{
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    if (!is_first)
        page_raw(&page, PAGE_PLAIN, "\n");
    check_text_add(&page, consultation->check);
    check_text_add_advice(&page, consultation->advice);
    fwrite(page.text->str, 1, page.text->len, stdout);
    fflush(stdout); /* the next domain may take its time */
}

static json_t *json_of(const Consultation *consultation)
{
    g_autoptr(Language) english = language_new(LANGUAGE_ENGLISH, NULL);
    json_t *json = advice_json_check(consultation->check);

    json_object_set_new(json, "advice", advice_json(english, consultation->advice));
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
        consultation_new(ground->settings, ground->dns, ground->lists, ground->relays,
                         batch->subjects[position], ground->deadline);
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
