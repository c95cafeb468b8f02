#ifndef SPFROM_DAEMON_LISTENER_H
#define SPFROM_DAEMON_LISTENER_H

#include <glib.h>
#include <stdbool.h>

#include "daemon/privileges.h"
#include "policy/settings.h"

/*
 * Where the MTA connects: the socket that libmilter listens on. A unix socket that nobody listens
 * on any more is replaced; one that somebody does, or a file of another kind, is not.
 */
#define LISTENER_ERROR (listener_error_quark())
typedef enum { LISTENER_ERROR_SOCKET } ListenerError;
GQuark listener_error_quark(void);

/* Could listener_open() listen there? Of a TCP socket that is asked of the host alone: the port may
 * be the running daemon's. Nothing stays behind. */
bool listener_check(Settings *settings, GError **error);

/* Call before privileges are dropped: the socket and its permissions are made. */
bool listener_open(Settings *settings, const Privileges *privileges, GError **error);

/* Starts libmilter's loop, in a thread. When it ends, signals_note_end() is told. Returns false if
 * there can be no thread. */
bool listener_start(void);

/* From now on nobody connects any more, and a unix socket is removed. Connections stay. */
void listener_close(void);
bool listener_is_closed(void);
#endif
