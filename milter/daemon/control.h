#ifndef SPFROM_DAEMON_CONTROL_H
#define SPFROM_DAEMON_CONTROL_H

#include <glib.h>
#include <stdbool.h>

#include "daemon/privileges.h"
#include "policy/settings.h"

/*
 * The control socket (design section 12): made before privileges are dropped, served by a thread of
 * its own. What may wait runs on two others: reload and flush on one, the disk that keeps the mode
 * switch on the other; neither holds up a status or a message.
 */

/* Listens at control_socket, if that isn't empty. Returns false with error (UNIX_SOCKET_ERROR)
 * set. */
bool control_open(Settings *settings, const Privileges *privileges, GError **error);

/* Starts the threads, once there are live settings. settings are those of the start. Returns false
 * if there can be no thread. */
bool control_start(Settings *settings);

/* Closes all connections and removes the socket. */
void control_close(void);
#endif
