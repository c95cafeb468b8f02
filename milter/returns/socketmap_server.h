#ifndef SPFROM_RETURNS_SOCKETMAP_SERVER_H
#define SPFROM_RETURNS_SOCKETMAP_SERVER_H

#include <glib.h>

/*
 * Answers the socketmap protocol for many clients on one thread: requests of a connection in their
 * order, with bounded memory for each. A client that asks nothing for a while, and one too many,
 * is closed: the one that asked nothing longest. A client asks anew then.
 */
typedef struct SocketmapServer SocketmapServer;

typedef struct {
    guint clients;    /* at once */
    gint64 idle_time; /* microseconds without a whole request */
} SocketmapLimits;

extern const SocketmapLimits socketmap_limits;

/*
 * Appends the answer: "OK VALUE", "NOTFOUND " or "TEMP REASON". Called on the server's thread, which
 * serves nobody else meanwhile.
 *
 * key     with no NUL at its end; NULL if it is over SOCKETMAP_KEY_MAX
 */
typedef void (*SocketmapHandler)(void *hook, const char *key, gsize length, GString *answer);

/* Serves connections of fd, which listens and doesn't block; takes it. Returns NULL if there can be
 * no thread. */
SocketmapServer *socketmap_server_start(int fd, const SocketmapLimits *limits,
                                        SocketmapHandler handler, void *hook);

/* Closes all connections and ends the thread. */
void socketmap_server_stop(SocketmapServer *server);
#endif
