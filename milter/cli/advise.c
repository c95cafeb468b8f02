#include "config.h"

#include <stdio.h>

#include "advice/consultation.h"
#include "advice/words/advice_json.h"
#include "advice/words/letter.h"
#include "base/clock.h"
#include "show/paragraph.h"
#include "cli/configuration.h"
#include "control/control_client.h"
#include "show/page.h"
#include "cli/subcommand.h"
#include "verdict/setup.h"

#define DAEMON_TIME 2 /* seconds for an answer of the daemon */

typedef struct {
    const char *language; /* its code; NULL: the environment's */
    bool is_letter;
    bool is_json;
} Options;

static const Option option_rows[] = {
    {.name = "lang",
     .argument = "de|en",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, language),
     .words = "de en",
     .help = "the language (default: as LC_ALL, LC_MESSAGES, LANG and LANGUAGE say, else en)"},
    {.name = "mail",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_letter),
     .help = "print a letter to the owner, ready to be sent, and nothing else"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .help = "print JSON; with --mail it has the letter, too"},
};

static void print_json(const Options *options, const Language *language,
                       const Consultation *consultation)
{
    const Advice *advice = consultation->advice;
    json_t *json = json_object();

    json_object_set_new(json, "domain", advice_json_text(advice->domain));
    json_object_update_new(json, advice_json(language, advice));
    if (consultation->meant != NULL)
        json_object_set_new(json, "did_you_mean", advice_json_text(consultation->meant));
    if (options->is_letter) {
        g_autofree char *letter = letter_new(language, advice, true);

        json_object_set_new(json, "letter", advice_json_text(letter));
    }
    json_dumpf(json, stdout, 0);
    putchar('\n');
    json_decref(json);
}

static void print_text(const Language *language, const Advice *advice)
{
    g_autoptr(GPtrArray) pieces = advice_text_pieces(language, advice);
    const AdvicePiece *summary = g_ptr_array_index(pieces, 0);
    g_autoptr(GString) headline = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new("\n");
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    paragraph_append(headline, summary->text, "", "");
    page_raw(&page, PAGE_STRONG, headline->str);
    advice_text_append(text, pieces);
    page_raw(&page, PAGE_PLAIN, text->str);
    fwrite(page.text->str, 1, page.text->len, stdout);
}

static int print_letter(const Language *language, const Advice *advice)
{
    g_autofree char *letter = letter_new(language, advice, true);

    if (letter == NULL)
        return subcommand_error(&advise_subcommand, CLI_TROUBLE,
                                "%s: the DNS does not answer, so there is nothing to write yet",
                                advice->domain);
    fputs(letter, stdout);
    return advice_kind_row(advice->kind)->exit_status;
}

static int answer_question(const Options *options, const Language *language,
                           const Consultation *consultation)
{
    const Advice *advice = consultation->advice;

    if (consultation->meant != NULL && !options->is_json)
        subcommand_error(&advise_subcommand, 0, "did you mean %s?", consultation->meant);
    if (options->is_json)
        print_json(options, language, consultation);
    else if (options->is_letter)
        return print_letter(language, advice);
    else
        print_text(language, advice);
    return advice_kind_row(advice->kind)->exit_status;
}

static int advise_on(const Options *options, const Language *language, Settings *settings, Dns *dns,
                     const CheckSubject *subject)
{
    Deadline deadline = deadline_in(settings->check_timeout);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Lists) lists = lists_read(settings->file, problems);
    g_autoptr(Relays) relays = NULL;
    g_autoptr(Consultation) consultation = NULL;
    ModeInForce mode;

    if (problems->len > 0)
        return subcommand_error(&advise_subcommand, CLI_CONFIGURATION, "%s",
                                (char *)g_ptr_array_index(problems, 0));
    relays = relays_resolve(settings, dns, deadline, &error);
    if (relays == NULL)
        return subcommand_error(&advise_subcommand, CLI_CONFIGURATION, "%s", error->message);
    if (relays_unknown(relays) != NULL)
        subcommand_error(&advise_subcommand, 0, "the relay set is incomplete: %s",
                         relays_unknown(relays));
    mode = control_client_mode_in_force(settings, DAEMON_TIME);
    if (mode.is_of_others)
        subcommand_error(&advise_subcommand, 0, "%s", domain_check_others);
    consultation = consultation_new_in(settings, mode, dns, lists, relays, subject, deadline);
    return answer_question(options, language, consultation);
}

static int advise_with(const Options *options, const CliContext *context,
                       const CheckSubject *subject)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Language) language = language_choose(options->language, &error);
    g_autoptr(Settings) settings = NULL;
    g_autoptr(Dns) dns = NULL;

    if (language == NULL && g_error_matches(error, LANGUAGE_ERROR, LANGUAGE_ERROR_UNKNOWN))
        return subcommand_usage_error(&advise_subcommand, "--lang: %s", error->message);
    if (language == NULL)
        return subcommand_error(&advise_subcommand, CLI_CONFIGURATION, "%s", error->message);
    settings = configuration_read(context, false, &error);
    dns = settings != NULL ? setup_dns(settings, &error) : NULL;
    if (dns == NULL)
        return subcommand_error(&advise_subcommand, configuration_status(error), "%s",
                                error->message);
    return advise_on(options, language, settings, dns, subject);
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {0};
    g_autoptr(CheckSubject) subject = NULL;
    char **operands;
    int status = subcommand_parse(&advise_subcommand, context, argc, argv, &options, &operands);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    if (g_strv_length(operands) != 1 || **operands == '\0')
        return subcommand_usage_error(&advise_subcommand, "name one domain or address");
    subject = check_subject_parse(*operands);
    if (subject->is_malformed)
        return subcommand_usage_error(&advise_subcommand, CHECK_SUBJECT_NOTHING, *operands);
    return advise_with(&options, context, subject);
}

const Subcommand advise_subcommand = {
    .name = "advise",
    .summary = "what should the owner of a domain publish?",
    .operands = "DOMAIN|ADDRESS",
    .operand = "domain or address",
    .description =
        "Tells what the owner of a domain should publish so that it authorises our relays by "
        "SPF: the smallest change that does. Every record was evaluated before it is shown, and "
        "passes for all relays. It stands alone on its line, to be copied. No daemon is needed.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .notes =
        "Kinds of advice, \"kind\" in JSON: publish (no record), extend (put our relays in), "
        "merge (several records), repair (an error in it), reduce (too many look-ups), provider "
        "(a mail provider's domain, whose users can't publish), nodomain, ok (nothing to do), "
        "unknown (DNS trouble).\n\n"
        "Files named mail-providers and dns-hosters beside the configuration add to the lists "
        "that are installed.",
    .exit_status =
        "0 nothing is to be done, 1 something is, 2 wrong usage, 69 no DNS library, 75 DNS "
        "trouble, 78 configuration",
    .examples = "spfrom advise praxis-mueller.de\n"
                "spfrom advise --lang de --mail anna@praxis-mueller.de",
    .run = run,
};
