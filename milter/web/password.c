#include "config.h"

#include "web/password.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define AUTHORIZATION_MAX 1024 /* octets */
#define DIGEST_LENGTH 32

G_DEFINE_QUARK(spfrom_password_error, password_error)

static bool read_line(FILE *stream, char line[PASSWORD_FILE_MAX])
{
    if (fgets(line, PASSWORD_FILE_MAX, stream) == NULL)
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return *line != '\0' && *line != ':' && line[strlen(line) - 1] != ':';
}

static char *read_stream(FILE *stream, const char *file, GError **error)
{
    char line[PASSWORD_FILE_MAX];
    struct stat status;

    if (fstat(fileno(stream), &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        g_set_error(error, PASSWORD_ERROR, PASSWORD_ERROR_FILE,
                    "%s: everyone can read it; chmod o-rwx", file);
        return NULL;
    }
    if (!read_line(stream, line)) {
        g_set_error(error, PASSWORD_ERROR, PASSWORD_ERROR_FILE,
                    "%s: its first line is no NAME:PASSWORD and no password", file);
        return NULL;
    }
    return g_strdup(line);
}

char *password_read(const char *file, GError **error)
{
    FILE *stream = fopen(file, "re");
    char *password;

    if (stream == NULL) {
        g_set_error(error, PASSWORD_ERROR, PASSWORD_ERROR_FILE, "%s: %m", file);
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

/* Their digests are compared, all octets of them: the time says nothing about either. */
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

/* NAME:PASSWORD of the field, owned by the caller; "" where there is none. */
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

bool password_is_right(const char *password, const char *authorization)
{
    g_autofree char *given = decode(authorization);
    const char *colon = strchr(given, ':');

    if (strchr(password, ':') != NULL)
        return is_equal(password, given);
    return is_equal(password, colon != NULL ? colon + 1 : "");
}
