#include "config.h"

#include "control/control_connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define CHUNK 4096

static uid_t peer_uid(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.uid : (uid_t)-1;
}

static void give_time(ControlConnection *connection, gint64 span)
{
    connection->deadline = clock_monotonic(&clock_system) + span;
}

ControlConnection *control_connection_new(guint64 id, int fd, const ControlLimits *limits)
{
    ControlConnection *connection = g_new0(ControlConnection, 1);

    connection->id = id;
    connection->fd = fd;
    connection->uid = peer_uid(fd);
    connection->limits = limits;
    line_buffer_init(&connection->input, limits->line);
    connection->output = g_string_new(NULL);
    give_time(connection, limits->idle_time);
    return connection;
}

void control_connection_free(ControlConnection *connection)
{
    close(connection->fd);
    line_buffer_clear(&connection->input);
    g_string_free(connection->output, TRUE);
    g_free(connection);
}

short control_connection_events(const ControlConnection *connection)
{
    if (connection->output->len > 0)
        return POLLOUT;
    return connection->is_waiting || connection->is_ended ? 0 : POLLIN;
}

static bool is_passing(int number)
{
    return number == EAGAIN || number == EINTR;
}

bool control_connection_read(ControlConnection *connection)
{
    char chunk[CHUNK];
    ssize_t length = recv(connection->fd, chunk, sizeof chunk, MSG_DONTWAIT);

    if (length < 0)
        return is_passing(errno);
    if (length == 0)
        connection->is_ended = true;
    if (!line_buffer_has_part(&connection->input))
        give_time(connection, connection->limits->line_time);
    line_buffer_add(&connection->input, chunk, (gsize)length);
    return true;
}

bool control_connection_write(ControlConnection *connection)
{
    GString *output = connection->output;
    ssize_t length = send(connection->fd, output->str, output->len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (length < 0)
        return is_passing(errno);
    g_string_erase(output, 0, length);
    if (output->len == 0)
        give_time(connection, line_buffer_has_part(&connection->input)
                                  ? connection->limits->line_time
                                  : connection->limits->idle_time);
    return true;
}

void control_connection_say(ControlConnection *connection, const char *text)
{
    g_string_append(connection->output, text);
    g_string_append_c(connection->output, '\n');
    connection->is_waiting = false;
    give_time(connection, connection->limits->line_time);
}

LineBufferOutcome control_connection_take(ControlConnection *connection, GString *line)
{
    LineBufferOutcome outcome;

    if (connection->is_waiting || connection->is_closing || connection->output->len > 0)
        return LINE_BUFFER_NONE;
    outcome = line_buffer_take(&connection->input, connection->is_ended, line);
    connection->is_waiting = outcome != LINE_BUFFER_NONE;
    return outcome;
}

bool control_connection_is_done(const ControlConnection *connection)
{
    if (connection->is_waiting || connection->output->len > 0)
        return false;
    return connection->is_closing ||
           (connection->is_ended && !line_buffer_has_part(&connection->input));
}
