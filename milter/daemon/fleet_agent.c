#include "config.h"

#include "daemon/fleet_agent.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control_server.h"
#include "daemon/fallback_watch.h"
#include "daemon/fleet_digests.h"
#include "daemon/fleet_roll.h"
#include "daemon/ledger_writer.h"
#include "daemon/live_settings.h"
#include "daemon/metrics.h"
#include "daemon/mode_switch.h"
#include "daemon/returns.h"
#include "fleet/fleet_password.h"
#include "policy/settings_keys.h"
#include "policy/settings_parse.h"
#include "verdict/setup.h"

#define POLL_SPAN (400 * CLOCK_MILLISECOND)
#define BEAT_SPAN (5 * CLOCK_SECOND)
#define BEATS_A_MINUTE 12
#define ANSWER_SECONDS 2 /* that the store may take for what no message waits for */
#define START_SECONDS 1  /* that the first message may come later for its sake */
#define ORDER_SECONDS 1  /* the same, if somebody at a terminal waits */
#define UNSENT_MAX 64    /* flushes that are kept for the store; more are as if all were flushed */
#define FLUSHED_MAX 64   /* flushes that are done one by one */
#define ALL_DOMAINS ""

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static pthread_cond_t changed;                           /* fleet, is_stopping */
static Fleet *fleet;                                     /* NULL: this host is alone */
static guint joins;                                      /* how often fleet became another one */
static Settings *joined;    /* what fleet was made of, and all digests */
static GHashTable *digests; /* name of a key → digest of its value */
static FleetRoll *roll;
static GPtrArray *unsent; /* of char *: domains that were flushed while the store was away */
static bool is_stopping;
static bool is_double; /* another host has this one's name */

static pthread_t thread;
static bool has_thread;
static char *run_id; /* set once, before the thread starts */

/* Used by the thread only. */
static guint64 counted[BEATS_A_MINUTE + 1]; /* messages until each of the last beats */
static guint beats;
static bool has_beaten;     /* this fleet has a sign of life of this run */
static gint64 double_until; /* monotonic */

bool fleet_agent_check(Settings *settings, GError **error)
{
    const char *file = settings->fleet_password_file;
    g_autofree char *problem =
        settings->fleet->len > 0 && file != NULL ? fleet_password_problem(file) : NULL;
    g_autoptr(GError) cause = NULL;

    if (problem == NULL)
        return true;
    g_set_error(&cause, SETUP_ERROR, SETUP_ERROR_CONFIGURATION, "fleet_password_file: %s %s", file,
                problem);
    settings_locate(settings, &cause);
    g_set_error_literal(error, SETUP_ERROR, SETUP_ERROR_CONFIGURATION, cause->message);
    return false;
}

/* --- what this host is like --- */

static gboolean copy_entry(gpointer name, gpointer digest, gpointer to)
{
    g_hash_table_insert(to, g_strdup(name), g_strdup(digest));
    return FALSE;
}

static GHashTable *copy_digests(void)
{
    GHashTable *copy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    pthread_mutex_lock(&lock);
    g_hash_table_find(digests, copy_entry, copy);
    pthread_mutex_unlock(&lock);
    return copy;
}

static guint64 messages_until_now(void)
{
    MetricsSnapshot snapshot;
    guint64 sum = 0;

    metrics_take(&snapshot);
    for (guint i = 0; i < MESSAGE_ACTIONS; i++)
        sum += snapshot.messages[i];
    return sum;
}

/* Messages within the last minute, as far as there was one. */
static guint64 messages_lately(void)
{
    guint64 now = messages_until_now();
    guint64 then = beats < BEATS_A_MINUTE ? 0 : counted[(beats + 1) % G_N_ELEMENTS(counted)];

    counted[beats % G_N_ELEMENTS(counted)] = now;
    beats++;
    return now - MIN(then, now);
}

/* Do sums or return addresses wait to be told? Those of the last run do until the store is known to
 * have them. */
static bool is_something_unsent(Settings *settings)
{
    g_auto(LedgerWriterStatus) sums = {0};
    g_auto(ReturnsStatus) addresses = {0};

    ledger_writer_status(&sums);
    returns_status(&addresses);
    return sums.is_unsent || addresses.store.is_unsent ||
           (!addresses.has_begun && settings_has_tokens(settings));
}

static FleetHost *host_new(const LiveSettings *live, bool is_stopped)
{
    g_autoptr(RelaySet) set = verdicts_relay_set(live->verdicts);
    FleetHost *host = g_new0(FleetHost, 1);
    ModeStatus mode;

    mode_switch_get(&mode);
    host->host = g_strdup(live->settings->hostname);
    host->id = g_strdup(run_id);
    host->version = g_strdup(PACKAGE_VERSION);
    host->seen = clock_wall(&clock_system);
    host->up_since = metrics_started();
    host->mode = mode.mode;
    host->is_here = mode.is_here;
    host->by = g_strdup(!mode.is_switch       ? "configuration"
                        : mode.who[0] != '\0' ? mode.who
                                              : "switch");
    host->per_minute = (double)messages_lately();
    host->is_stopped = is_stopped;
    host->relays = fleet_digests_relays(set);
    host->return_key = fleet_digests_return_key(live->settings);
    host->keys = copy_digests();
    host->is_unsent = is_something_unsent(live->settings);
    pthread_mutex_lock(&lock);
    host->is_unsent = host->is_unsent || unsent->len > 0;
    host->is_double = is_double;
    pthread_mutex_unlock(&lock);
    return host;
}

/* --- the sign of life --- */

/* before is the sign of life that was there: of this run, unless two hosts write the same one. */
static void note_double(const FleetHost *own, const FleetHost *before)
{
    gint64 now = clock_monotonic(&clock_system);
    bool was_double;
    bool is_now;

    if (has_beaten && before != NULL && !before->is_stopped && strcmp(before->id, own->id) != 0)
        double_until = now + FLEET_ROLL_SEEN;
    is_now = now < double_until;
    pthread_mutex_lock(&lock);
    was_double = is_double;
    is_double = is_now;
    pthread_mutex_unlock(&lock);
    if (is_now && !was_double)
        log_write(LOG_WARNING,
                  "fleet: another host has the name %s too; give each its own hostname", own->host);
    else if (was_double && !is_now)
        log_write(LOG_NOTICE, "fleet: no other host has the name %s any more", own->host);
}

/* Drops hosts that nobody has seen for as long as their rows live. */
static void drop_old(Fleet *with, Settings *settings)
{
    gint64 life = (gint64)settings->ledger_days * 24 * 3600 * CLOCK_SECOND;
    g_autoptr(GPtrArray) old = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) rows = NULL;

    pthread_mutex_lock(&lock);
    rows = fleet_roll_rows(roll, clock_monotonic(&clock_system));
    for (guint i = 0; i < rows->len; i++) {
        const FleetRollRow *row = g_ptr_array_index(rows, i);

        if (row->age > life)
            g_ptr_array_add(old, g_strdup(row->host->host));
    }
    pthread_mutex_unlock(&lock);
    for (guint i = 0; i < old->len; i++)
        fleet_forget(with, g_ptr_array_index(old, i), deadline_in(ANSWER_SECONDS));
}

/* Reads who is there. Returns false if the store did not answer. */
static bool call_roll(Fleet *with, Deadline deadline)
{
    GPtrArray *hosts = fleet_hosts(with, deadline);

    if (hosts == NULL)
        return false;
    pthread_mutex_lock(&lock);
    fleet_roll_take(roll, hosts, clock_wall(&clock_system), clock_monotonic(&clock_system));
    pthread_mutex_unlock(&lock);
    return true;
}

static void beat(Fleet *with, bool is_stopped)
{
    g_autoptr(FleetHost) own = NULL;
    g_autoptr(FleetHost) before = NULL;
    LiveSettings live;

    if (!live_settings_take(&live))
        return;
    own = host_new(&live, is_stopped);
    if (fleet_host_put(with, own, deadline_in(ANSWER_SECONDS), &before) && !is_stopped) {
        note_double(own, before);
        has_beaten = true;
        if (call_roll(with, deadline_in(ANSWER_SECONDS)))
            drop_old(with, live.settings);
    }
    live_settings_release(&live);
}

/* --- switches and flushes --- */

/* Forgets verdicts here: those on domain and below it; ALL_DOMAINS: all. */
static void flush_here(const char *domain)
{
    LiveSettings live;

    if (!live_settings_take(&live))
        return;
    verdicts_flush(live.verdicts, *domain != '\0' ? domain : NULL);
    live_settings_release(&live);
}

static void take_flushes(const GPtrArray *domains)
{
    bool is_all = domains->len > FLUSHED_MAX;

    for (guint i = 0; i < domains->len && !is_all; i++)
        is_all = strcmp(g_ptr_array_index(domains, i), ALL_DOMAINS) == 0;
    for (guint i = 0; i < domains->len && !is_all; i++) {
        g_autoptr(GString) line = g_string_new("verdicts flushed:");

        flush_here(g_ptr_array_index(domains, i));
        log_pair(line, "domain", g_ptr_array_index(domains, i));
        log_write(LOG_NOTICE, "%s, as another host was told", line->str);
    }
    if (is_all) {
        flush_here(ALL_DOMAINS);
        log_write(LOG_NOTICE, "verdicts flushed: all, as another host was told");
    }
    if (domains->len > 0)
        fallback_watch_wake();
}

static void keep_unsent(const char *domain)
{
    pthread_mutex_lock(&lock);
    if (unsent->len >= UNSENT_MAX) {
        g_ptr_array_set_size(unsent, 0);
        domain = ALL_DOMAINS;
    }
    g_ptr_array_add(unsent, g_strdup(domain));
    pthread_mutex_unlock(&lock);
}

/* Sends what was flushed while the store was away. What it gave meanwhile is older: it goes once
 * more. */
static void send_unsent(Fleet *with)
{
    g_autoptr(GPtrArray) domains = NULL;

    pthread_mutex_lock(&lock);
    domains = g_steal_pointer(&unsent);
    unsent = g_ptr_array_new_with_free_func(g_free);
    pthread_mutex_unlock(&lock);
    for (guint i = 0; i < domains->len; i++) {
        const char *domain = g_ptr_array_index(domains, i);

        if (fleet_flush(with, *domain != '\0' ? domain : NULL, deadline_in(ANSWER_SECONDS)))
            flush_here(domain);
        else
            keep_unsent(domain);
    }
}

/* Gives the store the last switch if it does not have it. */
static void give_switch(Fleet *with, const FleetNews *news)
{
    FleetSwitch own;

    if (mode_switch_last(&own) &&
        (!news->has_switch || fleet_switch_compare(&own, &news->last) > 0))
        fleet_switch_put(with, &own, deadline_in(ANSWER_SECONDS));
    fleet_switch_clear(&own);
}

static void poll_store(Fleet *with)
{
    FleetNews news;

    send_unsent(with);
    if (fleet_poll(with, &news, deadline_in(ANSWER_SECONDS))) {
        if (news.has_switch && mode_switch_learn(&news.last))
            mode_switch_tend();
        give_switch(with, &news);
        take_flushes(news.flushed);
    }
    fleet_news_clear(&news);
}

bool fleet_agent_tell_switch(void)
{
    g_autoptr(Fleet) with = fleet_agent_fleet();
    FleetSwitch own;
    bool is_told;

    if (with == NULL)
        return true;
    is_told = mode_switch_last(&own) && fleet_switch_put(with, &own, deadline_in(ORDER_SECONDS));
    fleet_switch_clear(&own);
    return is_told;
}

bool fleet_agent_tell_flush(const char *domain)
{
    g_autoptr(Fleet) with = fleet_agent_fleet();

    if (with == NULL || fleet_flush(with, domain, deadline_in(ORDER_SECONDS)))
        return true;
    keep_unsent(domain != NULL ? domain : ALL_DOMAINS);
    return false;
}

/* --- the thread --- */

/* Waits until the next turn. Returns the fleet, a new reference, and which of this run's it is; NULL:
 * it is to end. */
static Fleet *await_turn(Deadline next, guint *join)
{
    Fleet *with = NULL;

    pthread_mutex_lock(&lock);
    while (!is_stopping && fleet == NULL)
        pthread_cond_wait(&changed, &lock);
    while (!is_stopping && deadline_wait(next, &changed, &lock))
        ;
    if (!is_stopping && fleet != NULL)
        with = fleet_ref(fleet);
    *join = joins;
    pthread_mutex_unlock(&lock);
    return with;
}

static bool is_to_stop(void)
{
    bool is_it;

    pthread_mutex_lock(&lock);
    is_it = is_stopping;
    pthread_mutex_unlock(&lock);
    return is_it;
}

static void *run(void *unused G_GNUC_UNUSED)
{
    gint64 next_beat = 0;
    Deadline next = 0;
    guint last = 0; /* of joins */

    pthread_setname_np(pthread_self(), "spfrom-fleet");
    while (!is_to_stop()) {
        guint join;
        g_autoptr(Fleet) with = await_turn(next, &join);

        if (with == NULL)
            continue;
        if (join != last) {
            last = join;
            next_beat = 0;
            has_beaten = false;
        }
        next = clock_monotonic(&clock_system) + POLL_SPAN;
        if (!fleet_store_wait(fleet_store(with), next))
            continue;
        poll_store(with);
        if (clock_monotonic(&clock_system) >= next_beat) {
            next_beat = clock_monotonic(&clock_system) + BEAT_SPAN;
            beat(with, false);
        }
    }
    return NULL;
}

/* --- the whole --- */

static bool is_same_store(Settings *a, Settings *b)
{
    static const char *const names[] = {"fleet",    "fleet_name",          "fleet_timeout",
                                        "fleet_ca", "fleet_password_file", "hostname"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const SettingsKey *key = settings_key_find(names[i]);
        g_autofree char *of_a =
            settings_key_text(key, settings_key_member((struct Settings *)a, key));
        g_autofree char *of_b =
            settings_key_text(key, settings_key_member((struct Settings *)b, key));

        if (strcmp(of_a, of_b) != 0)
            return false;
    }
    return true;
}

/* Before there are threads. */
static void begin(void)
{
    deadline_init_condition(&changed);
    roll = fleet_roll_new();
    unsent = g_ptr_array_new_with_free_func(g_free);
    run_id = g_strdup_printf("%08x%08x", g_random_int(), g_random_int());
}

bool fleet_agent_configure(Settings *settings)
{
    bool is_first = joined == NULL; /* the caller alone writes it */
    bool is_same = !is_first && is_same_store(joined, settings);
    Fleet *next = is_same ? NULL : fleet_new(settings);
    GHashTable *made;

    if (!is_same && next == NULL && settings->fleet->len > 0)
        return false;
    if (is_first)
        begin();
    made = fleet_digests_new(settings);
    pthread_mutex_lock(&lock);
    if (is_same)
        next = g_steal_pointer(&fleet);
    else
        joins++;
    Fleet *before = fleet;
    fleet = next;
    Settings *last = joined;
    joined = settings_ref(settings);
    g_clear_pointer(&digests, g_hash_table_unref);
    digests = made;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    mode_switch_join(settings->fleet->len > 0 ? settings->hostname : NULL);
    fleet_unref(before);
    g_clear_pointer(&last, settings_unref);
    return true;
}

Fleet *fleet_agent_fleet(void)
{
    Fleet *with = NULL;

    pthread_mutex_lock(&lock);
    if (fleet != NULL)
        with = fleet_ref(fleet);
    pthread_mutex_unlock(&lock);
    return with;
}

void fleet_agent_share(Verdicts *verdicts)
{
    g_autoptr(Fleet) with = fleet_agent_fleet();

    if (with != NULL)
        verdicts_share(verdicts, with);
}

bool fleet_agent_start(void)
{
    g_autoptr(Fleet) with = fleet_agent_fleet();

    if (with != NULL && fleet_store_wait(fleet_store(with), deadline_in(START_SECONDS)))
        poll_store(with);
    has_thread = pthread_create(&thread, NULL, run, NULL) == 0;
    return has_thread;
}

void fleet_agent_stop(void)
{
    Fleet *with;

    pthread_mutex_lock(&lock);
    is_stopping = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (has_thread)
        pthread_join(thread, NULL);
    with = fleet_agent_fleet();
    if (with != NULL) {
        send_unsent(with);
        beat(with, true);
        fleet_unref(with);
    }
    pthread_mutex_lock(&lock);
    with = g_steal_pointer(&fleet);
    pthread_mutex_unlock(&lock);
    fleet_unref(with);
}

/* --- what is told --- */

/* The names of rows that are so, NULL-terminated. */
typedef bool (*RowTest)(const FleetRollRow *row);

static bool is_unseen(const FleetRollRow *row)
{
    return !row->is_seen;
}

static bool is_differing(const FleetRollRow *row)
{
    return row->differs->len > 0;
}

static bool is_doubled(const FleetRollRow *row)
{
    return row->host->is_double;
}

static char **names_of(const GPtrArray *rows, RowTest is_so)
{
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < rows->len; i++) {
        const FleetRollRow *row = g_ptr_array_index(rows, i);

        if (is_so(row))
            g_ptr_array_add(names, g_strdup(row->host->host));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

void fleet_agent_status(FleetAgentStatus *status)
{
    g_autoptr(Fleet) with = fleet_agent_fleet();
    g_autoptr(GPtrArray) rows = NULL;

    *status = (FleetAgentStatus){.is_there = with != NULL};
    if (with == NULL)
        return;
    fleet_store_state(fleet_store(with), &status->store);
    pthread_mutex_lock(&lock);
    rows = fleet_roll_rows(roll, clock_monotonic(&clock_system));
    status->hosts = rows->len;
    status->unseen = names_of(rows, is_unseen);
    status->differing = names_of(rows, is_differing);
    status->doubled = names_of(rows, is_doubled);
    pthread_mutex_unlock(&lock);
}

void fleet_agent_status_clear(FleetAgentStatus *status)
{
    fleet_store_state_clear(&status->store);
    g_clear_pointer(&status->unseen, g_strfreev);
    g_clear_pointer(&status->differing, g_strfreev);
    g_clear_pointer(&status->doubled, g_strfreev);
}

static json_t *time_json(gint64 wall)
{
    g_autofree char *text = wall > 0 ? clock_rfc3339(MIN(wall, CLOCK_WALL_MAX)) : NULL;

    return text != NULL ? json_string(text) : json_null();
}

static json_t *row_json(const FleetRollRow *row)
{
    const FleetHost *host = row->host;
    json_t *json = json_object();
    json_t *differs = json_array();

    for (guint i = 0; i < row->differs->len; i++)
        json_array_append_new(differs, json_string(g_ptr_array_index(row->differs, i)));
    json_object_set_new(json, "host", json_string(host->host));
    json_object_set_new(json, "version", json_string(host->version));
    json_object_set_new(json, "mode", json_string(mode_text(host->mode)));
    json_object_set_new(json, "by", json_string(host->by));
    json_object_set_new(json, "here", json_boolean(host->is_here));
    json_object_set_new(json, "up_since", time_json(host->up_since));
    json_object_set_new(json, "last_seen", time_json(clock_wall(&clock_system) - row->age));
    json_object_set_new(json, "seen", json_boolean(row->is_seen));
    json_object_set_new(json, "stopped", json_boolean(host->is_stopped));
    json_object_set_new(json, "unsent", json_boolean(host->is_unsent));
    json_object_set_new(json, "double", json_boolean(host->is_double));
    json_object_set_new(json, "messages_per_minute", json_real(host->per_minute));
    json_object_set_new(json, "differs", differs);
    return json;
}

/* Appends the hosts to list. Returns whether all are there and agree. */
static bool append_hosts(json_t *list)
{
    g_autoptr(GPtrArray) rows = NULL;
    bool is_well = true;

    pthread_mutex_lock(&lock);
    rows = fleet_roll_rows(roll, clock_monotonic(&clock_system));
    for (guint i = 0; i < rows->len; i++) {
        const FleetRollRow *row = g_ptr_array_index(rows, i);

        is_well = is_well && !is_unseen(row) && !is_differing(row) && !is_doubled(row);
        json_array_append_new(list, row_json(row));
    }
    pthread_mutex_unlock(&lock);
    return is_well;
}

static json_t *store_json(Fleet *with, bool *is_up)
{
    json_t *json = json_object();
    FleetStoreState state;

    fleet_store_state(fleet_store(with), &state);
    *is_up = state.is_up;
    json_object_set_new(json, "up", json_boolean(state.is_up));
    json_object_set_new(json, "member",
                        *state.member != '\0' ? json_string(state.member) : json_null());
    json_object_set_new(json, "round_trip_ms",
                        state.round_trip >= 0
                            ? json_real((double)state.round_trip / (double)CLOCK_MILLISECOND)
                            : json_null());
    json_object_set_new(json, "since", time_json(state.since));
    json_object_set_new(json, "error",
                        state.trouble != NULL ? json_string(state.trouble) : json_null());
    fleet_store_state_clear(&state);
    return json;
}

static bool is_listed(const char *name)
{
    g_autoptr(GPtrArray) rows = NULL;
    bool is_there = false;

    pthread_mutex_lock(&lock);
    rows = fleet_roll_rows(roll, clock_monotonic(&clock_system));
    for (guint i = 0; i < rows->len; i++)
        is_there |=
            strcmp(((const FleetRollRow *)g_ptr_array_index(rows, i))->host->host, name) == 0;
    pthread_mutex_unlock(&lock);
    return is_there;
}

/* Does somebody wait for the return addresses of a host that has no sign of life any more? */
static bool is_waited_for(const char *name)
{
    ReturnStore *store = returns_store();

    return store != NULL && return_store_has_host(store, name);
}

/* Drops a host. Returns a refusal, or NULL. */
static json_t *forget_host(Fleet *with, const char *name)
{
    g_autofree char *text = NULL;

    if (with == NULL)
        return control_server_refusal("this host is alone: fleet is empty");
    if (!call_roll(with, deadline_in(ORDER_SECONDS)))
        return control_server_refusal("the store can't be used now");
    if (!is_listed(name) && !is_waited_for(name)) {
        text = g_strdup_printf("no host \"%s\" is in the fleet; see spfrom fleet", name);
        return control_server_refusal(text);
    }
    if (!fleet_forget(with, name, deadline_in(ORDER_SECONDS)))
        return control_server_refusal("the store can't be used now");
    log_write(LOG_NOTICE, "fleet: host %s is forgotten", name);
    return NULL;
}

json_t *fleet_agent_report(const char *forget)
{
    g_autoptr(Fleet) with = fleet_agent_fleet();
    json_t *answer = forget != NULL ? forget_host(with, forget) : NULL;
    json_t *hosts;
    json_t *store = NULL;
    bool is_up = true;
    bool is_well = true;

    if (answer != NULL)
        return answer;
    answer = json_object();
    hosts = json_array();
    if (with != NULL) {
        call_roll(with, deadline_in(ORDER_SECONDS));
        is_well = append_hosts(hosts);
        store = store_json(with, &is_up);
    }
    json_object_set_new(answer, "ok", json_true());
    json_object_set_new(answer, "fleet", json_boolean(with != NULL));
    json_object_set_new(answer, "agree", json_boolean(is_well && is_up));
    json_object_set_new(answer, "hosts", hosts);
    json_object_set_new(answer, "store", store != NULL ? store : json_null());
    if (forget != NULL)
        json_object_set_new(answer, "forgotten", json_string(forget));
    return answer;
}
