#ifndef SPFROM_CONTROL_CONTROL_CONNECTION_H
#define SPFROM_CONTROL_CONTROL_CONNECTION_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "control/control_server.h"
#include "control/line_buffer.h"

/* One client of the control socket: what came, what is to be sent, and until when it has time.
 * Belongs to the server's thread. */
typedef struct {
    guint64 id;
    int fd;
    uid_t uid;
    const ControlLimits *limits;
    LineBuffer input;
    bool is_ended;   /* nothing comes any more */
    bool is_waiting; /* a line is under way, its answer is not there yet */
    GString *output; /* what is still to be sent */
    bool is_closing; /* once output is sent */
    gint64 deadline; /* monotonic; does not count while is_waiting */
} ControlConnection;

/* Takes fd. */
ControlConnection *control_connection_new(guint64 id, int fd, const ControlLimits *limits);
void control_connection_free(ControlConnection *connection);

/* What poll() is to wait for. */
short control_connection_events(const ControlConnection *connection);

/* Reads what has come. Returns false where the connection is broken. */
bool control_connection_read(ControlConnection *connection);

/* Sends what can be sent. Returns false where the connection is broken. */
bool control_connection_write(ControlConnection *connection);

/* Puts text, a line without its end, into output. */
void control_connection_say(ControlConnection *connection, const char *text);

/*
 * Takes the next line where none is under way and the last answer is sent. The connection then
 * waits for control_connection_say().
 */
LineBufferOutcome control_connection_take(ControlConnection *connection, GString *line);

/* Is there nothing more to do for it? */
bool control_connection_is_done(const ControlConnection *connection);
#endif
