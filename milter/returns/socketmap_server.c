#include "config.h"

#include "returns/socketmap_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "returns/socketmap_reader.h"

const SocketmapLimits socketmap_limits = {.clients = 1000, .idle_time = 300 * CLOCK_SECOND};

#define PAUSE CLOCK_SECOND /* after accept() found no descriptor or no memory */
#define POLL_MAX 60000     /* milliseconds */
#define PIECE 4096         /* octets read at once */
#define OUTPUT_MAX 4096    /* octets that wait to be sent; no more is read until they are */
#define TURN 64            /* requests of one client before it is the others' turn */

enum { POLL_WAKE, POLL_LISTEN, POLL_FIRST };

typedef struct {
    int fd;
    SocketmapReader *reader;
    char input[PIECE];
    gsize begin, end; /* of what is in input and not read yet */
    GString *output;
    gint64 deadline; /* monotonic */
    bool is_over;    /* to be closed once output is sent */
} Client;

struct SocketmapServer {
    int fd;
    SocketmapLimits limits;
    SocketmapHandler handler;
    void *hook;
    pthread_t thread;
    int wake[2];      /* a pipe; an octet in it ends poll() */
    gint is_stopping; /* by g_atomic_int_*() only */

    /* The server's thread alone: */
    GPtrArray *clients;  /* of Client */
    gint64 paused_until; /* monotonic */
};

static gint64 now(void)
{
    return clock_monotonic(&clock_system);
}

static void client_free(gpointer data)
{
    Client *client = data;

    close(client->fd);
    socketmap_reader_free(client->reader);
    g_string_free(client->output, TRUE);
    g_free(client);
}

static Client *client_new(const SocketmapServer *server, int fd)
{
    Client *client = g_new(Client, 1);

    client->fd = fd;
    client->reader = socketmap_reader_new();
    client->begin = client->end = 0;
    client->output = g_string_new(NULL);
    client->deadline = now() + server->limits.idle_time;
    client->is_over = false;
    return client;
}

static bool has_input(const Client *client)
{
    return client->begin < client->end && client->output->len < OUTPUT_MAX && !client->is_over;
}

static void answer(SocketmapServer *server, Client *client, const SocketmapKey *key)
{
    g_autoptr(GString) text = g_string_new(NULL);

    server->handler(server->hook, key->octets, key->length, text);
    socketmap_append(client->output, text->str);
    client->deadline = now() + server->limits.idle_time;
}

/* An answer may take long, and many may be asked for: the end waits for one at most. */
static bool is_stopping(SocketmapServer *server)
{
    return g_atomic_int_get(&server->is_stopping) != 0;
}

/* Answers what is in input, TURN requests at most. */
static void answer_all(SocketmapServer *server, Client *client)
{
    for (guint i = 0; i < TURN && has_input(client) && !is_stopping(server); i++) {
        SocketmapKey key;
        gsize length = 0;
        SocketmapOutcome outcome =
            socketmap_reader_read(client->reader, client->input + client->begin,
                                  client->end - client->begin, &length, &key);

        client->begin += length;
        if (outcome == SOCKETMAP_REQUEST)
            answer(server, client, &key);
        client->is_over = outcome == SOCKETMAP_BROKEN;
    }
}

/* Returns false if the connection has ended. */
static bool read_input(Client *client)
{
    ssize_t length = recv(client->fd, client->input, sizeof client->input, 0);

    if (length < 0)
        return errno == EAGAIN || errno == EINTR;
    client->begin = 0;
    client->end = (gsize)length;
    client->is_over = length == 0;
    return true;
}

/* Returns false if the connection has ended. */
static bool write_output(Client *client)
{
    ssize_t length;

    if (client->output->len == 0)
        return true;
    length = send(client->fd, client->output->str, client->output->len, MSG_NOSIGNAL);
    if (length < 0)
        return errno == EAGAIN || errno == EINTR;
    g_string_erase(client->output, 0, length);
    return true;
}

static short events_of(const Client *client)
{
    short events = 0;

    if (client->output->len > 0)
        events |= POLLOUT;
    if (client->begin == client->end && client->output->len < OUTPUT_MAX && !client->is_over)
        events |= POLLIN;
    return events;
}

/* Returns false if the connection is to be closed. */
static bool tend(SocketmapServer *server, Client *client, short events)
{
    if ((events & (POLLERR | POLLNVAL)) != 0)
        return false;
    if ((events & POLLOUT) != 0 && !write_output(client))
        return false;
    if ((events & (POLLIN | POLLHUP)) != 0 && client->begin == client->end && !client->is_over &&
        !read_input(client))
        return false;
    if (!has_input(client) && (events & (POLLIN | POLLHUP)) == POLLHUP)
        return false;
    answer_all(server, client);
    return write_output(client) && !(client->is_over && client->output->len == 0);
}

/* Closes the client that has asked nothing for the longest time, to make room. */
static void evict(SocketmapServer *server)
{
    Client *silent = NULL;

    for (guint i = 0; i < server->clients->len; i++) {
        Client *client = g_ptr_array_index(server->clients, i);

        if (silent == NULL || client->deadline < silent->deadline)
            silent = client;
    }
    if (silent != NULL)
        g_ptr_array_remove(server->clients, silent);
}

static void accept_all(SocketmapServer *server)
{
    int fd;

    while ((fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        if (server->clients->len >= server->limits.clients)
            evict(server);
        g_ptr_array_add(server->clients, client_new(server, fd));
    }
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
        return;
    log_write(LOG_WARNING, "return_socket: no connection can be taken now: %s", g_strerror(errno));
    server->paused_until = now() + PAUSE;
}

/* Milliseconds until there is something to do without an event. */
static int poll_time(const SocketmapServer *server)
{
    gint64 begin = now();
    gint64 next = begin + POLL_MAX * CLOCK_MILLISECOND;

    if (server->paused_until > begin)
        next = MIN(next, server->paused_until);
    for (guint i = 0; i < server->clients->len; i++) {
        const Client *client = g_ptr_array_index(server->clients, i);

        next = MIN(next, has_input(client) ? begin : client->deadline);
    }
    return (int)((MAX(next - begin, 0) + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND);
}

static void fill(const SocketmapServer *server, GArray *polled)
{
    const struct pollfd first[] = {
        [POLL_WAKE] = {.fd = server->wake[0], .events = POLLIN},
        [POLL_LISTEN] = {.fd = server->paused_until > now() ? -1 : server->fd, .events = POLLIN},
    };

    g_array_set_size(polled, 0);
    g_array_append_vals(polled, first, G_N_ELEMENTS(first));
    for (guint i = 0; i < server->clients->len; i++) {
        const Client *client = g_ptr_array_index(server->clients, i);
        const struct pollfd entry = {.fd = client->fd, .events = events_of(client)};

        g_array_append_val(polled, entry);
    }
}

/* From the last to the first: closing one moves those behind it. */
static void tend_all(SocketmapServer *server, const GArray *polled)
{
    for (guint i = server->clients->len; i-- > 0;) {
        Client *client = g_ptr_array_index(server->clients, i);
        short events = g_array_index(polled, struct pollfd, POLL_FIRST + i).revents;
        bool is_due = events != 0 || has_input(client);

        if ((is_due && !tend(server, client, events)) || client->deadline <= now())
            g_ptr_array_remove_index(server->clients, i);
    }
}

/* Returns false if it is time to stop. */
static bool run_once(SocketmapServer *server, GArray *polled)
{
    fill(server, polled);
    if (poll((struct pollfd *)(void *)polled->data, polled->len, poll_time(server)) < 0)
        return true;
    tend_all(server, polled);
    if (g_array_index(polled, struct pollfd, POLL_LISTEN).revents != 0)
        accept_all(server);
    return !is_stopping(server);
}

static void *run(void *data)
{
    SocketmapServer *server = data;
    g_autoptr(GArray) polled = g_array_new(FALSE, FALSE, sizeof(struct pollfd));

    pthread_setname_np(pthread_self(), "spfrom-answers");
    while (run_once(server, polled))
        continue;
    return NULL;
}

static void server_free(SocketmapServer *server)
{
    close(server->fd);
    g_ptr_array_unref(server->clients);
    g_free(server);
}

SocketmapServer *socketmap_server_start(int fd, const SocketmapLimits *limits,
                                        SocketmapHandler handler, void *hook)
{
    SocketmapServer *server = g_new0(SocketmapServer, 1);

    server->fd = fd;
    server->limits = *limits;
    server->handler = handler;
    server->hook = hook;
    server->clients = g_ptr_array_new_with_free_func(client_free);
    if (pipe2(server->wake, O_CLOEXEC | O_NONBLOCK) == 0) {
        if (pthread_create(&server->thread, NULL, run, server) == 0)
            return server;
        close(server->wake[0]);
        close(server->wake[1]);
    }
    server_free(server);
    return NULL;
}

void socketmap_server_stop(SocketmapServer *server)
{
    g_atomic_int_set(&server->is_stopping, 1);
    if (write(server->wake[1], "", 1) != 1)
        return; /* can't be: the pipe is empty */
    pthread_join(server->thread, NULL);
    close(server->wake[0]);
    close(server->wake[1]);
    server_free(server);
}
