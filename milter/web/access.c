#include "config.h"

#include "web/access.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/domain_name.h"
#include "base/network.h"

/* Octets. */
#define AUTHORIZATION_MAX 1024
#define DIGEST_LENGTH 32

G_DEFINE_QUARK(spfrom_access_error, access_error)

static bool read_line(FILE *stream, char line[ACCESS_LINE_MAX])
{
    if (fgets(line, ACCESS_LINE_MAX, stream) == NULL)
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return *line != '\0' && *line != ':' && line[strlen(line) - 1] != ':';
}

static char *read_stream(FILE *stream, const char *file, GError **error)
{
    char line[ACCESS_LINE_MAX];
    struct stat status;

    if (fstat(fileno(stream), &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        g_set_error(error, ACCESS_ERROR, ACCESS_ERROR_FILE, "%s: everyone can read it; chmod o-rwx",
                    file);
        return NULL;
    }
    if (!read_line(stream, line)) {
        g_set_error(error, ACCESS_ERROR, ACCESS_ERROR_FILE,
                    "%s: its first line is no NAME:PASSWORD and no password", file);
        return NULL;
    }
    return g_strdup(line);
}

char *access_password_read(const char *file, GError **error)
{
    FILE *stream = fopen(file, "re");
    char *password;

    if (stream == NULL && errno == EACCES) {
        g_set_error(error, ACCESS_ERROR, ACCESS_ERROR_FILE,
                    "%s: %m; it has to be readable for the account that runs spfrom web, for "
                    "spfrom-web.service by its group: chgrp spfrom %s; chmod 640 %s",
                    file, file, file);
        return NULL;
    }
    if (stream == NULL) {
        g_set_error(error, ACCESS_ERROR, ACCESS_ERROR_FILE, "%s: %m", file);
        return NULL;
    }
    password = read_stream(stream, file, error);
    fclose(stream);
    return password;
}

static void digest_of(const char *text, guint8 digest[DIGEST_LENGTH])
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = DIGEST_LENGTH;

    g_checksum_update(checksum, (const guchar *)text, (gssize)strlen(text));
    g_checksum_get_digest(checksum, digest, &length);
}

/* Compares all octets of their digests, so that the time that it takes says nothing about either.
 * */
static bool is_equal(const char *a, const char *b)
{
    guint8 digests[2][DIGEST_LENGTH];
    guint8 difference = 0;

    digest_of(a, digests[0]);
    digest_of(b, digests[1]);
    for (size_t i = 0; i < DIGEST_LENGTH; i++)
        difference |= digests[0][i] ^ digests[1][i];
    return difference == 0;
}

/* NAME:PASSWORD of the field, owned by the caller; "" if there is none. */
static char *decode(const char *authorization)
{
    static const char scheme[] = "Basic ";
    g_autofree guchar *octets = NULL;
    gsize length;

    if (authorization == NULL || strlen(authorization) > AUTHORIZATION_MAX ||
        g_ascii_strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return g_strdup("");
    octets = g_base64_decode(authorization + strlen(scheme), &length);
    return g_strndup((const char *)octets, length);
}

bool access_password_is_right(const char *password, const char *authorization)
{
    g_autofree char *given = decode(authorization);
    const char *colon = strchr(given, ':');

    if (strchr(password, ':') != NULL)
        return is_equal(password, given);
    return is_equal(password, colon != NULL ? colon + 1 : "");
}

/* Nothing, or a colon and digits. */
static bool is_port(const char *text)
{
    return *text == '\0' || (*text == ':' && text[1 + strspn(text + 1, "0123456789")] == '\0');
}

static char *parse_brackets(const char *host)
{
    const char *end = strchr(host, ']');

    if (end == NULL || !is_port(end + 1))
        return NULL;
    return g_ascii_strdown(host + 1, end - host - 1);
}

char *access_host_parse(const char *host)
{
    g_autofree char *name = NULL;
    gsize length;

    if (host[0] == '[')
        return parse_brackets(host);
    length = strcspn(host, ":");
    if (length == 0 || length > DOMAIN_NAME_MAX + 1 || !is_port(host + length))
        return NULL;
    name = g_ascii_strdown(host, (gssize)length);
    if (name[length - 1] == '.')
        name[length - 1] = '\0';
    return *name != '\0' ? g_steal_pointer(&name) : NULL;
}

static bool is_loopback(const Network *address)
{
    if (address->family == AF_INET)
        return address->octets[0] == 127;
    for (size_t i = 0; i < 15; i++)
        if (address->octets[i] != 0)
            return false;
    return address->octets[15] == 1;
}

static bool is_our_address(const Network *address, const char *local)
{
    Network ours;

    return is_loopback(address) ||
           (network_parse(local, &ours, NULL) && network_is_equal(address, &ours));
}

bool access_host_is_ours(const char *host, const char *local, const char *const *names)
{
    g_autofree char *name = host != NULL ? access_host_parse(host) : NULL;
    Network address;

    if (name == NULL)
        return false;
    for (; names != NULL && *names != NULL; names++)
        if (g_ascii_strcasecmp(name, *names) == 0)
            return true;
    if (strcmp(name, "localhost") == 0)
        return true;
    return strchr(name, '/') == NULL && network_parse(name, &address, NULL) &&
           is_our_address(&address, local);
}
