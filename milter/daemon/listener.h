#ifndef SPFROM_DAEMON_LISTENER_H
#define SPFROM_DAEMON_LISTENER_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"

/*
 * Where the MTA connects: the socket that libmilter listens on. A unix socket that nobody listens
 * on any more is replaced; one that somebody does, or a file of another kind, is not.
 */
#define LISTENER_ERROR (listener_error_quark())
typedef enum { LISTENER_ERROR_SOCKET } ListenerError;
GQuark listener_error_quark(void);

/* Call before privileges are dropped: the socket, its permissions and its folder are made. */
bool listener_open(Settings *settings, GError **error);

/* Removes a unix socket of ours. */
void listener_close(Settings *settings);
#endif
