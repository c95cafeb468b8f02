#include "config.h"

#include "base/log_output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SYSLOG_SOCKET "/dev/log"

/* Set by log_output_open() before there are threads. */
static const char *program_name = "spfrom";
static LogTarget log_target = LOG_TARGET_STDERR;
static bool is_journal;

/* Used by log_output_write() and, to write only, by log_output_write_crash(). */
static int syslog_fd = -1;
static bool is_syslog_stream; /* a line then ends with a NUL */

/*
 * Is stderr the journal's stream? It takes a line's level from "<N>" before it, and adds the
 * program's name itself (sd-daemon(3), systemd.exec(5): JOURNAL_STREAM).
 */
static bool stderr_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    g_autofree char *own = NULL;
    struct stat status;

    if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
        return false;
    own = g_strdup_printf("%lu:%lu", (gulong)status.st_dev, (gulong)status.st_ino);
    return strcmp(own, stream) == 0;
}

static void close_syslog(void)
{
    if (syslog_fd >= 0)
        close(syslog_fd);
    syslog_fd = -1;
}

static int connect_syslog(int type)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SYSLOG_SOCKET};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Returns whether there is a syslog daemon to write to. */
static bool open_syslog(void)
{
    if (syslog_fd >= 0)
        return true;
    is_syslog_stream = false;
    syslog_fd = connect_syslog(SOCK_DGRAM);
    if (syslog_fd < 0 && errno == EPROTOTYPE) {
        is_syslog_stream = true;
        syslog_fd = connect_syslog(SOCK_STREAM);
    }
    return syslog_fd >= 0;
}

void log_output_open(const char *program, LogTarget target)
{
    program_name = program;
    log_target = target;
    is_journal = stderr_is_journal();
    close_syslog();
    if (target == LOG_TARGET_SYSLOG)
        open_syslog();
}

/* The head of RFC 3164 section 4.1, in local time, as syslog(3) writes it. */
static char *syslog_line(int level, const char *text)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm local = {0};

    localtime_r(&now, &local);
    return g_strdup_printf("<%d>%s %2d %02d:%02d:%02d %s[%d]: %s", LOG_MAIL | level,
                           months[local.tm_mon], local.tm_mday, local.tm_hour, local.tm_min,
                           local.tm_sec, program_name, (int)getpid(), text);
}

GBytes *log_output_line(int level, const char *text)
{
    char *line;

    if (log_target == LOG_TARGET_SYSLOG)
        line = syslog_line(level, text);
    else if (is_journal)
        line = g_strdup_printf("<%d>%s\n", level, text);
    else
        line = g_strdup_printf("%s: %s\n", program_name, text);
    return g_bytes_new_take(line, strlen(line));
}

static LogOutputResult result_of(ssize_t written)
{
    if (written >= 0)
        return LOG_OUTPUT_WRITTEN;
    return errno == EAGAIN ? LOG_OUTPUT_BUSY : LOG_OUTPUT_FAILED;
}

static bool is_writable(int fd, int patience)
{
    struct pollfd polled = {.fd = fd, .events = POLLOUT};

    return poll(&polled, 1, patience) > 0;
}

/* Writes the whole line at once, if it can, so that it does not mix with lines of other processes. */
static LogOutputResult write_stderr(const char *line, gsize length, int patience)
{
    bool is_ready = patience < 0; /* then write() may wait */

    while (length > 0) {
        if (!is_ready && !is_writable(STDERR_FILENO, patience))
            return LOG_OUTPUT_BUSY;
        ssize_t octets = write(STDERR_FILENO, line, length);
        if (octets < 0 && result_of(octets) != LOG_OUTPUT_BUSY)
            return LOG_OUTPUT_FAILED;
        is_ready = octets > 0 && patience < 0;
        line += MAX(octets, 0);
        length -= (gsize)MAX(octets, 0);
    }
    return LOG_OUTPUT_WRITTEN;
}

static LogOutputResult send_syslog(const char *line, gsize length)
{
    return result_of(
        send(syslog_fd, line, length + (is_syslog_stream ? 1 : 0), MSG_NOSIGNAL | MSG_DONTWAIT));
}

/* The daemon may have been started anew since the last line: a second try is on a new socket. */
static LogOutputResult write_syslog(const char *line, gsize length, int patience)
{
    LogOutputResult result = LOG_OUTPUT_FAILED;

    for (int try = 0; try < 2 && result == LOG_OUTPUT_FAILED && open_syslog(); try++) {
        do
            result = send_syslog(line, length);
        while (result == LOG_OUTPUT_BUSY && is_writable(syslog_fd, patience));
        if (result == LOG_OUTPUT_FAILED)
            close_syslog();
    }
    return result;
}

LogOutputResult log_output_write(GBytes *line, int patience)
{
    gsize length;
    const char *octets = g_bytes_get_data(line, &length);

    return log_target == LOG_TARGET_SYSLOG ? write_syslog(octets, length, patience)
                                           : write_stderr(octets, length, patience);
}

/* A pipe takes so much at once, or nothing. A datagram is one line. */
gsize log_output_join_max(void)
{
    return log_target == LOG_TARGET_SYSLOG ? 0 : PIPE_BUF;
}

static struct iovec part(const char *text)
{
    return (struct iovec){.iov_base = (char *)text, .iov_len = strlen(text)};
}

void log_output_write_crash(const char *text)
{
    const char syslog_level[] = {'<', '0' + (LOG_MAIL | LOG_CRIT) / 10,
                                 '0' + (LOG_MAIL | LOG_CRIT) % 10, '>', '\0'};
    const char journal_level[] = {'<', '0' + LOG_CRIT, '>', '\0'};
    bool is_syslog = log_target == LOG_TARGET_SYSLOG;
    const struct iovec line[] = {part(is_syslog    ? syslog_level
                                      : is_journal ? journal_level
                                                   : ""),
                                 part(is_journal && !is_syslog ? "" : program_name),
                                 part(is_journal && !is_syslog ? "" : ": "), part(text),
                                 part(is_syslog ? "" : "\n")};
    int fd = is_syslog ? syslog_fd : STDERR_FILENO;

    if (is_writable(fd, 0) && writev(fd, line, G_N_ELEMENTS(line)) < 0)
        return; /* there is nowhere left to report it */
}
