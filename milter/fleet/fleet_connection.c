#include "config.h"

#include "fleet/fleet_connection.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"

#define READ_SIZE (16 * 1024)
#define ANSWERS_MAX (64 << 20) /* octets of the answers of one exchange */

struct FleetConnection {
    GMainContext *context; /* of this connection alone: nobody else's sources run here */
    GIOStream *stream;
    redisReader *reader;
};

G_DEFINE_QUARK(spfrom_fleet_connection_error, fleet_connection_error)

static gboolean note_ready(gpointer data)
{
    *(bool *)data = true;
    return G_SOURCE_REMOVE;
}

static gboolean note_ready_stream(GObject *stream, gpointer data)
{
    (void)stream;
    return note_ready(data);
}

/* Waits for source, which it takes. Returns false if deadline comes first. */
static bool wait_for(FleetConnection *connection, GSource *source, Deadline deadline)
{
    GSource *timer = g_timeout_source_new(0);
    bool is_ready = false;
    bool is_over = false;

    g_source_set_ready_time(timer, deadline);
    g_source_set_callback(timer, note_ready, &is_over, NULL);
    g_source_attach(timer, connection->context);
    g_source_set_callback(source, G_SOURCE_FUNC(note_ready_stream), &is_ready, NULL);
    g_source_attach(source, connection->context);
    while (!is_ready && !is_over)
        g_main_context_iteration(connection->context, TRUE);
    g_source_destroy(source);
    g_source_unref(source);
    g_source_destroy(timer);
    g_source_unref(timer);
    return is_ready;
}

/* --- connecting --- */

typedef struct {
    GSocketConnection *connection;
    GError *error;
    bool is_done;
} Connecting;

static void note_connected(GObject *client, GAsyncResult *result, gpointer data)
{
    Connecting *connecting = data;

    connecting->connection =
        g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, &connecting->error);
    connecting->is_done = true;
}

static gboolean cancel(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return G_SOURCE_REMOVE;
}

/* The server's certificate has to be of the host, and signed by one of the authorities. */
static bool use_authorities(GSocketClient *client, const char *ca, GTlsDatabase **database,
                            GError **error)
{
    g_socket_client_set_tls(client, TRUE);
    if (ca == NULL)
        return true;
    *database = g_tls_file_database_new(ca, error);
    return *database != NULL;
}

static void set_database(GSocketClient *client, GSocketClientEvent event,
                         GSocketConnectable *connectable, GIOStream *stream, gpointer database)
{
    (void)client;
    (void)connectable;
    if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
        g_tls_connection_set_database(G_TLS_CONNECTION(stream), database);
}

static GSocketConnectable *connectable_of(const FleetMember *member)
{
    if (member->path != NULL)
        return G_SOCKET_CONNECTABLE(g_unix_socket_address_new(member->path));
    return g_network_address_new(member->host, member->port);
}

static GSocketConnection *connect_by(FleetConnection *connection, GSocketClient *client,
                                     const FleetMember *member, Deadline deadline, GError **error)
{
    g_autoptr(GSocketConnectable) connectable = connectable_of(member);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GSource) timer = g_timeout_source_new(0);
    Connecting connecting = {0};

    g_source_set_ready_time(timer, deadline);
    g_source_set_callback(timer, cancel, cancellable, NULL);
    g_source_attach(timer, connection->context);
    g_main_context_push_thread_default(connection->context);
    g_socket_client_connect_async(client, connectable, cancellable, note_connected, &connecting);
    while (!connecting.is_done)
        g_main_context_iteration(connection->context, TRUE);
    g_main_context_pop_thread_default(connection->context);
    g_source_destroy(timer);
    if (connecting.connection != NULL)
        return connecting.connection;
    if (g_cancellable_is_cancelled(cancellable))
        g_set_error_literal(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_TIMEOUT,
                            "no connection in time");
    else
        g_set_error_literal(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_CONNECT,
                            connecting.error->message);
    g_clear_error(&connecting.error);
    return NULL;
}

FleetConnection *fleet_connection_new(const FleetMember *member, const char *ca, Deadline deadline,
                                      GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GTlsDatabase) database = NULL;
    FleetConnection *connection;

    g_socket_client_set_enable_proxy(client, FALSE);
    if (member->is_tls && !use_authorities(client, ca, &database, error))
        return NULL;
    if (database != NULL)
        g_signal_connect(client, "event", G_CALLBACK(set_database), database);
    connection = g_new0(FleetConnection, 1);
    connection->context = g_main_context_new();
    connection->reader = redisReaderCreate();
    connection->stream = G_IO_STREAM(connect_by(connection, client, member, deadline, error));
    if (connection->stream != NULL)
        return connection;
    fleet_connection_free(connection);
    return NULL;
}

void fleet_connection_free(FleetConnection *connection)
{
    if (connection == NULL)
        return;
    if (connection->stream != NULL) {
        GSocketConnection *socket = G_SOCKET_CONNECTION(connection->stream);

        /* Not the stream's own closing, which would wait for TLS. */
        g_socket_close(g_socket_connection_get_socket(socket), NULL);
        g_object_unref(connection->stream);
    }
    redisReaderFree(connection->reader);
    g_main_context_unref(connection->context);
    g_free(connection);
}

/* --- an exchange --- */

static bool is_again(GError **failure)
{
    bool is = g_error_matches(*failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);

    if (is)
        g_clear_error(failure);
    return is;
}

static bool fail_by_time(GError **error)
{
    g_set_error_literal(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_TIMEOUT,
                        "no answer in time");
    return false;
}

static bool fail_as_ended(const GError *failure, GError **error)
{
    g_set_error_literal(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_ENDED,
                        failure != NULL ? failure->message : "it closed the connection");
    return false;
}

static bool send_all(FleetConnection *connection, const GString *octets, Deadline deadline,
                     GError **error)
{
    GPollableOutputStream *out =
        G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(connection->stream));
    gsize sent = 0;

    while (sent < octets->len) {
        g_autoptr(GError) failure = NULL;
        gssize length = g_pollable_output_stream_write_nonblocking(
            out, octets->str + sent, octets->len - sent, NULL, &failure);

        if (length >= 0)
            sent += (gsize)length;
        else if (!is_again(&failure))
            return fail_as_ended(failure, error);
        else if (!wait_for(connection, g_pollable_output_stream_create_source(out, NULL), deadline))
            return fail_by_time(error);
    }
    return true;
}

/* Takes the whole answers that the reader has. Returns false if what came is no answer. */
static bool take_answers(FleetConnection *connection, guint count, GPtrArray *answers,
                         GError **error)
{
    void *answer = NULL;

    while (answers->len < count) {
        if (redisReaderGetReply(connection->reader, &answer) != REDIS_OK) {
            g_set_error(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_PROTOCOL,
                        "it does not speak the protocol: %s", connection->reader->errstr);
            return false;
        }
        if (answer == NULL)
            return true;
        g_ptr_array_add(answers, answer);
    }
    return true;
}

static bool receive(FleetConnection *connection, guint count, GPtrArray *answers, Deadline deadline,
                    GError **error)
{
    GPollableInputStream *in =
        G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(connection->stream));
    char octets[READ_SIZE];
    gsize received = 0;

    while (answers->len < count) {
        g_autoptr(GError) failure = NULL;
        gssize length =
            g_pollable_input_stream_read_nonblocking(in, octets, sizeof octets, NULL, &failure);

        if (length == 0 || (length < 0 && !is_again(&failure)))
            return fail_as_ended(failure, error);
        if (length < 0) {
            if (!wait_for(connection, g_pollable_input_stream_create_source(in, NULL), deadline))
                return fail_by_time(error);
            continue;
        }
        received += (gsize)length;
        if (received > ANSWERS_MAX) {
            g_set_error_literal(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_PROTOCOL,
                                "it answers too much");
            return false;
        }
        redisReaderFeed(connection->reader, octets, (size_t)length);
        if (!take_answers(connection, count, answers, error))
            return false;
        /* A peer that always has one octet more must not hold us beyond the deadline. */
        if (answers->len < count && deadline_is_over(deadline))
            return fail_by_time(error);
    }
    return true;
}

bool fleet_connection_exchange(FleetConnection *connection, const GString *octets, guint count,
                               GPtrArray *answers, Deadline deadline, GError **error)
{
    return send_all(connection, octets, deadline, error) &&
           receive(connection, count, answers, deadline, error);
}
