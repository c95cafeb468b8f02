#include "config.h"

#include "control/control_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

const ControlLimits control_limits = {
    .clients = 1000, .line = 8192, .line_time = 10 * CLOCK_SECOND, .idle_time = 60 * CLOCK_SECOND};

#define PAUSE CLOCK_SECOND /* after accept() found no descriptor or no memory */
#define POLL_MAX 60000     /* milliseconds */

enum { POLL_WAKE, POLL_LISTEN, POLL_FIRST };

typedef struct {
    guint64 client;
    char *text;
} Answer;

struct ControlServer {
    int fd;
    ControlLimits limits;
    ControlHandler handler;
    pthread_t thread;

    /* The server's thread alone: */
    GPtrArray *connections; /* of ControlConnection, the oldest first */
    guint64 last_id;
    gint64 paused_until; /* monotonic */

    int wake[2]; /* a pipe; neither end blocks */

    pthread_mutex_t lock; /* guards what follows */
    GQueue answers;       /* of Answer */
    bool is_stopping;
};

static const char no_memory[] =
    "{\"ok\":false,\"error\":\"the daemon has no memory for an answer\"}";

json_t *control_server_refusal(const char *what)
{
    g_autofree char *valid = g_utf8_make_valid(what, -1); /* the name of a file may be anything */
    json_t *answer = json_object();

    json_object_set_new(answer, "ok", json_false());
    json_object_set_new(answer, "error", json_string(valid));
    return answer;
}

static char *text_of(const json_t *json)
{
    char *dumped = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    char *text = g_strdup(dumped != NULL ? dumped : no_memory);

    free(dumped); /* jansson's */
    return text;
}

static void wake(ControlServer *server)
{
    if (write(server->wake[1], "", 1) < 0)
        return; /* the pipe is full: it is awake */
}

void control_server_answer(const ControlCaller *caller, json_t *json)
{
    ControlServer *server = caller->server;
    Answer *answer = g_new(Answer, 1);
    bool is_taken;

    *answer = (Answer){caller->client, text_of(json)};
    json_decref(json);
    pthread_mutex_lock(&server->lock);
    is_taken = !server->is_stopping;
    if (is_taken) {
        g_queue_push_tail(&server->answers, answer);
        wake(server);
    }
    pthread_mutex_unlock(&server->lock);
    if (is_taken)
        return;
    g_free(answer->text);
    g_free(answer);
}

static void say_refusal(ControlConnection *connection, const char *what)
{
    json_t *json = control_server_refusal(what);
    g_autofree char *text = text_of(json);

    json_decref(json);
    control_connection_say(connection, text);
}

static void refuse_overlong(const ControlServer *server, ControlConnection *connection)
{
    g_autofree char *what =
        g_strdup_printf("a line has at most %" G_GSIZE_FORMAT " octets", server->limits.line);

    say_refusal(connection, what);
}

/* Begins with the next line of connection, if it is time for one. */
static void go_on(ControlServer *server, ControlConnection *connection)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const ControlCaller caller = {server, connection->id, connection->uid};

    switch (control_connection_take(connection, line)) {
    case CONTROL_CONNECTION_NONE:
        return;
    case CONTROL_CONNECTION_LINE:
        server->handler(&caller, line->str, line->len);
        return;
    case CONTROL_CONNECTION_OVERLONG:
        refuse_overlong(server, connection);
        return;
    }
}

static void drop(ControlServer *server, ControlConnection *connection)
{
    g_ptr_array_remove(server->connections, connection);
}

/* Says why, as far as that can be sent at once, and closes. */
static void dismiss(ControlServer *server, ControlConnection *connection, const char *why)
{
    if (connection->output->len == 0) {
        say_refusal(connection, why);
        control_connection_write(connection);
    }
    drop(server, connection);
}

static void tend(ControlServer *server, ControlConnection *connection, short events)
{
    bool is_whole = true;

    if ((events & POLLOUT) != 0)
        is_whole = control_connection_write(connection);
    else if ((events & POLLIN) != 0)
        is_whole = control_connection_read(connection);
    else if ((events & (POLLHUP | POLLERR | POLLNVAL)) != 0)
        is_whole = false;
    if (is_whole)
        go_on(server, connection);
    if (!is_whole || control_connection_is_done(connection))
        drop(server, connection);
}

static ControlConnection *find(ControlServer *server, guint64 client)
{
    for (guint i = 0; i < server->connections->len; i++) {
        ControlConnection *connection = g_ptr_array_index(server->connections, i);

        if (connection->id == client)
            return connection;
    }
    return NULL;
}

/* Returns the next answer, or NULL. Sets whether it is time to stop. */
static Answer *next_answer(ControlServer *server, bool *is_stopping)
{
    pthread_mutex_lock(&server->lock);
    Answer *answer = g_queue_pop_head(&server->answers);
    *is_stopping = server->is_stopping;
    pthread_mutex_unlock(&server->lock);
    return answer;
}

static void give_answer(ControlServer *server, const Answer *answer)
{
    ControlConnection *connection = find(server, answer->client);

    if (connection == NULL)
        return;
    control_connection_say(connection, answer->text);
    tend(server, connection, POLLOUT);
}

/* Returns whether it is time to stop. */
static bool give_answers(ControlServer *server)
{
    char octets[256];
    bool is_stopping;
    Answer *answer;

    while (read(server->wake[0], octets, sizeof octets) > 0)
        continue;
    while ((answer = next_answer(server, &is_stopping)) != NULL) {
        give_answer(server, answer);
        g_free(answer->text);
        g_free(answer);
    }
    return is_stopping;
}

/* Closes the connection that has been silent longest, to make room. */
static void evict(ControlServer *server)
{
    ControlConnection *silent = NULL;

    for (guint i = 0; i < server->connections->len; i++) {
        ControlConnection *connection = g_ptr_array_index(server->connections, i);

        if (!connection->is_waiting && (silent == NULL || connection->deadline < silent->deadline))
            silent = connection;
    }
    if (silent != NULL)
        dismiss(server, silent, "too many connections; the one that was silent longest is closed");
}

static void add(ControlServer *server, int fd)
{
    if (server->connections->len >= server->limits.clients)
        evict(server);
    if (server->connections->len >= server->limits.clients) {
        close(fd);
        return;
    }
    g_ptr_array_add(server->connections,
                    control_connection_new(++server->last_id, fd, &server->limits));
}

static void accept_all(ControlServer *server)
{
    int fd;

    while ((fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        add(server, fd);
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
        return;
    log_write(LOG_WARNING, "control socket: no connection can be taken now: %s", g_strerror(errno));
    server->paused_until = clock_monotonic(&clock_system) + PAUSE;
}

/* Closes connections whose time is over. */
static void close_overdue(ControlServer *server)
{
    gint64 now = clock_monotonic(&clock_system);

    for (guint i = server->connections->len; i-- > 0;) {
        ControlConnection *connection = g_ptr_array_index(server->connections, i);

        if (connection->is_waiting || connection->deadline > now)
            continue;
        dismiss(server, connection,
                control_connection_has_part(connection)
                    ? "no whole line came in time; a line ends with LF"
                    : "no command came for a while");
    }
}

/* Milliseconds until there is something to do without an event. */
static int poll_time(const ControlServer *server)
{
    gint64 now = clock_monotonic(&clock_system);
    gint64 next = now + POLL_MAX * CLOCK_MILLISECOND;

    if (server->paused_until > now)
        next = MIN(next, server->paused_until);
    for (guint i = 0; i < server->connections->len; i++) {
        const ControlConnection *connection = g_ptr_array_index(server->connections, i);

        if (!connection->is_waiting)
            next = MIN(next, connection->deadline);
    }
    return (int)((MAX(next - now, 0) + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND);
}

static void fill(const ControlServer *server, GArray *polled)
{
    bool is_paused = server->paused_until > clock_monotonic(&clock_system);
    const struct pollfd first[] = {
        [POLL_WAKE] = {.fd = server->wake[0], .events = POLLIN},
        [POLL_LISTEN] = {.fd = is_paused ? -1 : server->fd, .events = POLLIN},
    };

    g_array_set_size(polled, 0);
    g_array_append_vals(polled, first, G_N_ELEMENTS(first));
    for (guint i = 0; i < server->connections->len; i++) {
        const ControlConnection *connection = g_ptr_array_index(server->connections, i);
        const struct pollfd entry = {.fd = connection->fd,
                                     .events = control_connection_events(connection)};

        g_array_append_val(polled, entry);
    }
}

/* Tends those that have events. From the last to the first: dropping one moves those behind it. */
static void tend_all(ControlServer *server, const GArray *polled)
{
    for (guint i = server->connections->len; i-- > 0;) {
        short events = g_array_index(polled, struct pollfd, POLL_FIRST + i).revents;

        if (events != 0)
            tend(server, g_ptr_array_index(server->connections, i), events);
    }
}

/* Returns false if it is time to stop. */
static bool run_once(ControlServer *server, GArray *polled)
{
    fill(server, polled);
    if (poll((struct pollfd *)(void *)polled->data, polled->len, poll_time(server)) > 0) {
        tend_all(server, polled);
        if (g_array_index(polled, struct pollfd, POLL_LISTEN).revents != 0)
            accept_all(server);
    }
    close_overdue(server);
    return !give_answers(server);
}

static void *run(void *data)
{
    ControlServer *server = data;
    g_autoptr(GArray) polled = g_array_new(FALSE, FALSE, sizeof(struct pollfd));

    pthread_setname_np(pthread_self(), "spfrom-control");
    while (run_once(server, polled))
        continue;
    return NULL;
}

static void server_free(ControlServer *server)
{
    pthread_mutex_destroy(&server->lock);
    g_ptr_array_unref(server->connections);
    g_free(server);
}

ControlServer *control_server_start(int fd, const ControlLimits *limits, ControlHandler handler)
{
    ControlServer *server = g_new0(ControlServer, 1);

    server->fd = fd;
    server->limits = *limits;
    server->handler = handler;
    server->connections = g_ptr_array_new_with_free_func((GDestroyNotify)control_connection_free);
    pthread_mutex_init(&server->lock, NULL);
    g_queue_init(&server->answers);
    if (pipe2(server->wake, O_CLOEXEC | O_NONBLOCK) == 0) {
        if (pthread_create(&server->thread, NULL, run, server) == 0)
            return server;
        close(server->wake[0]);
        close(server->wake[1]);
    }
    close(fd);
    server_free(server);
    return NULL;
}

void control_server_stop(ControlServer *server)
{
    pthread_mutex_lock(&server->lock);
    server->is_stopping = true;
    wake(server);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->thread, NULL);
    close(server->fd);
    close(server->wake[0]);
    close(server->wake[1]);
    g_ptr_array_set_size(server->connections, 0);
}
