#include "config.h"

#include "fleet/fleet_store.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fleet/fleet_connection.h"
#include "fleet/fleet_password.h"

#define QUEUE_MAX 4096                 /* commands that wait */
#define BATCH_MAX 1024                 /* commands sent in one go */
#define CONNECT_TIMEOUT 2              /* seconds, for one member */
#define PATIENCE 3                     /* failures in a row after which it is left alone … */
#define FIRST_PAUSE CLOCK_SECOND       /* … for so long, doubled each time … */
#define DOUBLINGS 5                    /* … but so often only … */
#define LAST_PAUSE (30 * CLOCK_SECOND) /* … and up to this */
#define PROBE_LIFE 60000               /* milliseconds that the key of the probe lives */
#define STEADY (60 * CLOCK_SECOND) /* without a refusal, after which earlier ones are forgotten */

const double fleet_seconds_bounds[FLEET_SECONDS_BUCKETS - 1] = {0.0005, 0.001, 0.002, 0.005,
                                                                0.01,   0.025, 0.05,  0.1};

struct FleetCommands {
    GString *octets;
    guint count;
};

/* Commands of one caller under way. */
typedef struct {
    gint refs; /* the caller's, if he waits, and the queue's */
    FleetCommands *commands;
    GPtrArray *answers; /* NULL until all are there */
    bool is_over;
} Request;

struct FleetStore {
    GPtrArray *members;
    char *host;
    char *name;
    char *ca;
    char *password_file;
    gint64 timeout; /* microseconds */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t queued;  /* something waits, or it is to stop */
    pthread_cond_t changed; /* a request is over, or the store is there */
    GQueue queue;           /* of Request */
    guint waiting;          /* commands in it */
    bool is_stopping;
    FleetStoreState state;
    /* The thread's own. */
    guint member; /* position of the one that is used, or tried next */
    FleetConnection *connection;
    guint failures; /* in a row: of tries to connect and of exchanges */
    /* How often it refused a command after it had taken the probe, as one does whose ACL lacks a
     * command: what it does not refuse must not hide that. */
    guint refusals;
    gint64 up_at; /* monotonic; when the connection was made */
    char *told;   /* the trouble in the log; NULL: there it is in use, or nothing yet */
};

const char *fleet_outcome_text(FleetOutcome outcome)
{
    static const char *const texts[FLEET_OUTCOMES] = {"ok", "timeout", "error", "skipped"};

    return texts[outcome];
}

/* --- commands --- */

FleetCommands *fleet_commands_new(void)
{
    FleetCommands *commands = g_new0(FleetCommands, 1);

    commands->octets = g_string_new(NULL);
    return commands;
}

void fleet_commands_add(FleetCommands *commands, const char *format, ...)
{
    char *octets = NULL;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = redisvFormatCommand(&octets, format, arguments);
    va_end(arguments);
    if (length < 0)
        g_error("\"%s\" is no command, or there is no memory", format);
    g_string_append_len(commands->octets, octets, length);
    redisFreeCommand(octets);
    commands->count++;
}

void fleet_commands_free(FleetCommands *commands)
{
    if (commands == NULL)
        return;
    g_string_free(commands->octets, TRUE);
    g_free(commands);
}

static void answer_free(gpointer answer)
{
    if (answer != NULL)
        freeReplyObject(answer);
}

static GPtrArray *answers_new(void)
{
    return g_ptr_array_new_with_free_func(answer_free);
}

/* --- requests --- */

static void request_unref(Request *request)
{
    if (!g_atomic_int_dec_and_test(&request->refs))
        return;
    fleet_commands_free(request->commands);
    g_clear_pointer(&request->answers, g_ptr_array_unref);
    g_free(request);
}

/* With the lock held. Takes answers, which may be NULL, and the queue's reference. */
static void request_end(FleetStore *store, Request *request, GPtrArray *answers,
                        FleetOutcome outcome)
{
    store->state.requests[outcome]++;
    request->answers = answers;
    request->is_over = true;
    pthread_cond_broadcast(&store->changed);
    request_unref(request);
}

static void end_all(FleetStore *store, FleetOutcome outcome)
{
    Request *request;

    while ((request = g_queue_pop_head(&store->queue)) != NULL)
        request_end(store, request, NULL, outcome);
    store->waiting = 0;
}

/* Takes commands. Returns the request with refs references, or NULL if nobody is asked now. */
static Request *enqueue(FleetStore *store, FleetCommands *commands, gint refs)
{
    Request *request = NULL;

    if (store->state.is_up && store->waiting + commands->count <= QUEUE_MAX) {
        request = g_new0(Request, 1);
        request->refs = refs;
        request->commands = commands;
        store->waiting += commands->count;
        g_queue_push_tail(&store->queue, request);
        pthread_cond_signal(&store->queued);
        return request;
    }
    store->state.requests[FLEET_OUTCOME_SKIPPED]++;
    fleet_commands_free(commands);
    return NULL;
}

GPtrArray *fleet_store_ask(FleetStore *store, FleetCommands *commands, Deadline deadline)
{
    GPtrArray *answers = NULL;
    Request *request;

    pthread_mutex_lock(&store->lock);
    request = enqueue(store, commands, 2);
    if (request != NULL) {
        while (!request->is_over && deadline_wait(deadline, &store->changed, &store->lock))
            ;
        answers = g_steal_pointer(&request->answers);
    }
    pthread_mutex_unlock(&store->lock);
    if (request != NULL)
        request_unref(request);
    return answers;
}

const redisReply *fleet_answer_at(const GPtrArray *answers, guint position)
{
    return g_ptr_array_index(answers, position);
}

bool fleet_answer_is_text(const redisReply *answer)
{
    return answer != NULL && answer->type == REDIS_REPLY_STRING;
}

size_t fleet_answer_elements(const redisReply *answer)
{
    return answer != NULL && answer->type == REDIS_REPLY_ARRAY ? answer->elements : 0;
}

bool fleet_store_tell(FleetStore *store, FleetCommands *commands)
{
    bool is_queued;

    pthread_mutex_lock(&store->lock);
    is_queued = enqueue(store, commands, 1) != NULL;
    pthread_mutex_unlock(&store->lock);
    return is_queued;
}

bool fleet_store_wait(FleetStore *store, Deadline deadline)
{
    bool is_up;

    pthread_mutex_lock(&store->lock);
    while (!store->state.is_up && deadline_wait(deadline, &store->changed, &store->lock))
        ;
    is_up = store->state.is_up;
    pthread_mutex_unlock(&store->lock);
    return is_up;
}

/* --- up and down --- */

static const char *member_text(const FleetStore *store)
{
    return ((const FleetMember *)g_ptr_array_index(store->members, store->member))->text;
}

/* With the lock held. */
static void set_down(FleetStore *store, const char *trouble)
{
    if (store->state.is_up)
        store->state.since = clock_wall(&clock_system);
    store->state.is_up = false;
    g_free(store->state.trouble);
    store->state.trouble = g_strdup(trouble);
    end_all(store, FLEET_OUTCOME_ERROR);
}

/*
 * Errors are logged once per change, and for each other reason. The requests of batch (NULL: none)
 * end with outcome in the same moment: once a caller has no answer, nobody asks any more.
 */
static void go_down(FleetStore *store, const char *trouble, GPtrArray *batch, FleetOutcome outcome)
{
    bool is_news = g_strcmp0(store->told, trouble) != 0;

    g_clear_pointer(&store->connection, fleet_connection_free);
    store->failures++;
    pthread_mutex_lock(&store->lock);
    for (guint i = 0; batch != NULL && i < batch->len; i++)
        request_end(store, g_ptr_array_index(batch, i), NULL, outcome);
    set_down(store, trouble);
    pthread_mutex_unlock(&store->lock);
    if (!is_news)
        return;
    g_free(store->told);
    store->told = g_strdup(trouble);
    log_write(LOG_WARNING, "fleet: the store can't be used: %s; mail goes on without it", trouble);
}

static void tell_up(FleetStore *store)
{
    g_clear_pointer(&store->told, g_free);
    log_write(LOG_NOTICE, "fleet: the store at %s is used", member_text(store));
}

static void go_up(FleetStore *store)
{
    bool was_down;

    pthread_mutex_lock(&store->lock);
    was_down = !store->state.is_up;
    if (was_down)
        store->state.since = clock_wall(&clock_system);
    store->state.is_up = true;
    g_free(store->state.member);
    store->state.member = g_strdup(member_text(store));
    g_clear_pointer(&store->state.trouble, g_free);
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
    store->up_at = clock_monotonic(&clock_system);
    if (was_down && store->refusals < PATIENCE)
        tell_up(store);
}

static void note_success(FleetStore *store)
{
    bool is_untold = store->refusals >= PATIENCE;

    store->failures = 0;
    if (store->refusals == 0 || clock_monotonic(&clock_system) - store->up_at < STEADY)
        return;
    store->refusals = 0;
    if (is_untold)
        tell_up(store);
}

/*
 * Returns whether an error is the key's and not the store's: a value of another type, or a command
 * that does not fit what is there.
 */
static bool is_of_key(const redisReply *answer)
{
    return g_str_has_prefix(answer->str, "WRONGTYPE ") || g_str_has_prefix(answer->str, "ERR ");
}

/*
 * Takes errors out of answers: those of a key become NULL. Returns the first one that is the store's
 * (read-only, full, no password …); NULL if there is none.
 */
static const char *sift(GPtrArray *answers)
{
    for (guint i = 0; i < answers->len; i++) {
        const redisReply *answer = g_ptr_array_index(answers, i);

        if (answer->type != REDIS_REPLY_ERROR)
            continue;
        if (!is_of_key(answer))
            return answer->str;
        answer_free(answers->pdata[i]);
        answers->pdata[i] = NULL;
    }
    return NULL;
}

/* --- the first words on a connection --- */

/* Sends one set of commands; returns their answers, or NULL with error set if one is an error. */
static GPtrArray *say(FleetStore *store, FleetCommands *commands, Deadline deadline, GError **error)
{
    g_autoptr(FleetCommands) taken = commands;
    g_autoptr(GPtrArray) answers = answers_new();

    if (!fleet_connection_exchange(store->connection, taken->octets, taken->count, answers,
                                   deadline, error))
        return NULL;
    for (guint i = 0; i < answers->len; i++) {
        const redisReply *answer = g_ptr_array_index(answers, i);

        if (answer->type != REDIS_REPLY_ERROR)
            continue;
        g_set_error_literal(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_PROTOCOL,
                            answer->str);
        return NULL;
    }
    return g_steal_pointer(&answers);
}

static bool log_in(FleetStore *store, const FleetMember *member, Deadline deadline, GError **error)
{
    FleetCommands *commands = fleet_commands_new();
    g_autoptr(GPtrArray) answers = NULL;

    if (store->password_file != NULL) {
        g_autofree char *password = fleet_password_read(store->password_file, error);

        if (password == NULL) {
            fleet_commands_free(commands);
            return false;
        }
        if (member->user != NULL)
            fleet_commands_add(commands, "AUTH %s %s", member->user, password);
        else
            fleet_commands_add(commands, "AUTH %s", password);
    }
    fleet_commands_add(commands, "SELECT %u", member->database);
    answers = say(store, commands, deadline, error);
    return answers != NULL;
}

/* Of several members only the master is of use: on the others nothing can be written. */
static bool is_master(FleetStore *store, Deadline deadline, GError **error)
{
    FleetCommands *commands = fleet_commands_new();
    g_autoptr(GPtrArray) answers = NULL;
    const redisReply *role;

    fleet_commands_add(commands, "ROLE");
    answers = say(store, commands, deadline, error);
    if (answers == NULL)
        return false;
    role = g_ptr_array_index(answers, 0);
    if (role->type == REDIS_REPLY_ARRAY && role->elements > 0 &&
        g_strcmp0(role->element[0]->str, "master") == 0)
        return true;
    g_set_error_literal(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_CONNECT,
                        "it is a replica, and no master is among the members");
    return false;
}

/* Writes and reads a key of this host's own. */
static bool probe(FleetStore *store, Deadline deadline, GError **error)
{
    FleetCommands *commands = fleet_commands_new();
    g_autofree char *value = g_strdup_printf("%08x", g_random_int());
    g_autoptr(GPtrArray) answers = NULL;
    const redisReply *found;

    fleet_commands_add(commands, "SET %s:probe:%s %s PX %d", store->name, store->host, value,
                       PROBE_LIFE);
    fleet_commands_add(commands, "GET %s:probe:%s", store->name, store->host);
    answers = say(store, commands, deadline, error);
    if (answers == NULL)
        return false;
    found = g_ptr_array_index(answers, 1);
    if (found->type == REDIS_REPLY_STRING && strcmp(found->str, value) == 0)
        return true;
    g_set_error_literal(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_PROTOCOL,
                        "it does not keep what is written");
    return false;
}

/* Tries one member. */
static bool try_member(FleetStore *store, GError **error)
{
    const FleetMember *member = g_ptr_array_index(store->members, store->member);
    Deadline deadline = deadline_in(CONNECT_TIMEOUT);

    store->connection = fleet_connection_new(member, store->ca, deadline, error);
    if (store->connection == NULL)
        return false;
    if (log_in(store, member, deadline, error) && is_master(store, deadline, error)) {
        /* It has to be as fast as it is to be for a message. */
        deadline = MIN(deadline, clock_monotonic(&clock_system) + store->timeout);
        if (probe(store, deadline, error))
            return true;
    }
    g_clear_pointer(&store->connection, fleet_connection_free);
    return false;
}

/* Tries each member, the one used last first. */
static void connect_to_master(FleetStore *store)
{
    g_autoptr(GString) trouble = g_string_new(NULL);

    for (guint i = 0; i < store->members->len; i++) {
        g_autoptr(GError) error = NULL;

        if (try_member(store, &error)) {
            go_up(store);
            return;
        }
        g_string_append_printf(trouble, "%s%s: %s", trouble->len > 0 ? "; " : "",
                               member_text(store), error->message);
        store->member = (store->member + 1) % store->members->len;
    }
    go_down(store, trouble->str, NULL, FLEET_OUTCOME_ERROR);
}

/* --- the thread --- */

/* With the lock held. Takes requests off the queue, but leaves those behind that are too many. */
static GPtrArray *take_batch(FleetStore *store)
{
    GPtrArray *batch = g_ptr_array_new();
    guint count = 0;

    while (!g_queue_is_empty(&store->queue)) {
        Request *request = g_queue_peek_head(&store->queue);

        if (count > 0 && count + request->commands->count > BATCH_MAX)
            break;
        count += request->commands->count;
        g_ptr_array_add(batch, g_queue_pop_head(&store->queue));
    }
    store->waiting -= count;
    return batch;
}

static void note_time(FleetStoreState *state, gint64 duration)
{
    guint bucket = 0;

    while (bucket < FLEET_SECONDS_BUCKETS - 1 &&
           (double)duration / (double)CLOCK_SECOND > fleet_seconds_bounds[bucket])
        bucket++;
    state->seconds[bucket]++;
    state->seconds_sum += duration;
    state->round_trip = duration;
}

/* Gives each request its part of answers. */
static void end_batch(FleetStore *store, GPtrArray *batch, GPtrArray *answers, gint64 duration)
{
    guint position = 0;

    pthread_mutex_lock(&store->lock);
    note_time(&store->state, duration);
    for (guint i = 0; i < batch->len; i++) {
        Request *request = g_ptr_array_index(batch, i);
        GPtrArray *own = answers_new();

        for (guint j = 0; j < request->commands->count; j++)
            g_ptr_array_add(own, g_steal_pointer(&answers->pdata[position++]));
        request_end(store, request, own, FLEET_OUTCOME_OK);
    }
    pthread_mutex_unlock(&store->lock);
}

static void serve_batch(FleetStore *store, GPtrArray *batch)
{
    g_autoptr(GString) octets = g_string_new(NULL);
    g_autoptr(GPtrArray) answers = answers_new();
    g_autoptr(GError) error = NULL;
    gint64 begin = clock_monotonic(&clock_system);
    guint count = 0;
    const char *trouble;

    for (guint i = 0; i < batch->len; i++) {
        const FleetCommands *commands = ((const Request *)g_ptr_array_index(batch, i))->commands;

        g_string_append_len(octets, commands->octets->str, (gssize)commands->octets->len);
        count += commands->count;
    }
    if (!fleet_connection_exchange(store->connection, octets, count, answers,
                                   begin + store->timeout, &error)) {
        bool is_late =
            g_error_matches(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_TIMEOUT);
        g_autofree char *text = g_strdup_printf("%s: %s", member_text(store), error->message);

        go_down(store, text, batch, is_late ? FLEET_OUTCOME_TIMEOUT : FLEET_OUTCOME_ERROR);
        return;
    }
    trouble = sift(answers);
    if (trouble != NULL) {
        g_autofree char *text = g_strdup_printf("%s: %s", member_text(store), trouble);

        store->refusals++;
        go_down(store, text, batch, FLEET_OUTCOME_ERROR);
        return;
    }
    note_success(store);
    end_batch(store, batch, answers, clock_monotonic(&clock_system) - begin);
}

/* With the lock held. Waits before the next try; it is not held meanwhile. */
static void pause_before_try(FleetStore *store)
{
    guint count = MAX(store->failures, store->refusals);
    guint over = count < PATIENCE ? 0 : MIN(count - PATIENCE, DOUBLINGS);
    gint64 pause = count < PATIENCE ? 0 : MIN(FIRST_PAUSE << over, LAST_PAUSE);
    Deadline end = clock_monotonic(&clock_system) + pause;

    while (!store->is_stopping && pause > 0 && deadline_wait(end, &store->queued, &store->lock))
        ;
}

static void *run(void *data)
{
    FleetStore *store = data;

    pthread_mutex_lock(&store->lock);
    while (!store->is_stopping || (store->state.is_up && !g_queue_is_empty(&store->queue))) {
        if (store->connection == NULL) {
            pause_before_try(store);
            if (store->is_stopping)
                break;
            pthread_mutex_unlock(&store->lock);
            connect_to_master(store);
            pthread_mutex_lock(&store->lock);
        } else if (g_queue_is_empty(&store->queue)) {
            pthread_cond_wait(&store->queued, &store->lock);
        } else {
            g_autoptr(GPtrArray) batch = take_batch(store);

            pthread_mutex_unlock(&store->lock);
            serve_batch(store, batch);
            pthread_mutex_lock(&store->lock);
        }
    }
    end_all(store, FLEET_OUTCOME_SKIPPED);
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

/* --- the whole --- */

static void member_free(gpointer member)
{
    fleet_member_free(member);
}

FleetStore *fleet_store_new(const FleetStoreOptions *options)
{
    FleetStore *store = g_new0(FleetStore, 1);

    store->members = g_ptr_array_new_with_free_func(member_free);
    for (guint i = 0; i < options->members->len; i++)
        g_ptr_array_add(store->members, fleet_member_copy(g_ptr_array_index(options->members, i)));
    store->host = g_strdup(options->host);
    store->name = g_strdup(options->name);
    store->ca = g_strdup(options->ca);
    store->password_file = g_strdup(options->password_file);
    store->timeout = options->timeout * CLOCK_MILLISECOND;
    store->state.member = g_strdup("");
    store->state.since = clock_wall(&clock_system);
    store->state.round_trip = -1;
    g_queue_init(&store->queue);
    pthread_mutex_init(&store->lock, NULL);
    deadline_init_condition(&store->queued);
    deadline_init_condition(&store->changed);
    if (pthread_create(&store->thread, NULL, run, store) == 0)
        return store;
    store->thread = pthread_self();
    fleet_store_free(store);
    return NULL;
}

void fleet_store_free(FleetStore *store)
{
    if (store == NULL)
        return;
    pthread_mutex_lock(&store->lock);
    store->is_stopping = true;
    pthread_cond_broadcast(&store->queued);
    pthread_mutex_unlock(&store->lock);
    if (!pthread_equal(store->thread, pthread_self()))
        pthread_join(store->thread, NULL);
    fleet_connection_free(store->connection);
    fleet_store_state_clear(&store->state);
    pthread_cond_destroy(&store->queued);
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->lock);
    g_ptr_array_unref(store->members);
    g_free(store->host);
    g_free(store->name);
    g_free(store->ca);
    g_free(store->password_file);
    g_free(store->told);
    g_free(store);
}

const char *fleet_store_name(const FleetStore *store)
{
    return store->name;
}

void fleet_store_state(FleetStore *store, FleetStoreState *state)
{
    pthread_mutex_lock(&store->lock);
    *state = store->state;
    state->member = g_strdup(store->state.member);
    state->trouble = g_strdup(store->state.trouble);
    pthread_mutex_unlock(&store->lock);
}

void fleet_store_state_clear(FleetStoreState *state)
{
    g_clear_pointer(&state->member, g_free);
    g_clear_pointer(&state->trouble, g_free);
}
