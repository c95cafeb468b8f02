#include "config.h"

#include "daemon/fallback_watch.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/live_settings.h"
#include "daemon/metrics.h"
#include "base/worker.h"

#define CHECK_EVERY (300 * CLOCK_SECOND)
#define OTHERS_SECONDS 60               /* for all other fallback addresses together */
#define OTHERS_LISTED_MAX 20            /* of those that are wrong */
#define RETRY_AFTER (30 * CLOCK_SECOND) /* while DNS has trouble */

static Worker *worker; /* set before other threads use it */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static FallbackVerdict last, last_return;
static guint others_watched;
static GPtrArray *others_wrong; /* of char *: "address (result)"; NULL: none yet */

static FallbackState state_of(const Verdict *verdict)
{
    if (verdict->result == SPF_TEMPERROR)
        return FALLBACK_UNKNOWN;
    return verdict->result == SPF_PASS && !verdict->is_unproven ? FALLBACK_AUTHORISED
                                                                : FALLBACK_UNAUTHORISED;
}

static void pair_text(GString *line, const char *key, const char *value)
{
    if (value != NULL)
        log_pair(line, key, value);
}

/* The addresses whose domains are looked at. */
typedef struct {
    const char *key;
    const char *domain; /* in the log */
    FallbackVerdict *last;
} Watched;
static const Watched watched_fallback = {"fallback_address", "fallback", &last};
static const Watched watched_return = {"return_address", "return", &last_return};

static void log_verdict(int level, const Watched *watched, const FallbackVerdict *fallback,
                        const char *what)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const Verdict *verdict = fallback->verdict;

    log_pair(line, watched->key, fallback->address);
    log_pair(line, "spf", spf_result_text(verdict->result));
    pair_text(line, "relay", verdict->relay);
    pair_text(line, "mechanism", verdict->mechanism);
    pair_text(line, "reason", verdict->reason);
    log_write(level, "the %s domain %s:%s", watched->domain, what, line->str);
}

static void log_change(const Watched *watched, FallbackState before,
                       const FallbackVerdict *fallback)
{
    switch (fallback->state) {
    case FALLBACK_UNAUTHORISED:
        log_verdict(LOG_WARNING, watched, fallback, "itself does not authorise the relays");
        return;
    case FALLBACK_UNKNOWN:
        log_verdict(LOG_WARNING, watched, fallback, "can't be checked");
        return;
    case FALLBACK_AUTHORISED:
        log_verdict(before == FALLBACK_UNAUTHORISED ? LOG_NOTICE : LOG_INFO, watched, fallback,
                    "authorises the relays");
        return;
    }
}

/* Takes next, and logs it if it says something else than the one before. */
static void replace(const Watched *watched, FallbackVerdict next)
{
    FallbackVerdict before;

    pthread_mutex_lock(&lock);
    before = *watched->last;
    *watched->last = next;
    pthread_mutex_unlock(&lock);
    bool is_new = next.verdict != NULL && (before.verdict == NULL || before.state != next.state ||
                                           g_strcmp0(before.address, next.address) != 0);
    if (is_new)
        log_change(watched, before.state, &next);
    fallback_verdict_clear(&before);
}

static MetricsFallback metrics_state(FallbackState state)
{
    switch (state) {
    case FALLBACK_AUTHORISED:
        return METRICS_FALLBACK_AUTHORISED;
    case FALLBACK_UNAUTHORISED:
        return METRICS_FALLBACK_UNAUTHORISED;
    case FALLBACK_UNKNOWN:
        break;
    }
    return METRICS_FALLBACK_UNKNOWN;
}

static FallbackVerdict look_up(const LiveSettings *live, const char *address, const Mailbox *sender)
{
    FallbackVerdict verdict = {.checked = clock_wall(&clock_system), .address = g_strdup(address)};

    verdict.verdict =
        verdicts_get_uncounted(live->verdicts, sender, deadline_in(live->settings->check_timeout));
    verdict.state = state_of(verdict.verdict);
    return verdict;
}

/* The return address in force where no section says otherwise; nothing if there is none. */
static FallbackVerdict look_up_return(const LiveSettings *live)
{
    const ReturnForm *form = live->settings->return_in_force;
    g_autoptr(Mailbox) example = NULL;

    if (form == NULL)
        return (FallbackVerdict){.state = FALLBACK_AUTHORISED};
    example = return_form_expand(form, "aaaaaaaaaaaaaaaa");
    return look_up(live, form->text, example);
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The addr-specs of all fallback addresses but the global one's domain, sorted. Borrowed from
 * settings. */
static GPtrArray *other_addresses(Settings *settings)
{
    GPtrArray *addresses = g_ptr_array_new();
    GHashTableIter iterator;
    gpointer address;

    g_hash_table_iter_init(&iterator, settings->fallbacks);
    while (g_hash_table_iter_next(&iterator, &address, NULL))
        if (strcmp(strrchr(address, '@') + 1, settings->fallback->domain_name) != 0)
            g_ptr_array_add(addresses, address);
    g_ptr_array_sort(addresses, compare_texts);
    if (addresses->len > FALLBACK_WATCH_OTHERS_MAX)
        g_ptr_array_set_size(addresses, FALLBACK_WATCH_OTHERS_MAX);
    return addresses;
}

static bool has_text(const GPtrArray *texts, const char *text)
{
    return texts != NULL &&
           g_ptr_array_find_with_equal_func((GPtrArray *)texts, text, g_str_equal, NULL);
}

/* Takes wrong, and logs what is new in it. Only this thread replaces it. */
static void replace_others(guint watched, GPtrArray *wrong)
{
    GPtrArray *before = others_wrong;

    for (guint i = 0; i < wrong->len; i++)
        if (!has_text(before, g_ptr_array_index(wrong, i)))
            log_write(LOG_WARNING,
                      "the domain of a fallback address of a section or domain_map does not "
                      "authorise the relays: %s",
                      (const char *)g_ptr_array_index(wrong, i));
    metrics_set_fallbacks(watched, wrong->len);
    pthread_mutex_lock(&lock);
    others_watched = watched;
    others_wrong = wrong;
    pthread_mutex_unlock(&lock);
    if (before != NULL)
        g_ptr_array_unref(before);
}

/* What DNS does not say in time is not known, and counts as nothing. */
static void check_others(const LiveSettings *live)
{
    g_autoptr(GPtrArray) addresses = other_addresses(live->settings);
    GPtrArray *wrong = g_ptr_array_new_with_free_func(g_free);
    Deadline deadline = deadline_in(OTHERS_SECONDS);

    for (guint i = 0; i < addresses->len; i++) {
        const char *address = g_ptr_array_index(addresses, i);
        g_autoptr(Mailbox) sender = mailbox_parse_path(address);
        g_autoptr(Verdict) verdict = verdicts_get_uncounted(live->verdicts, sender, deadline);

        if (state_of(verdict) == FALLBACK_UNAUTHORISED)
            g_ptr_array_add(wrong,
                            g_strdup_printf("%s (%s)", address, spf_result_text(verdict->result)));
    }
    replace_others(addresses->len, wrong);
}

char **fallback_watch_get_others(guint *watched, guint *unauthorised)
{
    GPtrArray *list = g_ptr_array_new();

    pthread_mutex_lock(&lock);
    *watched = others_watched;
    *unauthorised = others_wrong != NULL ? others_wrong->len : 0;
    for (guint i = 0; i < MIN(*unauthorised, OTHERS_LISTED_MAX); i++)
        g_ptr_array_add(list, g_strdup(g_ptr_array_index(others_wrong, i)));
    pthread_mutex_unlock(&lock);
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

/* Only this thread replaces verdicts, so next may be read after that. */
static gint64 check(void)
{
    LiveSettings live;
    FallbackVerdict next, next_return;

    if (!live_settings_take(&live))
        return CHECK_EVERY;
    next = look_up(&live, live.settings->fallback->addr_spec, live.settings->fallback);
    next_return = look_up_return(&live);
    check_others(&live);
    live_settings_release(&live);
    metrics_set_fallback(metrics_state(next.state));
    replace(&watched_fallback, next);
    replace(&watched_return, next_return);
    return next.state == FALLBACK_UNKNOWN || next_return.state == FALLBACK_UNKNOWN ? RETRY_AFTER
                                                                                   : CHECK_EVERY;
}

bool fallback_watch_start(void)
{
    worker = worker_start("spfrom-fallback", check);
    return worker != NULL;
}

void fallback_watch_wake(void)
{
    worker_wake(worker);
}

static void get(const Watched *watched, FallbackVerdict *verdict)
{
    pthread_mutex_lock(&lock);
    *verdict = *watched->last;
    verdict->address = g_strdup(verdict->address);
    if (verdict->verdict != NULL)
        verdict_ref(verdict->verdict);
    pthread_mutex_unlock(&lock);
}

void fallback_watch_get(FallbackVerdict *fallback)
{
    get(&watched_fallback, fallback);
}

void fallback_watch_get_return(FallbackVerdict *verdict)
{
    get(&watched_return, verdict);
}

void fallback_verdict_clear(FallbackVerdict *fallback)
{
    g_clear_pointer(&fallback->address, g_free);
    g_clear_pointer(&fallback->verdict, verdict_unref);
}
