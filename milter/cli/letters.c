#include "config.h"

#include <stdio.h>
#include <string.h>

#include "advice/letters.h"
#include "advice/submission.h"
#include "base/clock.h"
#include "base/domain_name.h"
#include "base/parallel.h"
#include "cli/configuration.h"
#include "cli/subcommand.h"
#include "control/control_client.h"
#include "ledger/ledger_union.h"
#include "returns/return_store.h"
#include "show/page.h"
#include "verdict/setup.h"

#define DAEMON_TIME 2      /* seconds for an answer of the daemon */
#define SUBMISSION_TIME 60 /* seconds that sendmail(1) has for one letter */
#define PIECE 16           /* letters whose domains are looked at at once */
#define TROUBLE_MAX 200    /* owners with DNS trouble in a row: DNS is dead, and the run ends */

typedef struct {
    bool is_sending, is_json, is_csv;
    const char *show;      /* a domain; NULL: all letters */
    const char *addresses; /* a file; NULL: none */
    const char *language;  /* its code; NULL: by the domain's top level */
    guint rate, limit;
} Options;

static const Option option_rows[] = {
    {.name = "send",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_sending),
     .group = 1,
     .help = "send the letters that are due; without it nothing leaves"},
    {.name = "show",
     .argument = "DOMAIN",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, show),
     .group = 1,
     .help = "print the letter about DOMAIN as it would leave, whether it is due or not"},
    {.name = "to",
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, addresses),
     .files = FILES_ANY,
     .help = "write to the addresses in FILE, \"DOMAIN ADDRESS\" a line; domains that are not in "
             "it keep the author seen last"},
    {.name = "limit",
     .argument = "N",
     .kind = OPTION_NUMBER,
     .member = offsetof(Options, limit),
     .min = 1,
     .max = 1000000,
     .help = "send N letters at most (default 100)"},
    {.name = "rate",
     .argument = "N",
     .kind = OPTION_NUMBER,
     .member = offsetof(Options, rate),
     .min = 1,
     .max = 1000,
     .help = "send N letters a second at most (default 1)"},
    {.name = "lang",
     .argument = "de|en",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, language),
     .words = "de en",
     .help = "the language of the letters (default: German for domains below de, at and ch, else "
             "English)"},
    {.name = "csv",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_csv),
     .group = 2,
     .help = "print CSV, for a spreadsheet"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .group = 2,
     .help = "print JSON"},
};

/* One run. */
typedef struct {
    const Options *options;
    Letters letters;
    Ledger *ledger;
    ReturnRows *authors; /* NULL: there are none */
    Language *german, *english;
    char *signatures[2]; /* as the languages */
    json_t *told, *skipped;
    guint sent, failed;
    bool has_trouble; /* of DNS */
    /* The organizational domains with DNS trouble in a row: one stranger's dead server is not dead
     * DNS. */
    GHashTable *troubled;
} Run;

static bool is_german(const Run *run, const Letter *letter)
{
    const char *code =
        run->options->language != NULL ? run->options->language : letters_language(letter->domain);

    return strcmp(code, LANGUAGE_GERMAN) == 0;
}

static json_t *time_json(gint64 wall)
{
    g_autofree char *text = clock_rfc3339(wall);

    return wall > 0 ? json_string(text) : json_null();
}

static json_t *text_json(const char *text)
{
    g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;

    return valid != NULL ? json_string(valid) : json_null();
}

static const char *kind_text(const Letter *letter)
{
    return letter->kind == LETTER_ASKS && letter->advice != NULL
               ? advice_kind_row(letter->advice->kind)->name
               : letter_kind_text(letter->kind);
}

/* Keeps what is told of letter at the end. id is that of a letter that was handed over, or NULL. */
static void tell(Run *run, const Letter *letter, const char *id, const char *problem)
{
    bool is_due = letter->why == LETTERS_DUE;
    json_t *json = json_object();

    json_object_set_new(json, "domain", text_json(letter->domain));
    json_object_set_new(json, "address", text_json(letter->address));
    if (is_due) {
        json_object_set_new(json, "kind", json_string(kind_text(letter)));
        json_object_set_new(json, "number", json_integer(letter->number));
        json_object_set_new(json, "language", json_string(is_german(run, letter) ? "de" : "en"));
        json_object_set_new(json, "last", time_json(letter->last));
        json_object_set_new(json, "record",
                            text_json(letter->kind == LETTER_ASKS ? letter->advice->record : NULL));
        json_object_set_new(json, "message_id", text_json(id));
        json_object_set_new(json, "sent", json_boolean(id != NULL && problem == NULL));
        json_object_set_new(json, "problem", text_json(problem));
    } else {
        json_object_set_new(json, "reason", json_string(letters_why_name(letter->why)));
    }
    json_array_append_new(is_due ? run->told : run->skipped, json);
    if (letter->why == LETTERS_TROUBLE) {
        run->has_trouble = true;
        g_hash_table_add(run->troubled, g_strdup(domain_name_organizational(letter->domain)));
    } else {
        g_hash_table_remove_all(run->troubled);
    }
}

/* The envelope sender: an address of the way back, so that the daemon sees a bounce, or who the letter
 * is from. */
static char *make_sender(Run *run, const Letter *letter, const char *token, gint64 now)
{
    Settings *settings = run->letters.settings;
    const Mailbox *from = letters_from(&run->letters, letter);
    const Standing standing = standing_of(settings, run->letters.mode, letter->domain);
    const char *to = settings->letter_reply_to != NULL ? settings->letter_reply_to->plain->addr_spec
                                                       : from->addr_spec;
    g_autofree char *file = g_build_filename(settings->state_dir, RETURN_STORE_NAME, NULL);
    g_autoptr(GPtrArray) written = g_ptr_array_new();
    ReturnRow row = {.token = token, .address = to, .day = ledger_day_of(now)};
    g_autoptr(ReturnRows) rows = NULL;
    g_autoptr(Mailbox) sender = NULL;
    guint added;

    if (standing.return_form == NULL || !g_file_test(file, G_FILE_TEST_EXISTS))
        return g_strdup(from->addr_spec);
    rows = return_rows_open(file, false, NULL);
    g_ptr_array_add(written, &row);
    if (rows == NULL || !return_rows_write(rows, written, &added, NULL))
        return g_strdup(from->addr_spec);
    sender = return_form_expand(standing.return_form, token);
    return g_strdup(sender->addr_spec);
}

/* Notes the letter and hands it over. Returns false with error if no other letter can be sent. */
static bool send_letter(Run *run, const Letter *letter, GError **error)
{
    Letters *letters = &run->letters;
    bool german = is_german(run, letter);
    LetterRow row = {.domain = letter->domain, .address = letter->address, .kind = letter->kind};
    g_autoptr(GError) cause = NULL;
    g_autofree char *program = submission_program();
    g_autofree char *message = NULL;
    g_autofree char *sender = NULL;
    g_autofree char *id = NULL;
    bool is_due = false;
    bool is_sent;

    letters_make_token(row.token);
    letters->now = row.noted = clock_wall(&clock_system);
    message = letters_message(letters, letter, german ? run->german : run->english,
                              run->signatures[german ? 0 : 1], row.token);
    if (message == NULL)
        return true;
    if (!letter_rows_note(letters->rows, letters->settings, &row, &is_due, error))
        return false;
    if (!is_due) /* another run was faster */
        return true;
    id = letters_message_id(letters, letter, row.token);
    sender = make_sender(run, letter, row.token, row.noted);
    is_sent = submission_send(program, sender, letter->address, message,
                              deadline_in(SUBMISSION_TIME), &cause);
    tell(run, letter, id, is_sent ? NULL : cause->message);
    run->sent += is_sent;
    run->failed += !is_sent;
    if (!is_sent)
        subcommand_error(&letters_subcommand, 0, "%s: %s", letter->domain, cause->message);
    if (!is_sent && g_error_matches(cause, SUBMISSION_ERROR, SUBMISSION_ERROR_LATE))
        return true; /* the MTA may have it: it stays noted */
    if (!letter_rows_settle(letters->rows, row.token, is_sent ? LETTER_SENT : LETTER_FAILED, error))
        return false;
    if (is_sent || !g_error_matches(cause, SUBMISSION_ERROR, SUBMISSION_ERROR_START))
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* Letters whose domains are looked at at once. */
typedef struct {
    const Letters *letters;
    gpointer *at;
} Piece;

static void look(void *hook, guint position)
{
    const Piece *piece = hook;

    letters_look(piece->letters, piece->at[position]);
}

/* Examines the letter, and sends it if it is due: not before next. */
static bool go_on(Run *run, Letter *letter, gint64 *next, GError **error)
{
    gint64 wait;

    if (!letters_examine(&run->letters, letter, error))
        return false;
    if (letter->why != LETTERS_DUE || !run->options->is_sending) {
        tell(run, letter, NULL, NULL);
        return true;
    }
    wait = *next - clock_monotonic(&clock_system);
    if (wait > 0)
        g_usleep((gulong)wait);
    *next = clock_monotonic(&clock_system) + CLOCK_SECOND / run->options->rate;
    return send_letter(run, letter, error);
}

/* Goes through all letters, and keeps no more of them than what is told. Returns false with error. */
static bool go_through(Run *run, GPtrArray *found, GError **error)
{
    const Options *options = run->options;
    gint64 next = 0;

    for (guint i = 0; i < found->len; i++) {
        Letter *letter = g_ptr_array_index(found, i);
        Piece piece = {&run->letters, found->pdata + i};

        if (options->is_sending && run->sent + run->failed >= options->limit)
            return true;
        if (i % PIECE == 0)
            parallel_run(MIN(PIECE, found->len - i), look, &piece);
        if (!go_on(run, letter, &next, error))
            return false;
        g_clear_pointer(&letter->advice, advice_free);
        if (g_hash_table_size(run->troubled) == TROUBLE_MAX) {
            subcommand_error(
                &letters_subcommand, 0,
                "DNS did not answer for %u letters in a row, or not all relays are known; gave up",
                TROUBLE_MAX);
            return true;
        }
    }
    return true;
}

static void csv_field(const char *text, const char *end)
{
    g_autofree char *safe = page_safe(text != NULL ? text : "", -1);
    g_autoptr(GString) doubled = g_string_new(safe);
    /* a spreadsheet takes such a beginning for a formula */
    const char *guard = strchr("=+-@", safe[0]) != NULL && safe[0] != '\0' ? "'" : "";

    g_string_replace(doubled, "\"", "\"\"", 0);
    printf("\"%s%s\"%s", guard, doubled->str, end);
}

static void print_csv(const Run *run)
{
    const json_t *both[] = {run->told, run->skipped};
    size_t i;
    const json_t *row;

    fputs("domain,address,kind,number,sent,message_id,reason\r\n", stdout);
    for (size_t n = 0; n < G_N_ELEMENTS(both); n++)
        json_array_foreach(both[n], i, row)
        {
            g_autofree char *number = g_strdup_printf(
                "%lld", (long long)json_integer_value(json_object_get(row, "number")));
            bool is_due = json_object_get(row, "kind") != NULL;

            csv_field(control_text(row, "domain"), ",");
            csv_field(control_text(row, "address"), ",");
            csv_field(control_text(row, "kind"), ",");
            csv_field(is_due ? number : "", ",");
            csv_field(!is_due                                      ? ""
                      : json_is_true(json_object_get(row, "sent")) ? "yes"
                                                                   : "no",
                      ",");
            csv_field(control_text(row, "message_id"), ",");
            csv_field(control_text(row, "reason"), "\r\n");
        }
}

static void print_json(const Run *run)
{
    json_t *json = json_object();

    json_object_set(json, "letters", run->told);
    json_object_set(json, "skipped", run->skipped);
    json_dumpf(json, stdout, 0);
    putchar('\n');
    json_decref(json);
}

static const char *sentence_of(const char *reason)
{
    for (guint why = LETTERS_DUE; why <= LETTERS_BOUNCED; why++)
        if (g_strcmp0(letters_why_name(why), reason) == 0)
            return letters_why_sentence(why);
    return reason;
}

static void print_text(const Run *run)
{
    const char *verb = run->options->is_sending ? "sent" : "due";
    size_t without = json_array_size(run->skipped);
    size_t due;
    size_t i;
    const json_t *row;

    json_array_foreach(run->told, i, row)
    {
        g_autofree char *domain = page_safe(control_text(row, "domain"), -1);
        g_autofree char *address = page_safe(control_text(row, "address"), -1);
        const char *problem = control_text(row, "problem");

        printf("%s: %s to %s (%s, letter %lld)\n", domain, problem != NULL ? "not sent" : verb,
               address, control_text(row, "kind"),
               (long long)json_integer_value(json_object_get(row, "number")));
    }
    json_array_foreach(run->skipped, i, row)
    {
        g_autofree char *domain = page_safe(control_text(row, "domain"), -1);

        printf("%s: no letter: %s\n", domain, sentence_of(control_text(row, "reason")));
    }
    due = run->options->is_sending ? run->sent : json_array_size(run->told);
    printf("%zu letter%s %s, ", due, due == 1 ? "" : "s", verb);
    if (run->failed > 0)
        printf("%u not sent, ", run->failed);
    printf("%zu domain%s without one\n", without, without == 1 ? "" : "s");
}

static int status_of(const Run *run)
{
    if (run->failed > 0)
        return CLI_NO;
    return run->has_trouble ? CLI_TROUBLE : CLI_YES;
}

static int print_all(Run *run, GPtrArray *found)
{
    g_autoptr(GError) error = NULL;
    bool is_done = go_through(run, found, &error);

    if (run->options->is_json)
        print_json(run);
    else if (run->options->is_csv)
        print_csv(run);
    else
        print_text(run);
    if (!is_done)
        return subcommand_error(&letters_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    return status_of(run);
}

static int show_one(Run *run)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *domain = domain_name_parse(run->options->show, NULL);
    g_autoptr(Letter) letter = NULL;
    g_autofree char *message = NULL;
    ReturnToken token;
    bool german;

    if (domain == NULL)
        return subcommand_usage_error(&letters_subcommand, CHECK_SUBJECT_NOTHING,
                                      run->options->show);
    letter = letters_find_one(&run->letters, run->ledger, run->authors, domain, &error);
    if (letter == NULL)
        return subcommand_error(&letters_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    german = is_german(run, letter);
    letters_make_token(token);
    if (letter->address != NULL && letter->advice != NULL && letter->why != LETTERS_BAD_ADDRESS)
        message = letters_message(&run->letters, letter, german ? run->german : run->english,
                                  run->signatures[german ? 0 : 1], token);
    if (letter->why != LETTERS_DUE)
        subcommand_error(&letters_subcommand, 0, "%s: not due today: %s", domain,
                         letters_why_sentence(letter->why));
    if (message == NULL)
        return letter->why == LETTERS_TROUBLE ? CLI_TROUBLE : CLI_NO;
    fputs(message, stdout);
    return CLI_YES;
}

static void run_clear(Run *run)
{
    g_hash_table_unref(run->troubled);
    g_clear_pointer(&run->ledger, ledger_close);
    g_clear_pointer(&run->authors, return_rows_close);
    g_clear_pointer(&run->letters.rows, letter_rows_close);
    g_clear_pointer(&run->letters.given, g_hash_table_unref);
    g_clear_pointer(&run->german, language_free);
    g_clear_pointer(&run->english, language_free);
    g_free(run->signatures[0]);
    g_free(run->signatures[1]);
    json_decref(run->told);
    json_decref(run->skipped);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* The texts and the addresses: what is wrong in them is said before anything leaves. */
static bool open_texts(Run *run, Settings *settings, GError **error)
{
    const Options *options = run->options;

    run->german = language_new(LANGUAGE_GERMAN, error);
    run->english = run->german != NULL ? language_new(LANGUAGE_ENGLISH, error) : NULL;
    if (run->english == NULL)
        return false;
    run->signatures[0] = letters_signature(settings, LANGUAGE_GERMAN, error);
    run->signatures[1] =
        run->signatures[0] != NULL ? letters_signature(settings, LANGUAGE_ENGLISH, error) : NULL;
    if (run->signatures[1] == NULL)
        return false;
    if (options->addresses == NULL)
        return true;
    run->letters.given = letters_read_addresses(options->addresses, error);
    return run->letters.given != NULL;
}

static bool open_files(Run *run, Settings *settings, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *trouble = NULL;
    g_autofree char *authors = g_build_filename(settings->state_dir, RETURN_STORE_NAME, NULL);
    g_autofree char *rows = letter_rows_file(settings);

    run->ledger = ledger_union_open(settings, ledger_period_of(run->letters.now, LETTERS_DAYS),
                                    &trouble, error);
    if (run->ledger == NULL)
        return false;
    if (trouble != NULL)
        subcommand_error(&letters_subcommand, 0, "not all of the fleet is in it: %s", trouble);
    run->authors = return_rows_open_read_only(authors, &cause);
    if (cause != NULL && !g_error_matches(cause, DATABASE_FAILURE, DATABASE_FAILURE_MISSING)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    g_clear_error(&cause);
    run->letters.rows = run->options->is_sending ? letter_rows_open(rows, &cause)
                                                 : letter_rows_open_read_only(rows, &cause);
    if (cause == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

static int work(Run *run)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = NULL;

    if (run->options->show != NULL)
        return show_one(run);
    found = letters_find(&run->letters, run->ledger, run->authors, &error);
    if (found == NULL)
        return subcommand_error(&letters_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    return print_all(run, found);
}

static int run_with(const Options *options, Settings *settings, Dns *dns)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Lists) lists = lists_read(settings->file, problems);
    g_autoptr(Relays) relays = NULL;
    g_auto(Run) run = {.options = options,
                       .told = json_array(),
                       .skipped = json_array(),
                       .troubled = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};

    if (settings->ledger == NULL)
        return subcommand_error(&letters_subcommand, CLI_CONFIGURATION,
                                "%s: ledger is empty, so none is kept", settings->file);
    if (problems->len > 0)
        return subcommand_error(&letters_subcommand, CLI_CONFIGURATION, "%s",
                                (char *)g_ptr_array_index(problems, 0));
    relays = relays_resolve(settings, dns, deadline_in(settings->check_timeout), &error);
    if (relays == NULL || !open_texts(&run, settings, &error))
        return subcommand_error(&letters_subcommand, CLI_CONFIGURATION, "%s", error->message);
    run.letters.settings = settings;
    run.letters.mode = control_client_mode_in_force(settings, DAEMON_TIME);
    run.letters.dns = dns;
    run.letters.lists = lists;
    run.letters.relays = relays;
    run.letters.now = clock_wall(&clock_system);
    if (!open_files(&run, settings, &error))
        return subcommand_error(&letters_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    return work(&run);
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.rate = 1, .limit = 100};
    g_autoptr(GError) error = NULL;
    g_autoptr(Language) language = NULL;
    g_autoptr(Settings) settings = NULL;
    g_autoptr(Dns) dns = NULL;
    char **operands;
    int status = subcommand_parse(&letters_subcommand, context, argc, argv, &options, &operands);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    language = options.language != NULL ? language_new(options.language, &error) : NULL;
    if (error != NULL)
        return subcommand_usage_error(&letters_subcommand, "--lang: %s", error->message);
    settings = configuration_read(context, false, &error);
    dns = settings != NULL ? setup_dns(settings, &error) : NULL;
    if (dns == NULL)
        return subcommand_error(&letters_subcommand, configuration_status(error), "%s",
                                error->message);
    return run_with(&options, settings, dns);
}

const Subcommand letters_subcommand = {
    .name = "letters",
    .summary = "who is to be written to?",
    .description =
        "Shows which owners of domains are to be written to today: those whose mail was rewritten "
        "in the last 30 days, and who can publish something that ends it. --send writes to them, "
        "through sendmail(1): the letter of spfrom advise, proven on the day, to the author who was "
        "seen last. Once the domain is authorised, one more letter says so. Users of a mail "
        "provider's domain get another letter, once.\n\n"
        "No domain with letters = no or mode = off gets one, none that is authorised by now, and no "
        "address from which a letter came back; nobody gets one again before letter_repeat, or more than "
        "letter_max. Two runs at once send nothing twice, nor does one after a run that was "
        "killed.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .notes = "The authors' addresses are those that return_address keeps; without it --to gives "
             "them. SPFROM_SENDMAIL in the environment names another sendmail.",
    .exit_status =
        "0 done, 1 a letter could not be sent, or there is none to show, 2 wrong usage, "
        "69 the ledger can't be read, or letters.db or sendmail can't be used, 74 the output "
        "can't be written, 75 DNS trouble, 78 configuration, or a wrong line in FILE",
    .examples = "spfrom letters\n"
                "spfrom letters --show praxis.example\n"
                "spfrom letters --send --limit 20",
    .run = run,
};
