#include "config.h"

#include "fleet/fleet.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define FLUSHES_MAX 4096 /* domains whose last flush is known; more are as if all were flushed */
#define STREAM_MAX 1000  /* flushes that the store keeps, about */
#define DOMAIN_MAX 253
#define AHEAD_MAX (10 * 365 * 24 * 3600 * CLOCK_SECOND) /* of a clock that is wrong */
#define HOSTS_MAX 256 /* more are not looked at: a stranger could write any number */

/* The id of an entry of a stream: the store's milliseconds, and a number within them. */
typedef struct {
    guint64 milliseconds;
    guint64 number;
} FlushId;

struct Fleet {
    gint refs;
    FleetStore *store;
    char *host;
    guint timeout;        /* milliseconds */
    pthread_mutex_t lock; /* guards what follows */
    FlushId last;         /* the last flush that is known */
    FlushId polled;       /* the last one that the poll has seen */
    FlushId all;          /* the last one of all verdicts */
    GHashTable *flushed;  /* domain → FlushId */
    bool was_polled;
};

/* --- flushes --- */

static int id_compare(FlushId a, FlushId b)
{
    if (a.milliseconds != b.milliseconds)
        return a.milliseconds < b.milliseconds ? -1 : 1;
    return (a.number > b.number) - (a.number < b.number);
}

/* Reads "1526919030474-55". */
static bool id_parse(const char *text, FlushId *id)
{
    const char *dash = text != NULL ? strchr(text, '-') : NULL;
    g_autofree char *head = dash != NULL ? g_strndup(text, (gsize)(dash - text)) : NULL;

    return head != NULL &&
           g_ascii_string_to_unsigned(head, 10, 0, G_MAXUINT64, &id->milliseconds, NULL) &&
           g_ascii_string_to_unsigned(dash + 1, 10, 0, G_MAXUINT64, &id->number, NULL);
}

static char *id_text(FlushId id)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, id.milliseconds, id.number);
}

/* With the lock held. */
static void note_flush(Fleet *fleet, const char *domain, FlushId id)
{
    FlushId *known;

    if (id_compare(id, fleet->last) > 0)
        fleet->last = id;
    if (*domain == '\0' || g_hash_table_size(fleet->flushed) >= FLUSHES_MAX) {
        if (id_compare(fleet->last, fleet->all) > 0)
            fleet->all = fleet->last;
        g_hash_table_remove_all(fleet->flushed);
        return;
    }
    known = g_hash_table_lookup(fleet->flushed, domain);
    if (known == NULL) {
        known = g_new0(FlushId, 1);
        g_hash_table_insert(fleet->flushed, g_strdup(domain), known);
    }
    if (id_compare(id, *known) > 0)
        *known = id;
}

/* Returns whether a flush of domain, of a domain above it or of all came after the one with id. */
static bool is_flushed_since(Fleet *fleet, const char *domain, FlushId id)
{
    bool is_flushed;

    pthread_mutex_lock(&fleet->lock);
    is_flushed = id_compare(fleet->all, id) > 0;
    while (!is_flushed && domain != NULL && g_hash_table_size(fleet->flushed) > 0) {
        const FlushId *known = g_hash_table_lookup(fleet->flushed, domain);

        is_flushed = known != NULL && id_compare(*known, id) > 0;
        domain = strchr(domain, '.');
        if (domain != NULL)
            domain++;
    }
    pthread_mutex_unlock(&fleet->lock);
    return is_flushed;
}

static FlushId last_flush(Fleet *fleet)
{
    FlushId last;

    pthread_mutex_lock(&fleet->lock);
    last = fleet->last;
    pthread_mutex_unlock(&fleet->lock);
    return last;
}

char *fleet_mark(Fleet *fleet)
{
    return id_text(last_flush(fleet));
}

/* Asks, and returns whether an answer came; the answers are of no interest. */
static bool is_answered(Fleet *fleet, FleetCommands *commands, Deadline deadline)
{
    g_autoptr(GPtrArray) answers = fleet_store_ask(fleet->store, commands, deadline);

    return answers != NULL;
}

/* Does a key of ours hold a value of another type than that? */
static bool is_poisoned(Fleet *fleet, const char *key, const char *type, Deadline deadline)
{
    FleetCommands *commands = fleet_commands_new();
    g_autoptr(GPtrArray) answers = NULL;
    const redisReply *found;

    fleet_commands_add(commands, "TYPE %s:%s", fleet_store_name(fleet->store), key);
    answers = fleet_store_ask(fleet->store, commands, deadline);
    found = answers != NULL ? fleet_answer_at(answers, 0) : NULL;
    return found != NULL && found->type == REDIS_REPLY_STATUS && strcmp(found->str, type) != 0;
}

/* Removes a key of ours that holds a value of another type: what is to be written there takes its
 * place. */
static bool remove_poisoned(Fleet *fleet, const char *key, Deadline deadline)
{
    FleetCommands *commands = fleet_commands_new();

    fleet_commands_add(commands, "DEL %s:%s", fleet_store_name(fleet->store), key);
    return is_answered(fleet, commands, deadline);
}

/* Puts value under this host's name into the hash key. Returns the answers, the last of which is the
 * writing's, or NULL; before it that of the value that stood there. */
static GPtrArray *put_own(Fleet *fleet, const char *key, const char *value, Deadline deadline)
{
    const char *name = fleet_store_name(fleet->store);

    for (int i = 0;; i++) {
        FleetCommands *commands = fleet_commands_new();
        g_autoptr(GPtrArray) answers = NULL;

        fleet_commands_add(commands, "HGET %s:%s %s", name, key, fleet->host);
        fleet_commands_add(commands, "HSET %s:%s %s %s", name, key, fleet->host, value);
        answers = fleet_store_ask(fleet->store, commands, deadline);
        if (answers == NULL || fleet_answer_at(answers, 1) != NULL)
            return g_steal_pointer(&answers);
        if (i > 0 || !remove_poisoned(fleet, key, deadline))
            return NULL;
    }
}

/* --- verdicts --- */

static char *verdict_key(const Fleet *fleet, const char *fingerprint, const char *domain,
                         const char *local_part)
{
    g_autofree char *hash = local_part != NULL ? fleet_digest(local_part) : NULL;

    return g_strconcat(fleet_store_name(fleet->store), ":verdict:1:", fingerprint, ":", domain,
                       hash != NULL ? ":" : NULL, hash, NULL);
}

/* Takes what stands in answer, if it is a verdict that counts now. */
static bool take_verdict(Fleet *fleet, const redisReply *answer, const char *domain,
                         FleetVerdict *verdict)
{
    FlushId after = {0, 0};

    if (!fleet_answer_is_text(answer) || !fleet_verdict_parse(answer->str, answer->len, verdict))
        return false;
    if (verdict->until > clock_wall(&clock_system) && id_parse(verdict->after, &after) &&
        !is_flushed_since(fleet, domain, after))
        return true;
    fleet_verdict_clear(verdict);
    return false;
}

bool fleet_verdict_get(Fleet *fleet, const char *fingerprint, const char *domain,
                       const char *local_part, Deadline deadline, FleetVerdict *verdict,
                       bool *is_per_address)
{
    g_autofree char *of_domain = verdict_key(fleet, fingerprint, domain, NULL);
    g_autofree char *of_address = verdict_key(fleet, fingerprint, domain, local_part);
    g_autoptr(GPtrArray) answers = NULL;
    FleetCommands *commands = fleet_commands_new();

    fleet_commands_add(commands, "GET %s", of_domain);
    fleet_commands_add(commands, "GET %s", of_address);
    answers = fleet_store_ask(fleet->store, commands, fleet_patience(fleet, deadline));
    if (answers == NULL)
        return false;
    *is_per_address = false;
    if (take_verdict(fleet, fleet_answer_at(answers, 0), domain, verdict))
        return true;
    *is_per_address = true;
    return take_verdict(fleet, fleet_answer_at(answers, 1), domain, verdict);
}

void fleet_verdict_put(Fleet *fleet, const char *fingerprint, const char *domain,
                       const char *local_part, const FleetVerdict *verdict)
{
    gint64 life = (verdict->until - clock_wall(&clock_system)) / CLOCK_MILLISECOND;
    g_autofree char *key = NULL;
    g_autofree char *text = NULL;
    FleetCommands *commands;

    if (life <= 0 || verdict->verdict->result == SPF_TEMPERROR)
        return;
    key = verdict_key(fleet, fingerprint, domain, local_part);
    text = fleet_verdict_text(verdict);
    commands = fleet_commands_new();
    fleet_commands_add(commands, "SET %s %s PX %lld", key, text, (long long)life);
    fleet_store_tell(fleet->store, commands);
}

/* id_wanted is "*", or an id that is greater than that of the stream's last entry. */
static bool add_entry(Fleet *fleet, const char *id_wanted, const char *what, Deadline deadline,
                      FlushId *id)
{
    FleetCommands *commands = fleet_commands_new();
    g_autoptr(GPtrArray) answers = NULL;

    fleet_commands_add(commands, "XADD %s:flush MAXLEN ~ %d %s domain %s host %s",
                       fleet_store_name(fleet->store), STREAM_MAX, id_wanted, what, fleet->host);
    answers = fleet_store_ask(fleet->store, commands, deadline);
    return answers != NULL && fleet_answer_is_text(fleet_answer_at(answers, 0)) &&
           id_parse(fleet_answer_at(answers, 0)->str, id);
}

/*
 * A store that was emptied, or another member, may have a clock that is behind: what it numbers would
 * be older than what the hosts know already, and nobody would see it. Then it goes once more, behind
 * that; if another host was faster, the stream's numbers are greater by now.
 */
static bool add_flush(Fleet *fleet, const char *what, Deadline deadline, FlushId *id)
{
    FlushId last = last_flush(fleet);
    const FlushId next = {last.milliseconds, last.number + 1};
    g_autofree char *wanted = id_text(next);

    if (!add_entry(fleet, "*", what, deadline, id))
        return false;
    return id_compare(*id, last) > 0 || add_entry(fleet, wanted, what, deadline, id) ||
           add_entry(fleet, "*", what, deadline, id);
}

bool fleet_flush(Fleet *fleet, const char *domain, Deadline deadline)
{
    const char *what = domain != NULL ? domain : "";
    FlushId id;

    if (!add_flush(fleet, what, deadline, &id) &&
        (!is_poisoned(fleet, "flush", "stream", deadline) ||
         !remove_poisoned(fleet, "flush", deadline) || !add_flush(fleet, what, deadline, &id)))
        return false;
    pthread_mutex_lock(&fleet->lock);
    note_flush(fleet, what, id);
    pthread_mutex_unlock(&fleet->lock);
    return true;
}

/* --- switches and signs of life --- */

bool fleet_switch_put(Fleet *fleet, const FleetSwitch *made, Deadline deadline)
{
    g_autofree char *text = fleet_switch_text(made);
    g_autoptr(GPtrArray) answers = put_own(fleet, "mode", text, deadline);

    return answers != NULL;
}

bool fleet_host_put(Fleet *fleet, const FleetHost *host, Deadline deadline, FleetHost **before)
{
    g_autofree char *text = fleet_host_text(host);
    g_autoptr(GPtrArray) answers = put_own(fleet, "hosts", text, deadline);
    const redisReply *found;

    *before = NULL;
    if (answers == NULL)
        return false;
    found = fleet_answer_at(answers, 0);
    if (fleet_answer_is_text(found))
        *before = fleet_host_parse(found->str, found->len);
    return true;
}

/* A time that no clock can have said would lock out all switches after it. */
static void take_switches(const redisReply *answer, FleetNews *news)
{
    for (size_t i = 0; i < fleet_answer_elements(answer); i++) {
        const redisReply *value = answer->element[i];
        FleetSwitch made;

        if (!fleet_answer_is_text(value) || !fleet_switch_parse(value->str, value->len, &made))
            continue;
        if (made.at > clock_wall(&clock_system) + AHEAD_MAX ||
            (news->has_switch && fleet_switch_compare(&made, &news->last) <= 0)) {
            fleet_switch_clear(&made);
            continue;
        }
        fleet_switch_clear(&news->last);
        news->last = made;
        news->has_switch = true;
    }
}

/* The value of a field of an entry: its fields and values stand one after the other. */
static const char *entry_field(const redisReply *entry, const char *name)
{
    const redisReply *fields = fleet_answer_elements(entry) == 2 ? entry->element[1] : NULL;

    for (size_t i = 0; i + 1 < fleet_answer_elements(fields); i += 2)
        if (fleet_answer_is_text(fields->element[i]) &&
            fleet_answer_is_text(fields->element[i + 1]) &&
            strcmp(fields->element[i]->str, name) == 0)
            return fields->element[i + 1]->str;
    return NULL;
}

/* Notes the flushes in answer, and tells those of other hosts, unless they are of the past. */
static void take_flushes(Fleet *fleet, const redisReply *answer, FleetNews *news)
{
    for (size_t i = 0; i < fleet_answer_elements(answer); i++) {
        const redisReply *entry = answer->element[i];
        const char *domain = entry_field(entry, "domain");
        const char *host = entry_field(entry, "host");
        FlushId id;

        if (domain == NULL || strlen(domain) > DOMAIN_MAX ||
            !fleet_answer_is_text(entry->element[0]) || !id_parse(entry->element[0]->str, &id))
            continue;
        if (fleet->was_polled && g_strcmp0(host, fleet->host) != 0)
            g_ptr_array_add(news->flushed, g_strdup(domain));
        note_flush(fleet, domain, id);
        if (id_compare(id, fleet->polled) > 0)
            fleet->polled = id;
    }
    fleet->was_polled = true;
}

bool fleet_poll(Fleet *fleet, FleetNews *news, Deadline deadline)
{
    FleetCommands *commands = fleet_commands_new();
    g_autofree char *mark = id_text(fleet->polled); /* only this thread changes it */
    g_autoptr(GPtrArray) answers = NULL;

    *news = (FleetNews){.flushed = g_ptr_array_new_with_free_func(g_free)};
    fleet_commands_add(commands, "HVALS %s:mode", fleet_store_name(fleet->store));
    fleet_commands_add(commands, "XRANGE %s:flush (%s + COUNT %d", fleet_store_name(fleet->store),
                       mark, 2 * STREAM_MAX);
    answers = fleet_store_ask(fleet->store, commands, deadline);
    if (answers == NULL)
        return false;
    take_switches(fleet_answer_at(answers, 0), news);
    pthread_mutex_lock(&fleet->lock);
    take_flushes(fleet, fleet_answer_at(answers, 1), news);
    pthread_mutex_unlock(&fleet->lock);
    return true;
}

void fleet_news_clear(FleetNews *news)
{
    fleet_switch_clear(&news->last);
    g_clear_pointer(&news->flushed, g_ptr_array_unref);
}

static int compare_hosts(gconstpointer a, gconstpointer b)
{
    const FleetHost *const *one = a;
    const FleetHost *const *other = b;

    return strcmp((*one)->host, (*other)->host);
}

static void free_host(gpointer host)
{
    fleet_host_free(host);
}

GPtrArray *fleet_hosts(Fleet *fleet, Deadline deadline)
{
    FleetCommands *commands = fleet_commands_new();
    g_autoptr(GPtrArray) hosts = g_ptr_array_new_with_free_func(free_host);
    g_autoptr(GPtrArray) answers = NULL;
    const redisReply *values;

    fleet_commands_add(commands, "HGETALL %s:hosts", fleet_store_name(fleet->store));
    answers = fleet_store_ask(fleet->store, commands, deadline);
    if (answers == NULL)
        return NULL;
    values = fleet_answer_at(answers, 0);
    for (size_t i = 0; i + 1 < fleet_answer_elements(values) && hosts->len < HOSTS_MAX; i += 2) {
        const redisReply *name = values->element[i];
        const redisReply *value = values->element[i + 1];
        g_autoptr(FleetHost) host = fleet_answer_is_text(name) && fleet_answer_is_text(value)
                                        ? fleet_host_parse(value->str, value->len)
                                        : NULL;

        if (host != NULL && strcmp(host->host, name->str) == 0)
            g_ptr_array_add(hosts, g_steal_pointer(&host));
    }
    g_ptr_array_sort(hosts, compare_hosts);
    return g_steal_pointer(&hosts);
}

bool fleet_forget(Fleet *fleet, const char *host, Deadline deadline)
{
    /* Nobody waits for return addresses that it may not have told. */
    const FleetReturnHost last = {
        .seen = clock_wall(&clock_system), .is_whole = true, .is_stopped = true};
    g_autofree char *gone = fleet_return_host_text(&last);
    FleetCommands *commands = fleet_commands_new();

    fleet_commands_add(commands, "HDEL %s:hosts %s", fleet_store_name(fleet->store), host);
    fleet_commands_add(commands, "HDEL %s:mode %s", fleet_store_name(fleet->store), host);
    fleet_commands_add(commands, "HSET %s:returns %s %s", fleet_store_name(fleet->store), host,
                       gone);
    return is_answered(fleet, commands, deadline);
}

/* --- the whole --- */

Fleet *fleet_new(Settings *settings)
{
    const FleetStoreOptions options = {.members = settings->fleet,
                                       .host = settings->hostname,
                                       .name = settings->fleet_name,
                                       .ca = settings->fleet_ca,
                                       .password_file = settings->fleet_password_file,
                                       .timeout = settings->fleet_timeout};
    FleetStore *store = settings->fleet->len > 0 ? fleet_store_new(&options) : NULL;
    Fleet *fleet;

    if (store == NULL)
        return NULL;
    fleet = g_new0(Fleet, 1);
    fleet->refs = 1;
    fleet->store = store;
    fleet->host = g_strdup(settings->hostname);
    fleet->timeout = settings->fleet_timeout;
    pthread_mutex_init(&fleet->lock, NULL);
    fleet->flushed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return fleet;
}

Fleet *fleet_ref(Fleet *fleet)
{
    g_atomic_int_inc(&fleet->refs);
    return fleet;
}

void fleet_unref(Fleet *fleet)
{
    if (fleet == NULL || !g_atomic_int_dec_and_test(&fleet->refs))
        return;
    fleet_store_free(fleet->store);
    pthread_mutex_destroy(&fleet->lock);
    g_hash_table_unref(fleet->flushed);
    g_free(fleet->host);
    g_free(fleet);
}

FleetStore *fleet_store(Fleet *fleet)
{
    return fleet->store;
}

Deadline fleet_patience(const Fleet *fleet, Deadline deadline)
{
    return MIN(deadline, clock_monotonic(&clock_system) + fleet->timeout * CLOCK_MILLISECOND);
}
