#ifndef SPFROM_CONTROL_CONTROL_SERVER_H
#define SPFROM_CONTROL_CONTROL_SERVER_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "control/control_connection.h"

/*
 * The control socket's own side of design section 12: lines in, lines out, for many clients on one
 * thread. Each has one line under way at a time; the next one waits. What a client does not do in
 * time, or too much of, is answered by an error and costs no other client anything.
 *
 * Lock protocol: one lock inside guards the answers that wait to be sent.
 */
typedef struct ControlServer ControlServer;

extern const ControlLimits control_limits;

/* The client that an answer is for. */
typedef struct {
    ControlServer *server;
    guint64 client;
    uid_t uid;
} ControlCaller;

/* Called on the server's thread, so it may not wait. One control_server_answer() has to follow, on
 * any thread, now or later. line has no NUL at its end. */
typedef void (*ControlHandler)(const ControlCaller *caller, const char *line, gsize length);

/* Serves connections of fd, which it takes, as unix_socket_listen() made it. Returns NULL if
 * there can be no thread. */
ControlServer *control_server_start(int fd, const ControlLimits *limits, ControlHandler handler);

/* Takes answer; NULL means that there is no memory for one, which the client is told as an error. A
 * client whose connection has ended gets nothing. */
void control_server_answer(const ControlCaller *caller, json_t *answer);

/* {"ok":false,"error":what}, a new object. */
json_t *control_server_refusal(const char *what);

/* Closes all connections and ends the thread. What is left of server takes late answers. */
void control_server_stop(ControlServer *server);
#endif
