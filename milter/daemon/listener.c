#include "config.h"

#include "daemon/listener.h"

#include <errno.h>
#include <grp.h>
#include <libmilter/mfapi.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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

static bool is_listened_on(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_connected;

    if (fd < 0)
        return false;
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    is_connected = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_connected;
}

/* Makes way for a unix socket: its folder is there, and nothing of somebody else stands at its
 * path. */
static bool prepare_path(const char *path, GError **error)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return errno == ENOENT || refuse(error, path, g_strerror(errno));
    if (!S_ISSOCK(status.st_mode))
        return refuse(error, path,
                      "a file that is no socket is there; remove it or choose another path");
    if (is_listened_on(path))
        return refuse(error, path, "another program listens there; stop it or choose another path");
    if (unlink(path) != 0)
        return refuse(error, path, g_strerror(errno));
    return true;
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

    if (path != NULL && !prepare_path(path, error))
        return false;
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
