#include "config.h"

#include "daemon/fallback_watch.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/live_settings.h"
#include "daemon/metrics.h"
#include "base/worker.h"

#define CHECK_EVERY (300 * CLOCK_SECOND)
#define RETRY_AFTER (30 * CLOCK_SECOND) /* while DNS has trouble */

static Worker *worker; /* set before other threads use it */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards last */
static FallbackVerdict last;

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

static void log_verdict(int level, const FallbackVerdict *fallback, const char *what)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const Verdict *verdict = fallback->verdict;

    log_pair(line, "fallback_address", fallback->address);
    log_pair(line, "spf", spf_result_text(verdict->result));
    pair_text(line, "relay", verdict->relay);
    pair_text(line, "mechanism", verdict->mechanism);
    pair_text(line, "reason", verdict->reason);
    log_write(level, "%s:%s", what, line->str);
}

static void log_change(FallbackState before, const FallbackVerdict *fallback)
{
    switch (fallback->state) {
    case FALLBACK_UNAUTHORISED:
        log_verdict(LOG_WARNING, fallback,
                    "the fallback domain itself does not authorise the relays");
        return;
    case FALLBACK_UNKNOWN:
        log_verdict(LOG_WARNING, fallback, "the fallback domain can't be checked");
        return;
    case FALLBACK_AUTHORISED:
        log_verdict(before == FALLBACK_UNAUTHORISED ? LOG_NOTICE : LOG_INFO, fallback,
                    "the fallback domain authorises the relays");
        return;
    }
}

/* Takes next, and logs it if it says something else than the one before. */
static void replace(FallbackVerdict next)
{
    FallbackVerdict before;

    pthread_mutex_lock(&lock);
    before = last;
    last = next;
    pthread_mutex_unlock(&lock);
    bool is_new = before.verdict == NULL || before.state != next.state ||
                  g_strcmp0(before.address, next.address) != 0;
    if (is_new)
        log_change(before.state, &next);
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

/* Only this thread replaces last, so next may be read after that. */
static gint64 check(void)
{
    LiveSettings live;
    FallbackVerdict next = {.checked = clock_wall(&clock_system)};

    if (!live_settings_take(&live))
        return CHECK_EVERY;
    next.address = g_strdup(live.settings->fallback->addr_spec);
    next.verdict = verdicts_get_uncounted(live.verdicts, live.settings->fallback,
                                          deadline_in(live.settings->check_timeout));
    next.state = state_of(next.verdict);
    live_settings_release(&live);
    metrics_set_fallback(metrics_state(next.state));
    replace(next);
    return next.state == FALLBACK_UNKNOWN ? RETRY_AFTER : CHECK_EVERY;
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

void fallback_watch_get(FallbackVerdict *fallback)
{
    pthread_mutex_lock(&lock);
    *fallback = last;
    fallback->address = g_strdup(last.address);
    if (last.verdict != NULL)
        verdict_ref(last.verdict);
    pthread_mutex_unlock(&lock);
}

void fallback_verdict_clear(FallbackVerdict *fallback)
{
    g_clear_pointer(&fallback->address, g_free);
    g_clear_pointer(&fallback->verdict, verdict_unref);
}
