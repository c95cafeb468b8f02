#include "config.h"

#include "daemon/notify.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SEND_SECONDS 2 /* for a datagram, if the service manager is behind with reading */
#define DECIMAL 10

/* Written by notify_open() and notify_close() only. */
static int notify_fd = -1;
static struct sockaddr_un address;
static socklen_t address_length;
static guint64 watchdog_interval;

/* Fills address. The name in the abstract namespace begins with a NUL and ends without one. */
static bool set_address(const char *name)
{
    gsize length = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof address.sun_path)
        return false;
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, name, length + 1);
    address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
        address_length--;
    }
    return true;
}

/* The interval that $WATCHDOG_USEC gives, if $WATCHDOG_PID means this process. */
static guint64 read_watchdog_interval(void)
{
    const char *interval = g_getenv("WATCHDOG_USEC");
    const char *pid = g_getenv("WATCHDOG_PID");
    guint64 number;

    if (interval == NULL ||
        !g_ascii_string_to_unsigned(interval, DECIMAL, 1, G_MAXINT64, &number, NULL))
        return 0;
    if (pid != NULL && g_ascii_strtoll(pid, NULL, DECIMAL) != getpid())
        return 0;
    return number;
}

static void forget_environment(void)
{
    g_unsetenv("NOTIFY_SOCKET");
    g_unsetenv("WATCHDOG_USEC");
    g_unsetenv("WATCHDOG_PID");
}

void notify_open(void)
{
    const char *name = g_getenv("NOTIFY_SOCKET");
    const struct timeval patience = {.tv_sec = SEND_SECONDS};

    notify_close();
    if (name != NULL && set_address(name))
        notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify_fd >= 0) {
        setsockopt(notify_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        watchdog_interval = read_watchdog_interval();
    }
    forget_environment();
}

void notify_close(void)
{
    if (notify_fd >= 0)
        close(notify_fd);
    notify_fd = -1;
    watchdog_interval = 0;
}

static void send_text(const char *text)
{
    if (notify_fd >= 0)
        sendto(notify_fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address,
               address_length);
}

/* Sends head and the status; what would end its line becomes a blank. */
static void send_status(const char *head, const char *status)
{
    g_autofree char *line = g_strdelimit(g_strdup(status), "\r\n", ' ');
    g_autofree char *text = g_strconcat(head, "STATUS=", line, NULL);

    send_text(text);
}

void notify_ready(const char *status)
{
    send_status("READY=1\n", status);
}

void notify_status(const char *status)
{
    send_status("", status);
}

void notify_stopping(void)
{
    send_text("STOPPING=1");
}

void notify_alive(void)
{
    send_text("WATCHDOG=1");
}

guint64 notify_watchdog_interval(void)
{
    return watchdog_interval;
}
