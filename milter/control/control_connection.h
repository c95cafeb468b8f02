#ifndef SPFROM_CONTROL_CONTROL_CONNECTION_H
#define SPFROM_CONTROL_CONTROL_CONNECTION_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * One client of the control socket: lines out of the octets that come, bounded, the answers that
 * are to be sent, and until when the client has time. Belongs to the server's thread.
 */
typedef struct {
    guint clients;    /* one more closes the connection that has been silent longest */
    gsize line;       /* octets without its end */
    gint64 line_time; /* microseconds for a line, from its first octet, and for taking an answer */
    gint64 idle_time; /* microseconds between two lines */
} ControlLimits;

typedef struct {
    guint64 id;
    int fd;
    uid_t uid;
    const ControlLimits *limits;
    GString *input;   /* octets that are not taken yet; of a line that is too long none is kept */
    bool is_overlong; /* the line that input ends in is too long already; input is not all of it */
    bool is_ended;    /* nothing comes any more */
    bool is_waiting;  /* a line is under way, its answer is not there yet */
    GString *output;  /* what is still to be sent */
    bool is_closing;  /* once output is sent */
    gint64 deadline;  /* monotonic; does not count while is_waiting */
} ControlConnection;

/* Takes fd. limits have to live as long. */
ControlConnection *control_connection_new(guint64 id, int fd, const ControlLimits *limits);
void control_connection_free(ControlConnection *connection);

/* What poll() is to wait for. */
short control_connection_events(const ControlConnection *connection);

/* Reads what has come. Returns false if the connection is broken. */
bool control_connection_read(ControlConnection *connection);

/* Sends what can be sent. Returns false if the connection is broken. */
bool control_connection_write(ControlConnection *connection);

/* Puts text, a line without its end, into output. */
void control_connection_say(ControlConnection *connection, const char *text);

typedef enum {
    CONTROL_CONNECTION_NONE, /* no whole line yet, or not its turn */
    CONTROL_CONNECTION_LINE,
    CONTROL_CONNECTION_OVERLONG,
} ControlConnectionOutcome;

/*
 * Takes the next line, if none is under way and the last answer is sent. The connection then waits
 * for control_connection_say(). What is left when nothing comes any more is a line without its end.
 *
 * line  set to it, without its LF or CRLF
 */
ControlConnectionOutcome control_connection_take(ControlConnection *connection, GString *line);

/* Has a line begun that is not taken? */
bool control_connection_has_part(const ControlConnection *connection);

/* Is there nothing more to do for it? */
bool control_connection_is_done(const ControlConnection *connection);
#endif
