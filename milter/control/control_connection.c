#include "config.h"

#include "control/control_connection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
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
    connection->input = g_string_new(NULL);
    connection->output = g_string_new(NULL);
    give_time(connection, limits->idle_time);
    return connection;
}

void control_connection_free(ControlConnection *connection)
{
    close(connection->fd);
    g_string_free(connection->input, TRUE);
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

bool control_connection_has_part(const ControlConnection *connection)
{
    return connection->is_overlong || connection->input->len > 0;
}

/* Drops what can only be part of a line that is too long. */
static void bound_input(ControlConnection *connection)
{
    GString *octets = connection->input;

    if (memchr(octets->str, '\n', octets->len) != NULL ||
        octets->len <= connection->limits->line + 1)
        return; /* a CR may follow the last octet that counts */
    connection->is_overlong = true;
    g_string_truncate(octets, 0);
}

bool control_connection_read(ControlConnection *connection)
{
    char chunk[CHUNK];
    ssize_t length = recv(connection->fd, chunk, sizeof chunk, MSG_DONTWAIT);

    if (length < 0)
        return is_passing(errno);
    if (length == 0)
        connection->is_ended = true;
    if (!control_connection_has_part(connection))
        give_time(connection, connection->limits->line_time);
    g_string_append_len(connection->input, chunk, length);
    bound_input(connection);
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
        give_time(connection, control_connection_has_part(connection)
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

/* Takes length octets as a line, and the end that follows. */
static ControlConnectionOutcome take(ControlConnection *connection, gsize length, GString *line)
{
    GString *octets = connection->input;
    bool is_overlong = connection->is_overlong;
    gsize shown = length > 0 && octets->str[length - 1] == '\r' ? length - 1 : length;

    g_string_truncate(line, 0);
    if (!is_overlong && shown <= connection->limits->line)
        g_string_append_len(line, octets->str, (gssize)shown);
    g_string_erase(octets, 0, (gssize)MIN(length + 1, octets->len));
    connection->is_overlong = false;
    bound_input(connection);
    return is_overlong || shown > connection->limits->line ? CONTROL_CONNECTION_OVERLONG
                                                           : CONTROL_CONNECTION_LINE;
}

/* Takes the first line; at the end of input it needs no end of its own. */
static ControlConnectionOutcome take_first(ControlConnection *connection, GString *line)
{
    const GString *octets = connection->input;
    const char *end = memchr(octets->str, '\n', octets->len);

    if (end != NULL)
        return take(connection, (gsize)(end - octets->str), line);
    if (connection->is_ended && control_connection_has_part(connection))
        return take(connection, octets->len, line);
    return CONTROL_CONNECTION_NONE;
}

ControlConnectionOutcome control_connection_take(ControlConnection *connection, GString *line)
{
    ControlConnectionOutcome outcome;

    if (connection->is_waiting || connection->is_closing || connection->output->len > 0)
        return CONTROL_CONNECTION_NONE;
    outcome = take_first(connection, line);
    connection->is_waiting = outcome != CONTROL_CONNECTION_NONE;
    return outcome;
}

bool control_connection_is_done(const ControlConnection *connection)
{
    if (connection->is_waiting || connection->output->len > 0)
        return false;
    return connection->is_closing ||
           (connection->is_ended && !control_connection_has_part(connection));
}
