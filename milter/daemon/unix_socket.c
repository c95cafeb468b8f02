#include "config.h"

#include "daemon/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#define BACKLOG 1024
#define MODE 0660
#define TURN_PATIENCE (2 * CLOCK_SECOND) /* anybody who can read the folder may hold it */
#define TURN_PAUSE (10 * CLOCK_MILLISECOND)

G_DEFINE_QUARK(spfrom_unix_socket_error, unix_socket_error)

static bool refuse(const char *path, const char *what, GError **error)
{
    g_set_error(error, UNIX_SOCKET_ERROR, UNIX_SOCKET_ERROR_PATH, "%s: %s", path, what);
    return false;
}

/* Returns false if path is too long for a socket. */
static bool fill_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    return g_strlcpy(address->sun_path, path, sizeof address->sun_path) < sizeof address->sun_path;
}

/* Returns 0 if somebody listens at path, ECONNREFUSED if nobody does, else what kept us from
 * finding out. */
static int connect_error(const char *path)
{
    struct sockaddr_un address;
    int fd;
    int error = 0;

    if (!fill_address(&address, path))
        return ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        error = errno;
    close(fd);
    return error == EAGAIN ? 0 : error; /* EAGAIN: its queue is full */
}

int unix_socket_take_turn(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    gint64 deadline = g_get_monotonic_time() + TURN_PATIENCE;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK &&
           g_get_monotonic_time() < deadline)
        g_usleep(TURN_PAUSE);
    return fd;
}

bool unix_socket_make_way(const char *path, GError **error)
{
    struct stat status;
    int error_number;

    if (lstat(path, &status) != 0)
        return errno == ENOENT || refuse(path, g_strerror(errno), error);
    if (!S_ISSOCK(status.st_mode))
        return refuse(path, "a file that is no socket is there; remove it or choose another path",
                      error);
    error_number = connect_error(path);
    switch (error_number) {
    case 0:
        return refuse(path, "another program listens there; stop it or choose another path", error);
    case EACCES:
    case EPERM:
        return refuse(
            path, "a socket of another account is there; remove it or choose another path", error);
    case ECONNREFUSED:
    case ENOENT:
        break;
    default: /* somebody's datagram socket, or no descriptor left to find out with */
        return refuse(path, g_strerror(error_number), error);
    }
    /* Its owner may have removed it meanwhile. */
    return unlink(path) == 0 || errno == ENOENT || refuse(path, g_strerror(errno), error);
}

bool unix_socket_permit(const char *path, mode_t mode, uid_t uid, gid_t gid, GError **error)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return refuse(path, g_strerror(errno), error);
    if (((uid != (uid_t)-1 && status.st_uid != uid) ||
         (gid != (gid_t)-1 && status.st_gid != gid)) &&
        lchown(path, uid, gid) != 0)
        return refuse(path, g_strerror(errno), error);
    if ((status.st_mode & ALLPERMS) != mode && chmod(path, mode) != 0)
        return refuse(path, g_strerror(errno), error);
    return true;
}

static bool bind_only(int fd, const struct sockaddr_un *address)
{
    mode_t before = umask(ACCESSPERMS & ~MODE);
    bool is_bound = bind(fd, (const struct sockaddr *)address, sizeof *address) == 0;

    umask(before);
    return is_bound;
}

/* Nobody can connect before listen(): by then the permissions are right. */
static bool bind_and_listen(int fd, const struct sockaddr_un *address, uid_t uid, gid_t gid,
                            GError **error)
{
    if (!bind_only(fd, address))
        return refuse(address->sun_path, g_strerror(errno), error);
    if (!unix_socket_permit(address->sun_path, MODE, uid, gid, error))
        return false;
    return listen(fd, BACKLOG) == 0 || refuse(address->sun_path, g_strerror(errno), error);
}

static int listen_at(const struct sockaddr_un *address, uid_t uid, gid_t gid, GError **error)
{
    int fd;

    if (!unix_socket_make_way(address->sun_path, error))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        refuse(address->sun_path, g_strerror(errno), error);
        return -1;
    }
    if (bind_and_listen(fd, address, uid, gid, error))
        return fd;
    close(fd);
    return -1;
}

int unix_socket_listen(const char *path, uid_t uid, gid_t gid, GError **error)
{
    struct sockaddr_un address;
    int turn, fd;

    if (!fill_address(&address, path)) {
        refuse(path, "is too long for a socket; choose a shorter path", error);
        return -1;
    }
    turn = unix_socket_take_turn(path);
    fd = listen_at(&address, uid, gid, error);
    if (turn >= 0)
        close(turn);
    return fd;
}
