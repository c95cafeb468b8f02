#include "config.h"

#include "daemon/listener.h"

#include <errno.h>
#include <grp.h>
#include <libmilter/mfapi.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/unix_socket.h"

#define BACKLOG 4096        /* 2,000 connections at once overran 1,024 */
#define SILENCE_SECONDS 300 /* after which a connection of an MTA ends */

G_DEFINE_QUARK(spfrom_listener_error, listener_error)

/* The path of a unix socket, borrowed; NULL for inet. */
static const char *unix_path(Settings *settings)
{
    return g_str_has_prefix(settings->socket, "unix:") ? settings->socket + strlen("unix:") : NULL;
}

static bool refuse(GError **error, const char *where, const char *what)
{
    g_set_error(error, LISTENER_ERROR, LISTENER_ERROR_SOCKET, "socket: %s: %s", where, what);
    return false;
}

static bool set_permissions(Settings *settings, const char *path, GError **error)
{
    if (settings->socket_group != NULL) {
        const struct group *group = getgrnam(settings->socket_group);

        if (group == NULL)
            return refuse(error, settings->socket_group,
                          "no such group; create it or change socket_group");
        if (chown(path, (uid_t)-1, group->gr_gid) != 0)
            return refuse(error, path, g_strerror(errno));
    }
    if (chmod(path, settings->socket_mode) != 0)
        return refuse(error, path, g_strerror(errno));
    return true;
}

bool listener_open(Settings *settings, GError **error)
{
    const char *path = unix_path(settings);

    if (path != NULL && !unix_socket_make_way(path, error)) {
        g_prefix_error(error, "socket: ");
        return false;
    }
    smfi_settimeout(SILENCE_SECONDS);
    if (smfi_setbacklog(BACKLOG) != MI_SUCCESS || smfi_setconn(settings->socket) != MI_SUCCESS)
        return refuse(error, settings->socket, "libmilter does not take it");
    errno = 0;
    if (smfi_opensocket(false) != MI_SUCCESS)
        return refuse(error, settings->socket,
                      errno != 0 ? g_strerror(errno) : "can't listen there");
    return path == NULL || set_permissions(settings, path, error);
}

void listener_close(Settings *settings)
{
    const char *path = unix_path(settings);

    if (path != NULL)
        unlink(path);
}
