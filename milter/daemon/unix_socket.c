#include "config.h"

#include "daemon/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024
#define MODE 0660

G_DEFINE_QUARK(spfrom_unix_socket_error, unix_socket_error)

static bool refuse(const char *path, const char *what, GError **error)
{
    g_set_error(error, UNIX_SOCKET_ERROR, UNIX_SOCKET_ERROR_PATH, "%s: %s", path, what);
    return false;
}

/* Returns false where path is too long for a socket. */
static bool fill_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    return g_strlcpy(address->sun_path, path, sizeof address->sun_path) < sizeof address->sun_path;
}

static bool is_listened_on(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_taken;

    if (fd < 0 || !fill_address(&address, path)) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    /* EAGAIN: its queue is full */
    is_taken =
        connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN;
    close(fd);
    return is_taken;
}

bool unix_socket_make_way(const char *path, GError **error)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return errno == ENOENT || refuse(path, g_strerror(errno), error);
    if (!S_ISSOCK(status.st_mode))
        return refuse(path, "a file that is no socket is there; remove it or choose another path",
                      error);
    if (is_listened_on(path))
        return refuse(path, "another program listens there; stop it or choose another path", error);
    return unlink(path) == 0 || refuse(path, g_strerror(errno), error);
}

/* Nobody can connect before listen(): by then the permissions are right. */
static bool bind_and_listen(int fd, const struct sockaddr_un *address, uid_t uid, gid_t gid)
{
    return bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
           chown(address->sun_path, uid, gid) == 0 && chmod(address->sun_path, MODE) == 0 &&
           listen(fd, BACKLOG) == 0;
}

int unix_socket_listen(const char *path, uid_t uid, gid_t gid, GError **error)
{
    struct sockaddr_un address;
    int fd;

    if (!fill_address(&address, path)) {
        refuse(path, "is too long for a socket; choose a shorter path", error);
        return -1;
    }
    if (!unix_socket_make_way(path, error))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind_and_listen(fd, &address, uid, gid))
        return fd;
    refuse(path, g_strerror(errno), error);
    if (fd >= 0)
        close(fd);
    return -1;
}
