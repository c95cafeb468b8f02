#include "config.h"

#include "fleet/fleet_password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleet/fleet_connection.h"

#define PASSWORD_MAX 1024 /* octets of the first line */

char *fleet_password_problem(const char *file)
{
    char text[PASSWORD_MAX + 2];
    struct stat status;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t length;

    if (fd < 0)
        return g_strdup_printf("can't be read: %s", g_strerror(errno));
    length = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? read(fd, text, sizeof text) : -1;
    close(fd);
    if (length < 0)
        return g_strdup("is not a file; name another one");
    if ((status.st_mode & 07) != 0)
        return g_strdup("is open to others; run chmod o= on it");
    for (ssize_t i = 0; i < length; i++)
        if (text[i] == '\n' || text[i] == '\r')
            length = i;
    if (length == 0)
        return g_strdup("is empty; its first line is the password");
    if (length > PASSWORD_MAX || memchr(text, '\0', (size_t)length) != NULL)
        return g_strdup("has no password in its first line");
    return NULL;
}

char *fleet_password_read(const char *file, GError **error)
{
    char *text = NULL;
    gsize length;

    if (!g_file_get_contents(file, &text, &length, error))
        return NULL;
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0] != '\0' && strlen(text) <= PASSWORD_MAX)
        return text;
    g_set_error(error, FLEET_CONNECTION_ERROR, FLEET_CONNECTION_ERROR_CONNECT,
                "%s: its first line is no password", file);
    g_free(text);
    return NULL;
}
