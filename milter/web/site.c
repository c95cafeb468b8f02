#include "config.h"

#include "web/site.h"

#include <microhttpd.h>
#include <pthread.h>
#include <string.h>

#include "advice/consultation.h"
#include "advice/words/advice_text.h"
#include "advice/words/letter.h"
#include "base/clock.h"
#include "control/control_client.h"
#include "control/message_record.h"
#include "base/domain_name.h"
#include "base/log.h"
#include "base/network.h"
#include "ledger/ledger_union.h"
#include "returns/letter_rows.h"
#include "verdict/relay_set.h"
#include "verdict/setup.h"
#include "show/assets.h"
#include "show/domains_csv.h"
#include "web/changes_page.h"
#include "web/domain_page.h"
#include "web/domains_page.h"
#include "web/fleet_page.h"
#include "web/layout.h"
#include "web/letter_page.h"
#include "web/letters_page.h"
#include "web/overview_page.h"

#define LANGUAGES 2
/* Messages on the page of a domain. */
#define RECENT_MAX 10
/* Seconds for an answer of the daemon. */
#define DAEMON_TIME 2
/* A crowd gets the same numbers for so long, or for as long as reading them took. */
#define OVERVIEW_AGE CLOCK_SECOND

/* A crowd that looks at domains empties the cache of DNS answers so often at most. */
#define DNS_AGE (5 * CLOCK_SECOND)

/* The last overview of a period. */
typedef struct {
    guint days;
    bool is_being_read;
    /* Monotonic: when it is too old. */
    gint64 until;
    /* NULL: none yet. */
    Overview *overview;
} KeptOverview;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

static const guint periods[] = REQUEST_DAYS;

struct Site {
    Settings *settings;
    /* Only what this host saw is shown of a ledger. */
    bool is_here;
    Dns *dns;
    Language *languages[LANGUAGES];
    Lists *lists;

    /* Guards kept and asked. Not held while an overview is read. */
    pthread_mutex_t lock;
    /* Signalled when one of kept has been read. */
    pthread_cond_t read;
    KeptOverview kept[G_N_ELEMENTS(periods)];
    /* Wall time: the answers of dns are not older. */
    gint64 asked;
};

/* One page of one request. */
typedef struct {
    Site *site;
    const Request *request;
    View view;
} Visit;

static Language *open_language(const char *code)
{
    g_autoptr(GError) error = NULL;
    Language *language = language_new(code, &error);

    if (language != NULL)
        return language;
    log_write(LOG_WARNING, "%s", error->message);
    return language_new(LANGUAGE_ENGLISH, NULL);
}

static void read_lists(Site *site)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

    site->lists = lists_read(site->settings->file, problems);
    for (guint i = 0; i < problems->len; i++)
        log_write(LOG_WARNING, "%s", (char *)g_ptr_array_index(problems, i));
}

/* A quark is made at its first use, and GLib's table of quarks with the first one. Both happen
 * here, while there is one thread, so that two pages do not do it at the same time. */
static void make_quarks(void)
{
    g_autoptr(GError) first = g_error_new_literal(DATABASE_FAILURE, DATABASE_FAILURE_MISSING, "");
    const GQuark others[] = {CONTROL_CLIENT_ERROR, DOMAIN_NAME_ERROR, NETWORK_ERROR, DNS_ERROR,
                             RELAY_SET_ERROR};

    (void)first;
    (void)others;
}

Site *site_new(Settings *settings, Dns *dns, bool is_here)
{
    Site *site = g_new0(Site, 1);

    make_quarks();
    site->settings = settings_ref(settings);
    site->is_here = is_here;
    site->dns = dns;
    site->languages[0] = open_language(LANGUAGE_ENGLISH);
    site->languages[1] = open_language(LANGUAGE_GERMAN);
    read_lists(site);
    pthread_mutex_init(&site->lock, NULL);
    pthread_cond_init(&site->read, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(periods); i++)
        site->kept[i].days = periods[i];
    return site;
}

void site_free(Site *site)
{
    lists_free(site->lists);
    for (size_t i = 0; i < LANGUAGES; i++)
        g_clear_pointer(&site->languages[i], language_free);
    for (size_t i = 0; i < G_N_ELEMENTS(periods); i++)
        g_clear_pointer(&site->kept[i].overview, overview_unref);
    pthread_cond_destroy(&site->read);
    pthread_mutex_destroy(&site->lock);
    settings_unref(site->settings);
    g_free(site);
}

ServerLane site_lane(gpointer data G_GNUC_UNUSED, const Request *request)
{
    switch (request->route) {
    case ROUTE_OVERVIEW:
    case ROUTE_DOMAINS:
    case ROUTE_CSV:
    case ROUTE_CHANGES:
    case ROUTE_LETTERS:
        return SERVER_READS;
    case ROUTE_METRICS:
    case ROUTE_HEALTH:
    case ROUTE_FLEET:
        return SERVER_ASKS;
    case ROUTE_DOMAIN:
    case ROUTE_LETTER:
    case ROUTE_SEARCH:
        return *request->subject != '\0' ? SERVER_CHECKS : SERVER_NOW;
    case ROUTE_ASSET:
    case ROUTE_NOTHING:
        break;
    }
    return SERVER_NOW;
}

static bool has_letters(Settings *settings)
{
    g_autofree char *file = letter_rows_file(settings);

    return file != NULL && g_file_test(file, G_FILE_TEST_EXISTS);
}

static bool has_changes(const Settings *settings)
{
    g_autofree char *file = settings->ledger != NULL ? watch_rows_file(settings->ledger) : NULL;

    return file != NULL && g_file_test(file, G_FILE_TEST_EXISTS);
}

static Visit visit_of(Site *site, const Request *request, const char *code)
{
    bool is_german = strcmp(code, LANGUAGE_GERMAN) == 0;

    return (Visit){.site = site,
                   .request = request,
                   .view = {.language = site->languages[is_german ? 1 : 0],
                            .domain_link = request_domain_target,
                            .has_fleet = site->settings->fleet->len > 0,
                            .has_changes = has_changes(site->settings),
                            .has_letters = has_letters(site->settings),
                            .now = clock_wall(&clock_system)}};
}

static ServerReply *page_reply(const Visit *visit, guint status, char *page)
{
    ServerReply *reply = server_reply_new(status, SERVER_REPLY_HTML, page);

    reply->language = language_code(visit->view.language);
    return reply;
}

/* NULL with error (CONTROL_CLIENT_ERROR) set. */
static DaemonStatus *ask_daemon(Settings *settings, GError **error)
{
    return control_client_status(settings->control_socket, DAEMON_TIME, error);
}

/* OpenMetrics text, or Prometheus' older format. */
static char *read_metrics(Settings *settings, bool is_prometheus, GError **error)
{
    const ControlRequest request = {.command = CONTROL_METRICS, .is_prometheus = is_prometheus};
    g_autoptr(json_t) answer =
        control_client_ask(settings->control_socket, &request, DAEMON_TIME, error);
    const char *refusal = answer != NULL ? control_client_refusal(answer) : NULL;
    const char *text;

    if (answer == NULL)
        return NULL;
    text = json_string_value(json_object_get(answer, "text"));
    if (text != NULL)
        return g_strdup(text);
    g_set_error_literal(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_ANSWER,
                        refusal != NULL ? refusal : "the daemon's answer has no metrics");
    return NULL;
}

/* In a fleet with what the other hosts saw, unless this one's alone is wanted. trouble (NULL: nobody
 * wants to know) is set to why some of that is missing, owned by the caller; NULL: nothing is. */
static Ledger *open_ledger(const Site *site, LedgerPeriod period, char **trouble, GError **error)
{
    const char *file = site->settings->ledger;
    g_autofree char *missing = NULL;
    Ledger *ledger;

    if (file == NULL) {
        g_set_error_literal(error, database_failure_quark(), DATABASE_FAILURE_MISSING,
                            "the configuration has ledger = \"\"");
        return NULL;
    }
    if (site->is_here)
        return ledger_open_read_only(file, error);
    ledger = ledger_union_open(site->settings, period, &missing, error);
    if (trouble != NULL)
        *trouble = g_steal_pointer(&missing);
    return ledger;
}

static LedgerReport *read_report(const Site *site, LedgerPeriod period, char **trouble,
                                 GError **error)
{
    static const LedgerLimits limits = {.by_rewritten = OVERVIEW_DOMAINS_MAX,
                                        .newly_authorised = OVERVIEW_AUTHORISED_MAX,
                                        .no_longer_authorised = OVERVIEW_AUTHORISED_MAX};
    g_autoptr(Ledger) ledger = open_ledger(site, period, trouble, error);

    return ledger != NULL ? ledger_report_read(ledger, period, &limits, error) : NULL;
}

static Overview *read_overview(const Site *site, gint64 now, guint days)
{
    Overview *overview = overview_new();
    g_autoptr(GError) trouble = NULL;
    g_autoptr(GError) error = NULL;

    overview->daemon = ask_daemon(site->settings, &trouble);
    if (trouble != NULL)
        overview->daemon_problem = g_strdup(trouble->message);
    overview->ledger =
        read_report(site, ledger_period_of(now, days), &overview->ledger_trouble, &error);
    if (overview->ledger == NULL)
        overview->ledger_problem = g_strdup(error->message);
    return overview;
}

static bool read_domain(DomainLedger *read, const Site *site, const char *domain, GError **error)
{
    g_autoptr(Ledger) ledger = open_ledger(site, read->period, NULL, error);
    GError *cause = NULL;

    if (ledger == NULL)
        return false;
    read->history = ledger_report_history(ledger, domain, read->period, error);
    if (read->history == NULL)
        return false;
    read->seen = ledger_report_domain(ledger, domain, read->period, &cause);
    if (cause == NULL)
        return true;
    g_propagate_error(error, cause);
    return false;
}

static void read_domain_ledger(const Site *site, const char *domain, gint64 now, guint days,
                               DomainLedger *read)
{
    g_autoptr(GError) error = NULL;

    *read = (DomainLedger){.period = ledger_period_of(now, days)};
    if (!read_domain(read, site, domain, &error))
        read->problem = g_strdup(error->message);
}

static void domain_ledger_clear(DomainLedger *read)
{
    g_free(read->problem);
    g_clear_pointer(&read->seen, ledger_domain_free);
    g_clear_pointer(&read->history, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DomainLedger, domain_ledger_clear)

/* The entry of days; the first one for a number that is not a choice. */
static KeptOverview *kept_of(Site *site, guint days)
{
    for (size_t i = 1; i < G_N_ELEMENTS(periods); i++)
        if (site->kept[i].days == days)
            return &site->kept[i];
    return &site->kept[0];
}

/* Returns a reference of the overview that was read last, or that another thread is reading, if it
 * is not too old. NULL: the caller has to read one and to keep() it. */
static Overview *take_kept(Site *site, KeptOverview *kept)
{
    Overview *overview = NULL;

    pthread_mutex_lock(&site->lock);
    while (kept->is_being_read)
        pthread_cond_wait(&site->read, &site->lock);
    if (kept->overview != NULL && clock_monotonic(&clock_system) < kept->until)
        overview = overview_ref(kept->overview);
    kept->is_being_read = overview == NULL;
    pthread_mutex_unlock(&site->lock);
    return overview;
}

static void keep(Site *site, KeptOverview *kept, gint64 began, Overview *overview)
{
    gint64 now = clock_monotonic(&clock_system);
    Overview *last;

    pthread_mutex_lock(&site->lock);
    last = kept->overview;
    kept->overview = overview_ref(overview);
    kept->until = now + MAX(now - began, OVERVIEW_AGE);
    kept->is_being_read = false;
    pthread_cond_broadcast(&site->read);
    pthread_mutex_unlock(&site->lock);
    if (last != NULL)
        overview_unref(last);
}

static Overview *get_overview(const Visit *visit)
{
    guint days = visit->request->days;
    KeptOverview *kept = kept_of(visit->site, days);
    Overview *overview = take_kept(visit->site, kept);
    gint64 began;

    if (overview != NULL)
        return overview;
    began = clock_monotonic(&clock_system);
    overview = read_overview(visit->site, visit->view.now, days);
    keep(visit->site, kept, began, overview);
    return overview;
}

static ServerReply *answer_overview(const Visit *visit)
{
    const View *view = &visit->view;
    g_autoptr(Overview) overview = get_overview(visit);

    return page_reply(visit, MHD_HTTP_OK, overview_page(view, visit->request, overview));
}

static json_t *ask_fleet(Settings *settings, GError **error)
{
    const ControlRequest request = {.command = CONTROL_FLEET};
    json_t *answer = control_client_ask(settings->control_socket, &request, DAEMON_TIME, error);
    const char *refusal = answer != NULL ? control_client_refusal(answer) : NULL;

    if (refusal == NULL)
        return answer;
    g_set_error_literal(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_REFUSED, refusal);
    json_decref(answer);
    return NULL;
}

static ServerReply *answer_fleet(const Visit *visit)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) answer = ask_fleet(visit->site->settings, &error);

    return page_reply(
        visit, MHD_HTTP_OK,
        fleet_page(&visit->view, visit->request, answer, error != NULL ? error->message : NULL));
}

/* NULL with error; NULL without one: spfrom watch has not run yet. */
static GPtrArray *read_changes(const Visit *visit, WatchSummary *summary, GError **error)
{
    const gint64 day = 86400 * CLOCK_SECOND;
    const char *ledger = visit->site->settings->ledger;
    g_autofree char *file = ledger != NULL ? watch_rows_file(ledger) : NULL;
    g_autoptr(GError) cause = NULL;
    g_autoptr(WatchRows) rows = file != NULL ? watch_rows_open_read_only(file, &cause) : NULL;

    if (g_error_matches(cause, DATABASE_FAILURE, DATABASE_FAILURE_MISSING))
        return NULL;
    if (cause != NULL)
        g_propagate_error(error, g_steal_pointer(&cause));
    if (rows == NULL ||
        !watch_rows_summary(rows, visit->view.now - WATCH_BROKEN_DAYS * day, summary, error))
        return NULL;
    return watch_rows_latest(rows, visit->view.now - CHANGES_PAGE_DAYS * day, CHANGES_PAGE_MAX,
                             error);
}

static ServerReply *answer_changes(const Visit *visit)
{
    g_autoptr(GError) error = NULL;
    WatchSummary summary = {0};
    g_autoptr(GPtrArray) changes = read_changes(visit, &summary, &error);

    return page_reply(visit, MHD_HTTP_OK,
                      changes_page(&visit->view, visit->request, &summary, changes,
                                   error != NULL ? error->message : NULL));
}

static GPtrArray *read_letters(Settings *settings, GError **error)
{
    g_autofree char *file = letter_rows_file(settings);
    g_autoptr(LetterRows) rows = file != NULL ? letter_rows_open_read_only(file, error) : NULL;

    return rows != NULL ? letter_rows_latest(rows, LETTERS_PAGE_MAX, error) : NULL;
}

static ServerReply *answer_letters(const Visit *visit)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) letters = read_letters(visit->site->settings, &error);
    g_autoptr(Ledger) ledger = open_ledger(
        visit->site, ledger_period_of(visit->view.now, visit->request->days), NULL, NULL);

    return page_reply(visit, MHD_HTTP_OK,
                      letters_page(&visit->view, visit->request, letters, ledger,
                                   error != NULL ? error->message : NULL));
}

static LedgerFound *find_domains(const Visit *visit, GError **error)
{
    const Site *site = visit->site;
    g_autoptr(Ledger) ledger =
        open_ledger(site, ledger_period_of(visit->view.now, visit->request->days), NULL, error);

    return ledger != NULL
               ? domains_page_read(ledger, visit->request, site->lists, visit->view.now, error)
               : NULL;
}

static ServerReply *answer_domains(const Visit *visit)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(LedgerFound) found = find_domains(visit, &error);

    return page_reply(visit, MHD_HTTP_OK,
                      domains_page(&visit->view, visit->request, visit->site->lists, found,
                                   error != NULL ? error->message : NULL));
}

static ServerReply *answer_csv(const Visit *visit)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(LedgerFound) found = find_domains(visit, &error);
    ServerReply *reply;

    if (found == NULL)
        return server_reply_text(MHD_HTTP_SERVICE_UNAVAILABLE, error->message);
    reply = server_reply_new(MHD_HTTP_OK, SERVER_REPLY_CSV, domains_csv(found->domains));
    reply->file_name = "spfrom-domains.csv";
    return reply;
}

/* The metrics text, or NULL, below a gauge that says whether there is one: a scraper can then tell
 * the milter from this server. */
static char *add_up(char *text, bool is_prometheus)
{
    g_autofree char *rest = text;
    const char *nothing = is_prometheus ? "" : "# EOF\n";

    return g_strdup_printf("# HELP spfrom_up 1 if the milter answers on its control socket.\n"
                           "# TYPE spfrom_up gauge\n"
                           "spfrom_up %d\n%s",
                           rest != NULL, rest != NULL ? rest : nothing);
}

static ServerReply *answer_metrics(const Visit *visit)
{
    g_autoptr(GError) error = NULL;
    bool is_prometheus = visit->request->is_prometheus;
    char *text = read_metrics(visit->site->settings, is_prometheus, &error);

    if (visit->request->has_up)
        text = add_up(text, is_prometheus);
    if (text == NULL)
        return server_reply_text(MHD_HTTP_SERVICE_UNAVAILABLE, error->message);
    return server_reply_new(
        MHD_HTTP_OK, is_prometheus ? SERVER_REPLY_PROMETHEUS : SERVER_REPLY_OPENMETRICS, text);
}

static ServerReply *answer_health(const Visit *visit)
{
    g_autoptr(DaemonStatus) daemon = ask_daemon(visit->site->settings, NULL);

    if (daemon == NULL)
        return server_reply_text(MHD_HTTP_SERVICE_UNAVAILABLE, "the daemon does not answer");
    return server_reply_text(MHD_HTTP_OK, "ok");
}

static const char *type_of(const char *asset)
{
    if (g_str_has_suffix(asset, ".css"))
        return "text/css; charset=utf-8";
    return g_str_has_suffix(asset, ".js") ? "text/javascript; charset=utf-8" : "image/svg+xml";
}

static ServerReply *answer_nothing(const Visit *visit)
{
    const View *view = &visit->view;

    return page_reply(visit, MHD_HTTP_NOT_FOUND,
                      layout_notice_page(view, visit->request, view_say(view, "Not found"),
                                         view_say(view, "There is no such page."), NULL));
}

static ServerReply *answer_asset(const Visit *visit)
{
    for (const Asset *asset = show_assets; asset->name != NULL; asset++) {
        ServerReply *reply;

        if (strcmp(asset->name, visit->request->subject) != 0)
            continue;
        reply = server_reply_new(MHD_HTTP_OK, type_of(asset->name), g_strdup(asset->text));
        reply->is_kept = true;
        return reply;
    }
    return answer_nothing(visit);
}

static GPtrArray *ask_recent(Settings *settings, const char *domain, GError **error)
{
    const ControlRequest request = {
        .command = CONTROL_RECENT, .domain = (char *)domain, .limit = RECENT_MAX};

    return control_client_recent(settings->control_socket, &request, DAEMON_TIME, error);
}

/* The life of a verdict in the daemon's cache: one that let mail pass lives up to cache_max_ttl,
 * another no longer than cache_retry_ttl. */
static gint64 older_until(Settings *settings, const DomainCheck *check, gint64 asked)
{
    guint seconds = settings->cache_max_ttl;

    if (check->result == SPF_PASS)
        seconds = MIN(seconds, settings->cache_retry_ttl);
    return asked + seconds * CLOCK_SECOND;
}

static char *make_domain_page(const Visit *visit, const Consultation *consultation,
                              ModeInForce mode, gint64 asked)
{
    Settings *settings = visit->site->settings;
    const View *view = &visit->view;
    const Advice *advice = consultation->advice;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) recent = ask_recent(settings, advice->domain, &error);
    g_autoptr(GPtrArray) pieces = advice_text_pieces(view->language, advice);
    g_autofree char *letter = letter_new(view->language, advice, true);
    g_autoptr(Preview) preview =
        preview_new(settings, mode, consultation->check, view_say(view, "Anna Example"), "anna");
    g_auto(DomainLedger) ledger = {0};

    read_domain_ledger(visit->site, advice->domain, view->now, visit->request->days, &ledger);
    return domain_page(
        view, visit->request,
        &(DomainFacts){.check = consultation->check,
                       .meant = consultation->meant,
                       .pieces = pieces,
                       .letter = letter,
                       .preview = preview,
                       .asked = asked,
                       .older_until = older_until(settings, consultation->check, asked),
                       .recent = recent,
                       .recent_problem = error != NULL ? error->message : NULL,
                       .ledger = &ledger});
}

static char *make_letter_page(const Visit *visit, const Consultation *consultation)
{
    g_autofree char *letter = letter_new(visit->view.language, consultation->advice, true);

    return letter_page(&visit->view, visit->request, consultation->check->subject, letter);
}

/* Forgets what DNS said, unless that is only seconds old. Returns the wall time since which all
 * answers are. */
static gint64 ask_anew(Site *site)
{
    gint64 now = clock_wall(&clock_system);
    gint64 asked;
    bool is_old;

    pthread_mutex_lock(&site->lock);
    is_old = now < site->asked || now - site->asked > DNS_AGE;
    if (is_old)
        site->asked = now;
    asked = site->asked;
    pthread_mutex_unlock(&site->lock);
    if (is_old)
        dns_flush(site->dns, NULL);
    return asked;
}

/* Relays, check and advice of a page have check_timeout together. */
static ServerReply *answer_check(const Visit *visit, const CheckSubject *subject)
{
    Site *site = visit->site;
    g_autoptr(Settings) map_now = setup_read_map(site->settings, NULL);
    Settings *settings = map_now != NULL ? map_now : site->settings;
    const View *view = &visit->view;
    gint64 asked = ask_anew(site);
    const ModeInForce mode = control_client_mode_in_force(settings, DAEMON_TIME);
    Deadline deadline = deadline_in(settings->check_timeout);
    g_autoptr(GError) error = NULL;
    g_autoptr(Relays) relays = relays_resolve(settings, site->dns, deadline, &error);
    g_autoptr(Consultation) consultation = NULL;

    if (relays == NULL)
        return page_reply(
            visit, MHD_HTTP_OK,
            layout_notice_page(view, visit->request, view_say(view, "Check a domain"),
                               view_say(view, "relay_hosts in the configuration can't be used."),
                               error->message));
    consultation =
        consultation_new_in(settings, mode, site->dns, site->lists, relays, subject, deadline);
    return page_reply(visit, MHD_HTTP_OK,
                      visit->request->route == ROUTE_LETTER
                          ? make_letter_page(visit, consultation)
                          : make_domain_page(visit, consultation, mode, asked));
}

/* A domain that was typed in the search field has a page of its own, whose address can be passed
 * on. */
static bool is_elsewhere(const Visit *visit, const CheckSubject *subject)
{
    const Request *request = visit->request;

    return request->route == ROUTE_SEARCH && request->language == NULL &&
           subject->local_part == NULL;
}

static ServerReply *redirect(const CheckSubject *subject)
{
    ServerReply *reply = server_reply_text(MHD_HTTP_SEE_OTHER, "");

    reply->location = request_domain_target(subject->domain);
    return reply;
}

static ServerReply *answer_malformed(const Visit *visit)
{
    const View *view = &visit->view;
    bool is_search = visit->request->route == ROUTE_SEARCH;

    return page_reply(visit, is_search ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND,
                      domain_page_malformed(view, visit->request));
}

static ServerReply *answer_subject(const Visit *visit)
{
    const View *view = &visit->view;
    g_autoptr(CheckSubject) subject = NULL;

    if (*visit->request->subject == '\0')
        return page_reply(visit, MHD_HTTP_OK, domain_page_empty(view, visit->request));
    subject = check_subject_parse(visit->request->subject);
    if (subject->is_malformed)
        return answer_malformed(visit);
    return is_elsewhere(visit, subject) ? redirect(subject) : answer_check(visit, subject);
}

ServerReply *site_answer(gpointer data, const Request *request, const char *language)
{
    Visit visit = visit_of(data, request, language);

    switch (request->route) {
    case ROUTE_OVERVIEW:
        return answer_overview(&visit);
    case ROUTE_DOMAINS:
        return answer_domains(&visit);
    case ROUTE_CSV:
        return answer_csv(&visit);
    case ROUTE_CHANGES:
        return answer_changes(&visit);
    case ROUTE_LETTERS:
        return answer_letters(&visit);
    case ROUTE_FLEET:
        return answer_fleet(&visit);
    case ROUTE_DOMAIN:
    case ROUTE_LETTER:
    case ROUTE_SEARCH:
        return answer_subject(&visit);
    case ROUTE_METRICS:
        return answer_metrics(&visit);
    case ROUTE_HEALTH:
        return answer_health(&visit);
    case ROUTE_ASSET:
        return answer_asset(&visit);
    case ROUTE_NOTHING:
        break;
    }
    return answer_nothing(&visit);
}

static const char *refusal_text(guint status)
{
    switch (status) {
    case MHD_HTTP_UNAUTHORIZED:
        return N_("A name and a password are needed.");
    case MHD_HTTP_METHOD_NOT_ALLOWED:
        return N_("These pages can only be read: GET and HEAD.");
    case MHD_HTTP_URI_TOO_LONG:
        return N_("That is too long to be a domain or an address.");
    case MHD_HTTP_MISDIRECTED_REQUEST:
        return N_("spfrom web does not know itself by that name; start it with --host NAME.");
    case MHD_HTTP_SERVICE_UNAVAILABLE:
        return N_("Too many questions at once. Try again in some seconds.");
    default:
        return N_("That can't be answered.");
    }
}

/* The page shows nothing of the request: anybody may have sent it. */
ServerReply *site_refuse(gpointer data, guint status, const char *language)
{
    static const Request nothing = {.route = ROUTE_NOTHING, .days = 30};
    Visit visit = visit_of(data, &nothing, language);
    const View *view = &visit.view;
    g_autofree char *title = g_strdup_printf("%u", status);

    return page_reply(
        &visit, status,
        layout_notice_page(view, &nothing, title, view_say(view, refusal_text(status)), NULL));
}
