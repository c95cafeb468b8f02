/*
 * Preloaded into a private Sendmail, for the two things that its configuration can't say: the
 * host's name (without a dot in it, each start waits for a minute), and where the log goes.
 *
 * SHIM_HOST_NAME  what gethostname() tells
 * SHIM_LOG_FILE   gets the lines; it exists and everyone may write to it
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static char host_name[256];
static char log_file[4096];

static void copy_variable(char *copy, size_t size, const char *name)
{
    const char *value = getenv(name);

    snprintf(copy, size, "%s", value != NULL ? value : "");
}

/* Before main(): Sendmail cleans its environment. */
__attribute__((constructor)) static void copy_variables(void)
{
    copy_variable(host_name, sizeof(host_name), "SHIM_HOST_NAME");
    copy_variable(log_file, sizeof(log_file), "SHIM_LOG_FILE");
}

int gethostname(char *name, size_t length)
{
    if (strlen(host_name) >= length) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, host_name, strlen(host_name) + 1);
    return 0;
}

__attribute__((format(printf, 1, 0))) static void append(const char *format, va_list arguments)
{
    int saved = errno;
    char line[4096];
    int length = vsnprintf(line, sizeof(line) - 1, format, arguments);
    int file = open(log_file, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (length > 0 && file >= 0) {
        size_t kept = (size_t)length < sizeof(line) - 1 ? (size_t)length : sizeof(line) - 2;
        line[kept] = '\n';
        (void)!write(file, line, kept + 1);
    }
    if (file >= 0)
        close(file);
    errno = saved;
}

void vsyslog(int priority, const char *format, va_list arguments)
{
    (void)priority;
    append(format, arguments);
}

void syslog(int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsyslog(priority, format, arguments);
    va_end(arguments);
}

/* What the two are called in programs built with _FORTIFY_SOURCE. */
__attribute__((format(printf, 3, 0))) void __vsyslog_chk(int priority, int flag, const char *format,
                                                         va_list arguments);
__attribute__((format(printf, 3, 4))) void __syslog_chk(int priority, int flag, const char *format,
                                                        ...);

void __vsyslog_chk(int priority, int flag, const char *format, va_list arguments)
{
    (void)flag;
    vsyslog(priority, format, arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    __vsyslog_chk(priority, flag, format, arguments);
    va_end(arguments);
}
