#include "config.h"

#include "daemon/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libmilter/mfapi.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/signals.h"
#include "daemon/unix_socket.h"

#define BACKLOG 4096     /* 2,000 connections at once overran 1,024 */
#define DESCRIPTORS 1024 /* those that may be open when the daemon starts */
#define UNIX_PREFIX "unix:"
#define WAKE SIGUSR1       /* a signal that the loop's system calls return for */
#define ADDRESS_OCTETS 128 /* of an address as text */

G_DEFINE_QUARK(spfrom_listener_error, listener_error)

/* Set by listener_open() before there are threads. */
static int listening_fd = -1; /* libmilter's */
static char *unix_path;       /* NULL: another kind of socket */

static pthread_t loop; /* libmilter's; joined by nobody, so that it may be signalled at any time */
static bool is_running;

static gint is_closed; /* by g_atomic_int_*() only */

static bool refuse(GError **error, const char *where, const char *what)
{
    g_set_error(error, LISTENER_ERROR, LISTENER_ERROR_SOCKET, "socket: %s: %s", where, what);
    return false;
}

static const char *path_of(Settings *settings)
{
    return g_str_has_prefix(settings->socket, UNIX_PREFIX) ? settings->socket + strlen(UNIX_PREFIX)
                                                           : NULL;
}

/*
 * socket with its host as an address: of a name, libmilter finds IPv4 addresses only. NULL with
 * error set if it has none.
 */
static char *resolve(const char *socket, GError **error)
{
    const char *host = strchr(socket, '@') + 1;
    g_autofree char *head = g_strndup(socket, (gsize)(host - socket));
    const struct addrinfo hints = {.ai_family =
                                       g_str_has_prefix(socket, "inet6:") ? AF_INET6 : AF_INET,
                                   .ai_socktype = SOCK_STREAM};
    g_autofree char *bare = g_strdup(host);
    struct addrinfo *found = NULL;
    char text[ADDRESS_OCTETS];
    int problem;

    if (bare[0] == '[' && g_str_has_suffix(bare, "]")) {
        bare[strlen(bare) - 1] = '\0';
        memmove(bare, bare + 1, strlen(bare));
    }
    problem = getaddrinfo(bare, NULL, &hints, &found);
    if (problem == 0) {
        problem = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                              NI_NUMERICHOST);
        freeaddrinfo(found);
    }
    if (problem == 0)
        return g_strconcat(head, text, NULL);
    g_set_error(error, LISTENER_ERROR, LISTENER_ERROR_SOCKET,
                "socket: %s: no %s address of \"%s\" is known (%s); write an address", socket,
                hints.ai_family == AF_INET6 ? "IPv6" : "IPv4", bare, gai_strerror(problem));
    return NULL;
}

/* Can a socket of this host have the address in numeric, "inet:PORT@ADDRESS"? */
static bool is_own(const char *numeric)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    int fd;
    bool is_own;

    if (getaddrinfo(strchr(numeric, '@') + 1, NULL, &hints, &found) != 0)
        return true;
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    is_own = fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) == 0 || errno != EADDRNOTAVAIL;
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
    return is_own;
}

bool listener_check(Settings *settings, GError **error)
{
    const char *path = path_of(settings);
    g_autofree char *numeric = NULL;
    struct stat status;

    if (path != NULL)
        return lstat(path, &status) != 0 || S_ISSOCK(status.st_mode) ||
               refuse(error, path,
                      "a file that is no socket is there; remove it or choose another "
                      "path");
    numeric = resolve(settings->socket, error);
    return numeric != NULL &&
           (is_own(numeric) || refuse(error, settings->socket,
                                      "this host does not have that address; write one that "
                                      "it has, such as 127.0.0.1"));
}

static bool is_listening(int fd)
{
    int value = 0;
    socklen_t length = sizeof value;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value != 0;
}

/* libmilter does not tell its descriptor. What listens at this point, and did not before, is it. */
static bool open_and_find(GError **error, const char *where)
{
    bool was_listening[DESCRIPTORS];

    for (int fd = 0; fd < DESCRIPTORS; fd++)
        was_listening[fd] = is_listening(fd);
    errno = 0;
    if (smfi_opensocket(false) != MI_SUCCESS)
        return refuse(error, where, errno != 0 ? g_strerror(errno) : "can't listen there");
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (!was_listening[fd] && is_listening(fd))
            listening_fd = fd;
    return true;
}

static bool open_socket(const char *socket, GError **error)
{
    char *text = (char *)socket; /* libmilter takes char * and changes nothing */

    if (smfi_setbacklog(BACKLOG) != MI_SUCCESS || smfi_setconn(text) != MI_SUCCESS)
        return refuse(error, socket, "libmilter does not take it");
    return open_and_find(error, socket);
}

static bool find_group(Settings *settings, gid_t *gid, GError **error)
{
    const struct group *group;

    *gid = (gid_t)-1;
    if (settings->socket_group == NULL)
        return true;
    group = getgrnam(settings->socket_group);
    if (group == NULL)
        return refuse(error, settings->socket_group,
                      "no such group; create it or change socket_group");
    *gid = group->gr_gid;
    return true;
}

/* In the daemon's turn (see unix_socket_take_turn()). */
static bool open_path(Settings *settings, const char *path, gid_t gid, GError **error)
{
    g_autofree char *socket = g_strconcat(UNIX_PREFIX, path, NULL);
    mode_t before;
    bool is_open;

    if (!unix_socket_make_way(path, error)) {
        g_prefix_error(error, "socket: ");
        return false;
    }
    before = umask(ACCESSPERMS & ~settings->socket_mode);
    is_open = open_socket(socket, error);
    umask(before);
    if (!is_open)
        return false;
    if (unix_socket_permit(path, settings->socket_mode, (uid_t)-1, gid, error))
        return true;
    g_prefix_error(error, "socket: ");
    return false;
}

static bool open_unix(Settings *settings, const char *path, const Privileges *privileges,
                      GError **error)
{
    g_autofree char *entered = NULL;
    gid_t gid;
    bool is_open;
    int turn;

    if (!find_group(settings, &gid, error))
        return false;
    entered = privileges_enter(privileges, path, gid, error);
    if (entered == NULL)
        return false;
    turn = unix_socket_take_turn(entered);
    is_open = open_path(settings, entered, gid, error);
    if (turn >= 0)
        close(turn);
    privileges_leave(privileges);
    if (is_open)
        unix_path = g_strdup(path);
    return is_open;
}

bool listener_open(Settings *settings, const Privileges *privileges, GError **error)
{
    const char *path = path_of(settings);
    g_autofree char *numeric = NULL;

    if (path != NULL)
        return open_unix(settings, path, privileges, error);
    numeric = resolve(settings->socket, error);
    return numeric != NULL && open_socket(numeric, error);
}

/*
 * libmilter's loop alone calls it. This one takes the place of the C library's (see sigwait() in
 * signals.c): once the socket is closed, the loop rests here in place of complaining.
 */
int listener_accept(int fd, struct sockaddr *address, socklen_t *length) __asm__("accept");

int listener_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    int connection = accept4(fd, address, length, SOCK_CLOEXEC);
    int error = errno;

    if (listener_is_closed()) {
        if (connection >= 0)
            close(connection);
        for (;;)
            pause();
    }
    errno = error;
    return connection;
}

static void on_wake(int number G_GNUC_UNUSED)
{
}

static void *run_loop(void *unused G_GNUC_UNUSED)
{
    smfi_main();
    signals_note_end();
    return NULL;
}

bool listener_start(void)
{
    const struct sigaction action = {.sa_handler = on_wake}; /* system calls end by it */

    sigaction(WAKE, &action, NULL);
    is_running = pthread_create(&loop, NULL, run_loop, NULL) == 0;
    if (is_running)
        pthread_setname_np(loop, "spfrom-milter");
    return is_running;
}

/*
 * Closes libmilter's socket under its loop, which would end if it were shut down. What the loop
 * finds in its place has nothing to read, ever. The kernel closes the socket when the loop's poll()
 * has returned. (ThreadSanitizer takes dup3() for a race with that poll().)
 */
static void close_socket(void)
{
    int ends[2];

    if (listening_fd < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return;
    syscall(SYS_dup3, ends[0], listening_fd, O_CLOEXEC);
    if (is_running)
        pthread_kill(loop, WAKE);
}

void listener_close(void)
{
    if (!g_atomic_int_compare_and_exchange(&is_closed, false, true))
        return;
    if (unix_path != NULL)
        unlink(unix_path);
    close_socket();
}

bool listener_is_closed(void)
{
    return g_atomic_int_get(&is_closed);
}
