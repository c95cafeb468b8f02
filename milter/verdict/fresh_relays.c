#include "config.h"

#include "verdict/fresh_relays.h"

#include <pthread.h>

#include "base/log.h"

#define NETWORKS_SHOWN_MAX 20

struct FreshRelays {
    Dns *dns;
    const Clock *clock;

    pthread_mutex_t lock; /* guards what follows */
    RelaySet *set;
    gint64 due; /* monotonic time */
};

FreshRelays *fresh_relays_new(Settings *settings, Dns *dns, RelaySet *last, const Clock *clock,
                              Deadline deadline, GError **error)
{
    RelaySet *set = relay_set_resolve(settings, dns, last, clock, deadline, error);
    FreshRelays *relays;

    if (set == NULL)
        return NULL;
    relays = g_new0(FreshRelays, 1);
    relays->dns = dns;
    relays->clock = clock;
    pthread_mutex_init(&relays->lock, NULL);
    relays->set = set;
    relays->due = set->expires;
    return relays;
}

void fresh_relays_free(FreshRelays *relays)
{
    relay_set_unref(relays->set);
    pthread_mutex_destroy(&relays->lock);
    g_free(relays);
}

RelaySet *fresh_relays_get(FreshRelays *relays)
{
    pthread_mutex_lock(&relays->lock);
    RelaySet *set = relay_set_ref(relays->set);
    pthread_mutex_unlock(&relays->lock);
    return set;
}

static gint64 due_of(FreshRelays *relays)
{
    pthread_mutex_lock(&relays->lock);
    gint64 due = relays->due;
    pthread_mutex_unlock(&relays->lock);
    return due;
}

bool fresh_relays_is_due(FreshRelays *relays)
{
    return clock_monotonic(relays->clock) >= due_of(relays);
}

void fresh_relays_expire(FreshRelays *relays)
{
    pthread_mutex_lock(&relays->lock);
    relays->due = 0;
    pthread_mutex_unlock(&relays->lock);
}

static void log_networks(const RelaySet *set)
{
    g_autoptr(GString) line = g_string_new("relay set changed:");
    guint shown = MIN(set->networks->len, NETWORKS_SHOWN_MAX);

    for (guint i = 0; i < shown; i++) {
        char text[NETWORK_TEXT_MAX];

        g_string_append_printf(line, " %s",
                               network_text(&g_array_index(set->networks, Network, i), text));
    }
    if (shown < set->networks->len)
        g_string_append_printf(line, " and %u more", set->networks->len - shown);
    log_write(LOG_NOTICE, "%s", line->str);
}

/* Is an entry in another kind of trouble than before, or more of them in any? */
static bool is_worse(const RelaySet *last, const RelaySet *set)
{
    for (guint i = 0; i < set->states->len; i++) {
        RelaySetState state = g_array_index(set->states, RelaySetState, i);

        if (state != RELAY_SET_WHOLE && state != g_array_index(last->states, RelaySetState, i))
            return true;
    }
    return set->problems->len > last->problems->len;
}

static void log_change(const RelaySet *last, const RelaySet *set)
{
    bool tells_problems = is_worse(last, set);

    if (set->generation != last->generation)
        log_networks(set);
    if (set->is_complete && !last->is_complete)
        log_write(LOG_NOTICE, "relay set complete");
    if (set->failures == 0 && last->failures > 0)
        log_write(LOG_NOTICE, "relay set: DNS answers again");
    if (!set->is_complete && tells_problems)
        log_write(LOG_WARNING, RELAY_SET_INCOMPLETE);
    for (guint i = 0; tells_problems && i < set->problems->len; i++)
        log_write(LOG_WARNING, "relay set: %s", (const char *)g_ptr_array_index(set->problems, i));
}

/* Puts set in force in place of last. Returns whether networks came or went. */
static bool replace(FreshRelays *relays, RelaySet *last, RelaySet *set)
{
    pthread_mutex_lock(&relays->lock);
    relays->set = relay_set_ref(set);
    pthread_mutex_unlock(&relays->lock);
    log_change(last, set);
    relay_set_unref(last);
    return set->generation != last->generation;
}

/* Returns when the set is to be looked up next. */
static gint64 resolve(FreshRelays *relays, bool *has_changed)
{
    gint64 now = clock_monotonic(relays->clock);
    g_autoptr(GError) error = NULL;
    g_autoptr(RelaySet) last = fresh_relays_get(relays);
    g_autoptr(RelaySet) set = relay_set_renew(last, relays->dns, relays->clock,
                                              deadline_in(last->settings->check_timeout), &error);

    if (set == NULL) {
        log_write(LOG_WARNING, "%s; the last relay set stays", error->message);
        return now + RELAY_SET_RETRY_MAX * CLOCK_SECOND;
    }
    *has_changed = replace(relays, last, set);
    return set->expires;
}

gint64 fresh_relays_refresh(FreshRelays *relays, bool *has_changed)
{
    gint64 due = due_of(relays);
    gint64 next;

    *has_changed = false;
    if (clock_monotonic(relays->clock) < due)
        return due - clock_monotonic(relays->clock);
    next = resolve(relays, has_changed);
    pthread_mutex_lock(&relays->lock);
    if (relays->due == due) /* otherwise it was made due while it was looked up */
        relays->due = next;
    next = relays->due;
    pthread_mutex_unlock(&relays->lock);
    return next - clock_monotonic(relays->clock);
}
