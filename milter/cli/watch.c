#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "advice/letter_mail.h"
#include "advice/letters.h"
#include "advice/submission.h"
#include "advice/watch.h"
#include "advice/words/advice_json.h"
#include "base/clock.h"
#include "cli/configuration.h"
#include "cli/subcommand.h"
#include "control/control_client.h"
#include "ledger/ledger_report.h"
#include "ledger/ledger_union.h"
#include "show/page.h"
#include "show/paragraph.h"
#include "verdict/setup.h"

#define DAEMON_TIME 2      /* seconds for an answer of the daemon */
#define SUBMISSION_TIME 60 /* seconds that sendmail(1) has */
#define THREADS 16         /* domains that are looked at at once */
#define TROUBLE_MAX 200    /* domains with DNS trouble in a row: DNS is dead, a later run goes on */
#define OWN_MAX 20         /* own domains that are named on stderr */
#define MAIL_MAX (1 << 20) /* octets of a digest; Postfix takes mails of ten times as many */
#define KEPT_DAYS 400      /* changes that were told */

typedef struct {
    guint days, rate;
    const char *to;       /* NULL: no mail */
    const char *language; /* its code; NULL: by the environment */
    bool is_json;
} Options;

static const Option option_rows[] = {
    {.name = "days",
     .argument = "N",
     .kind = OPTION_NUMBER,
     .member = offsetof(Options, days),
     .min = 1,
     .max = 10000,
     .help = "look at the domains that were seen in the last N days (default 90)"},
    {.name = "rate",
     .argument = "N",
     .kind = OPTION_NUMBER,
     .member = offsetof(Options, rate),
     .min = 1,
     .max = 1000,
     .help = "look at N domains a second at most (default 20)"},
    {.name = "mail",
     .argument = "TO",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, to),
     .help = "send what changed to TO; nothing where nothing changed"},
    {.name = "lang",
     .argument = "de|en",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, language),
     .words = "de en",
     .help = "the language (default: that of the environment)"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .help = "print JSON"},
};

/* One run. */
typedef struct {
    const Options *options;
    Watch watch;
    WatchRows *rows;
    const Language *language;
    gint64 id;
    GAsyncQueue *looked; /* of WatchSubject, back from the threads; borrowed */
    GPtrArray *trouble;  /* of char *: domains that DNS did not answer for; borrowed */
    GHashTable *known;   /* of char *: domains that this run has an answer for; borrowed */
    GHashTable *untold;  /* by domain, arrays of WatchChange that earlier runs did not tell */
    GPtrArray *own;      /* of char *: our own domains that are not authorised; borrowed */
    WatchSummary summary;
    guint unsure; /* of trouble, those that depend on relays that are not known */
    guint done, total, troubled_in_row;
    bool has_progress;
} Run;

static void run_clear(Run *run)
{
    g_clear_pointer(&run->rows, watch_rows_close);
    g_clear_pointer(&run->looked, g_async_queue_unref);
    g_clear_pointer(&run->trouble, g_ptr_array_unref);
    g_clear_pointer(&run->known, g_hash_table_unref);
    g_clear_pointer(&run->untold, g_hash_table_unref);
    g_clear_pointer(&run->own, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static void look(gpointer subject, gpointer data)
{
    Run *run = data;

    watch_look(&run->watch, subject);
    g_async_queue_push(run->looked, subject);
}

static void show_progress(Run *run)
{
    if (run->has_progress)
        fprintf(stderr, "\r%u of %u domains", run->done, run->total);
}

static void count(Run *run, const WatchSubject *subject, const WatchState *state)
{
    run->summary.authorised += state->is_authorised;
    run->summary.unauthorised += !state->is_authorised;
    run->summary.endangered += state->dangers != 0;
    run->summary.own_unauthorised += subject->is_own && !state->is_authorised;
    if (subject->is_own && !state->is_authorised)
        g_ptr_array_add(run->own, subject->domain);
}

/* Keeps what was found at one domain. */
static bool keep(Run *run, WatchSubject *subject, GError **error)
{
    run->done++;
    show_progress(run);
    if (subject->trouble != NULL) {
        g_ptr_array_add(run->trouble, subject->domain);
        run->summary.unknown++;
        run->unsure += subject->lacks_relays;
        run->troubled_in_row = subject->lacks_relays ? 0 : run->troubled_in_row + 1;
        return true;
    }
    run->troubled_in_row = 0;
    g_hash_table_add(run->known, subject->domain);
    subject->after.run = run->id;
    count(run, subject, &subject->after);
    if (!watch_rows_put(run->rows, subject->domain, &subject->after, subject->changes,
                        subject->untold, error))
        return false;
    /* of 100,000 domains only the names stay in memory */
    watch_state_clear(&subject->before);
    watch_state_clear(&subject->after);
    g_clear_pointer(&subject->changes, g_ptr_array_unref);
    g_clear_pointer(&subject->untold, g_ptr_array_unref);
    return true;
}

/* Sets what is known of subject. is_done: this run, before it was interrupted, has looked already. */
static bool prepare(Run *run, WatchSubject *subject, bool *is_done, GError **error)
{
    GPtrArray *untold = g_hash_table_lookup(run->untold, subject->domain);
    WatchState state;
    bool is_known;

    if (!watch_rows_get(run->rows, subject->domain, &state, &is_known, error))
        return false;
    *is_done = is_known && state.run == run->id;
    if (is_known) {
        watch_state_clear(&subject->before);
        subject->before = state;
        subject->is_known = true;
    }
    if (untold != NULL && !*is_done)
        watch_take_untold(subject, g_ptr_array_ref(untold));
    if (*is_done) {
        count(run, subject, &state);
        g_hash_table_add(run->known, subject->domain);
        run->done++;
    }
    return true;
}

/* Gives the domains to the threads, at most rate a second, and keeps what comes back. */
static bool look_at_all(Run *run, GPtrArray *subjects, GThreadPool *pool, guint *under_way,
                        GError **error)
{
    gint64 next = clock_monotonic(&clock_system);

    for (guint i = 0; i < subjects->len || *under_way > 0;) {
        bool may_begin = i < subjects->len && *under_way < THREADS;
        gint64 wait = next - clock_monotonic(&clock_system);
        bool is_done = false;
        WatchSubject *subject = NULL;

        if (may_begin && wait <= 0) {
            subject = g_ptr_array_index(subjects, i++);
            if (!prepare(run, subject, &is_done, error))
                return false;
            if (is_done)
                continue;
            g_thread_pool_push(pool, subject, NULL);
            ++*under_way;
            next = clock_monotonic(&clock_system) + CLOCK_SECOND / run->options->rate;
            continue;
        }
        subject = may_begin ? g_async_queue_timeout_pop(run->looked, (guint64)wait)
                            : g_async_queue_pop(run->looked);
        if (subject == NULL)
            continue;
        --*under_way;
        if (!keep(run, subject, error))
            return false;
        if (run->troubled_in_row >= TROUBLE_MAX) {
            g_set_error(
                error, DNS_ERROR, DNS_ERROR_SERVER,
                "DNS did not answer for %u domains in a row; gave up. The next run within a "
                "day goes on, and tells what was found",
                TROUBLE_MAX);
            return false;
        }
    }
    return true;
}

static bool look_with_threads(Run *run, GPtrArray *subjects, GError **error)
{
    GThreadPool *pool = g_thread_pool_new(look, run, THREADS, FALSE, error);
    guint under_way = 0;
    bool is_done;

    if (pool == NULL)
        return false;
    is_done = look_at_all(run, subjects, pool, &under_way, error);
    g_thread_pool_free(pool, FALSE, TRUE);
    if (run->has_progress)
        fputs("\n", stderr);
    return is_done;
}

/* What earlier runs found and did not tell: a digest could not be sent, or they were interrupted. */
static bool find_untold(Run *run, GError **error)
{
    g_autoptr(GPtrArray) all = watch_rows_untold(run->rows, error);

    if (all == NULL)
        return false;
    g_ptr_array_set_free_func(all, NULL);
    for (guint i = 0; i < all->len; i++) {
        WatchChange *change = g_ptr_array_index(all, i);
        GPtrArray *changes = g_hash_table_lookup(run->untold, change->domain);

        if (changes == NULL) {
            changes = watch_changes_new();
            g_hash_table_insert(run->untold, g_strdup(change->domain), changes);
        }
        g_ptr_array_add(changes, change);
    }
    return true;
}

/* What can be told now, NULL with error: changes of domains that were not looked at again may be
 * none any more. */
static GPtrArray *find_changes(const Run *run, GError **error)
{
    GPtrArray *changes = watch_rows_untold(run->rows, error);

    for (guint i = changes != NULL ? changes->len : 0; i-- > 0;) {
        const WatchChange *change = g_ptr_array_index(changes, i);

        if (!g_hash_table_contains(run->known, change->domain))
            g_ptr_array_remove_index(changes, i);
    }
    return changes;
}

static char *danger_key(const WatchChange *change)
{
    return g_strdup_printf("%u %s %s", change->danger, change->domain,
                           change->term != NULL ? change->term : "");
}

/* Adds the dangers that began earlier. */
static bool add_endangered(Run *run, GPtrArray *changes, GError **error)
{
    g_autoptr(GPtrArray) all = watch_rows_endangered(run->rows, run->id, run->watch.now, error);
    g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    if (all == NULL)
        return false;
    for (guint i = 0; i < changes->len; i++) {
        const WatchChange *change = g_ptr_array_index(changes, i);

        if (change->kind == WATCH_ENDANGERED)
            g_hash_table_add(told, danger_key(change));
    }
    g_ptr_array_set_free_func(all, NULL);
    for (guint i = 0; i < all->len; i++) {
        g_autoptr(WatchChange) change = g_ptr_array_index(all, i);
        g_autofree char *key = danger_key(change);

        if (!g_hash_table_contains(told, key))
            g_ptr_array_add(changes, g_steal_pointer(&change));
    }
    return true;
}

static json_t *text_json(const char *text)
{
    return text != NULL ? advice_json_text(text) : json_null();
}

static void print_json(const Run *run, const GPtrArray *changes)
{
    json_t *json = json_object(), *rows = json_array(), *trouble = json_array();

    for (guint i = 0; i < changes->len; i++) {
        const WatchChange *change = g_ptr_array_index(changes, i);
        g_autofree char *next = watch_next(run->language, change);
        json_t *row = json_object();

        json_object_set_new(row, "domain", text_json(change->domain));
        json_object_set_new(row, "kind", json_string(watch_kind_text(change->kind)));
        json_object_set_new(row, "before", text_json(change->before));
        json_object_set_new(row, "after", text_json(change->after));
        json_object_set_new(row, "term", text_json(change->term));
        json_object_set_new(row, "next", text_json(next));
        json_array_append_new(rows, row);
    }
    for (guint i = 0; i < run->trouble->len; i++)
        json_array_append_new(trouble, advice_json_text(g_ptr_array_index(run->trouble, i)));
    json_object_set_new(json, "domains", json_integer(run->total));
    json_object_set_new(json, "changes", rows);
    json_object_set_new(json, "trouble", trouble);
    json_dumpf(json, stdout, 0);
    putchar('\n');
    json_decref(json);
}

/* Why domains are missing that have an answer from DNS; "" if there is none. Owned by the caller. */
static char *unsure_of(const Run *run)
{
    GString *page = g_string_new(NULL);
    g_autofree char *number = g_strdup_printf("%u", run->unsure);
    g_autofree char *sentence = NULL;

    if (run->unsure == 0)
        return g_string_free(page, FALSE);
    sentence =
        language_fill(run->language,
                      N_("The relay set is incomplete: \"spfrom doctor\" says why. Nothing is "
                         "told of the domains for which that matters: {number}."),
                      "number", number, NULL);
    paragraph_append(page, sentence, "", "");
    g_string_append_c(page, '\n');
    return g_string_free(page, FALSE);
}

/* The changes, and how many domains were looked at, in words; owned by the caller. */
static char *text_of(const Run *run, const GPtrArray *changes, gsize max)
{
    guint silent = run->trouble->len - run->unsure;
    g_autofree char *unsure = unsure_of(run);
    g_autofree char *digest = watch_digest(run->language, changes, max);
    g_autofree char *domains = g_strdup_printf("%u", run->total);
    g_autofree char *number = g_strdup_printf("%u", changes->len);
    g_autofree char *troubled = g_strdup_printf("%u", silent);
    g_autofree char *all =
        language_fill(run->language, N_("Domains: {domains}. Changes: {number}."), "domains",
                      domains, "number", number, NULL);
    g_autofree char *unknown =
        silent > 0 ? language_fill(run->language, N_("Without an answer from DNS: {number}."),
                                   "number", troubled, NULL)
                   : g_strdup("");

    return g_strconcat(unsure, digest, changes->len > 0 ? "\n" : "", all, silent > 0 ? " " : "",
                       unknown, "\n", NULL);
}

/* Owned by the caller. That of a digest which tells of our own domain says so: the digest itself
 * may then end in a folder where nobody looks for it. */
static char *subject_of(const Run *run, const GPtrArray *changes)
{
    g_autofree char *number = g_strdup_printf("%u", changes->len);

    for (guint i = 0; i < changes->len; i++) {
        const WatchChange *change = g_ptr_array_index(changes, i);
        g_autofree char *domain = paragraph_domain(change->domain);

        if (change->kind == WATCH_OWN && !change->is_authorised)
            return language_fill(run->language,
                                 N_("spfrom watch: our own domain {domain} is not authorised"),
                                 "domain", domain, NULL);
    }
    return language_fill(run->language, N_("spfrom watch, changes at domains: {number}"), "number",
                         number, NULL);
}

static bool send_digest(Run *run, const GPtrArray *changes, GError **error)
{
    const Mailbox *from = run->watch.settings->fallback;
    g_autofree char *subject = subject_of(run, changes);
    g_autofree char *body = text_of(run, changes, MAIL_MAX);
    g_autofree char *program = submission_program();
    g_autofree char *id = NULL;
    g_autofree char *message = NULL;
    ReturnToken token;

    letters_make_token(token);
    id = g_strdup_printf("spfrom-watch.%s@%s", token, from->domain_name);
    message = letter_mail_text(&(LetterMail){.from = from,
                                             .to = run->options->to,
                                             .subject = subject,
                                             .body = body,
                                             .message_id = id,
                                             .now = run->watch.now});
    return submission_send(program, from->addr_spec, run->options->to, message,
                           deadline_in(SUBMISSION_TIME), error);
}

/* Each run says it as long as it is so, and not only the one that found it. */
static void alert_own(const Run *run)
{
    for (guint i = 0; i < MIN(run->own->len, OWN_MAX); i++)
        subcommand_error(
            &watch_subcommand, 0,
            "%s, the domain of a fallback or return address, does not authorise our "
            "relays: rewritten mail fails, too; \"spfrom doctor\" says what to publish",
            (const char *)g_ptr_array_index(run->own, i));
    if (run->own->len > OWN_MAX)
        subcommand_error(&watch_subcommand, 0, "%u more of our own domains don't, either",
                         run->own->len - OWN_MAX);
}

/* Tells what was found. If a digest can't be sent, the next run looks again, and tells what is then so. */
static int tell(Run *run)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) changes = find_changes(run, &error);
    guint untold = changes != NULL ? changes->len : 0;
    g_autofree char *text = NULL;
    gint64 oldest = run->watch.now - (gint64)KEPT_DAYS * 86400 * CLOCK_SECOND;
    bool is_kept;

    if (changes == NULL || (untold > 0 && !add_endangered(run, changes, &error)))
        return subcommand_error(&watch_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    text = text_of(run, changes, G_MAXSIZE);
    if (run->options->is_json)
        print_json(run, changes);
    else
        fputs(text, stdout);
    if (fflush(stdout) != 0)
        return CLI_OUTPUT;
    alert_own(run);
    if (untold == 0 && run->trouble->len == run->total)
        return subcommand_error(
            &watch_subcommand, CLI_TROUBLE, "%s",
            run->unsure > 0 ? "nothing was learned of any of the domains"
                            : "DNS did not answer for any of the domains; nothing was learned");
    if (untold > 0 && run->options->to != NULL && !send_digest(run, changes, &error))
        return subcommand_error(&watch_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    g_ptr_array_set_size(changes, (gint)untold);
    run->summary.ended = clock_wall(&clock_system);
    is_kept = watch_rows_end(run->rows, run->id, changes, &run->summary, oldest, &error);
    if (!is_kept)
        return subcommand_error(&watch_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    if (untold > 0)
        return CLI_NO;
    return run->trouble->len > 0 ? CLI_TROUBLE : CLI_YES;
}

static int work(Run *run)
{
    const Settings *settings = run->watch.settings;
    g_autoptr(GError) error = NULL;
    g_autofree char *trouble = NULL;
    g_autofree char *file = watch_rows_file(settings->ledger);
    g_autoptr(Ledger) ledger =
        ledger_union_open(run->watch.settings, ledger_period_of(run->watch.now, run->options->days),
                          &trouble, &error);
    g_autoptr(GPtrArray) subjects = NULL;

    if (ledger == NULL)
        return subcommand_error(&watch_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    if (trouble != NULL)
        subcommand_error(&watch_subcommand, 0, "not all of the fleet is in it: %s", trouble);
    run->rows = watch_rows_open(file, settings->ledger, &error);
    subjects =
        run->rows != NULL ? watch_find(&run->watch, ledger, run->options->days, &error) : NULL;
    if (subjects == NULL || !watch_rows_begin(run->rows, run->watch.now, &run->id, &error) ||
        !find_untold(run, &error))
        return subcommand_error(&watch_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    run->total = subjects->len;
    if (!look_with_threads(run, subjects, &error))
        return subcommand_error(&watch_subcommand,
                                error->domain == DNS_ERROR ? CLI_TROUBLE : CLI_UNAVAILABLE, "%s",
                                error->message);
    if (!watch_rows_looked(run->rows, run->id, &error))
        return subcommand_error(&watch_subcommand, CLI_UNAVAILABLE, "%s", error->message);
    return tell(run);
}

static int run_with(const Options *options, Settings *settings, Dns *dns, const Language *language)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Lists) lists = lists_read(settings->file, problems);
    g_autoptr(Relays) relays = NULL;
    g_auto(Run) run = {.options = options,
                       .language = language,
                       .looked = g_async_queue_new(),
                       .trouble = g_ptr_array_new(),
                       .known = g_hash_table_new(g_str_hash, g_str_equal),
                       .untold = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                       (GDestroyNotify)g_ptr_array_unref),
                       .own = g_ptr_array_new(),
                       .has_progress = isatty(STDERR_FILENO) != 0};

    if (settings->ledger == NULL)
        return subcommand_error(&watch_subcommand, CLI_CONFIGURATION,
                                "%s: ledger is empty, so none is kept", settings->file);
    if (problems->len > 0)
        return subcommand_error(&watch_subcommand, CLI_CONFIGURATION, "%s",
                                (char *)g_ptr_array_index(problems, 0));
    relays = relays_resolve(settings, dns, deadline_in(settings->check_timeout), &error);
    if (relays == NULL)
        return subcommand_error(&watch_subcommand, CLI_CONFIGURATION, "%s", error->message);
    if (relays_unknown(relays) != NULL)
        subcommand_error(&watch_subcommand, 0, "the relay set is incomplete: %s",
                         relays_unknown(relays));
    run.watch = (Watch){.settings = settings,
                        .mode = control_client_mode_in_force(settings, DAEMON_TIME),
                        .dns = dns,
                        .lists = lists,
                        .relays = relays,
                        .now = clock_wall(&clock_system)};
    return work(&run);
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.days = 90, .rate = 20};
    g_autoptr(GError) error = NULL;
    g_autoptr(Language) language = NULL;
    g_autoptr(Settings) settings = NULL;
    g_autoptr(Dns) dns = NULL;
    char **operands;
    int status = subcommand_parse(&watch_subcommand, context, argc, argv, &options, &operands);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    language = language_choose(options.language, &error);
    if (language == NULL)
        return subcommand_usage_error(&watch_subcommand, "--lang: %s", error->message);
    if (options.to != NULL && !submission_is_address(options.to))
        return subcommand_usage_error(&watch_subcommand, "--mail: no mail can be sent to \"%s\"",
                                      options.to);
    settings = configuration_read(context, false, &error);
    dns = settings != NULL ? setup_dns(settings, &error) : NULL;
    if (dns == NULL)
        return subcommand_error(&watch_subcommand, configuration_status(error), "%s",
                                error->message);
    return run_with(&options, settings, dns, language);
}

const Subcommand watch_subcommand = {
    .name = "watch",
    .summary = "what changed at the domains?",
    .description =
        "Looks at every domain that the ledger has seen lately, and tells what changed since it "
        "looked last (the first time: since the ledger's last result): domains that authorise our "
        "relays now, that don't any more, whose record is about to break, and the domains of the fallback "
        "and return addresses; each with what to do next. Domains that are exempt, that domain_map "
        "decides, or that are a mail provider's are left out.\n\n"
        "A run that was interrupted goes on within a day, and tells what it had found. What DNS "
        "does not answer changes nothing.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .notes = "SPFROM_SENDMAIL in the environment names another sendmail.",
    .exit_status = "0 nothing changed, 1 something changed, 2 wrong usage, 69 the ledger or "
                   "watch.db can't be used, another run is under way, or the mail can't be sent, "
                   "74 the output can't be written, 75 DNS trouble, 78 configuration",
    .examples = "spfrom watch\n"
                "spfrom watch --mail postmaster@lemniscus.de --lang de",
    .run = run,
};
