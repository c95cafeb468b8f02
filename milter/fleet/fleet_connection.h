#ifndef SPFROM_FLEET_FLEET_CONNECTION_H
#define SPFROM_FLEET_FLEET_CONNECTION_H

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "policy/fleet_member.h"

/*
 * One connection to a Redis or Valkey server, for one thread. GIO has the sockets and TLS, hiredis
 * the protocol: Debian 12's hiredis knows no TLS.
 */
typedef struct FleetConnection FleetConnection;

#define FLEET_CONNECTION_ERROR (fleet_connection_error_quark())
typedef enum {
    FLEET_CONNECTION_ERROR_CONNECT,
    FLEET_CONNECTION_ERROR_TIMEOUT,
    FLEET_CONNECTION_ERROR_ENDED,
    FLEET_CONNECTION_ERROR_PROTOCOL,
} FleetConnectionError;
GQuark fleet_connection_error_quark(void);

/*
 * Connects to member, with TLS if it says so.
 *
 * ca     file of authorities in PEM form; NULL: the system's
 * Returns it, to be freed with fleet_connection_free(); NULL with error set, by deadline at the
 * latest.
 */
FleetConnection *fleet_connection_new(const FleetMember *member, const char *ca, Deadline deadline,
                                      GError **error);
void fleet_connection_free(FleetConnection *connection);

/*
 * Sends octets (commands in the form of the protocol) and reads count answers, appended to answers
 * (of struct redisReply; errors among them). Returns false with error set if they are not all there
 * by deadline: the connection is of no use then.
 */
bool fleet_connection_exchange(FleetConnection *connection, const GString *octets, guint count,
                               GPtrArray *answers, Deadline deadline, GError **error);
#endif
