#include "config.h"

#include "returns/return_key.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "returns/return_store.h"

#define ACCOUNT_MAX 16384 /* octets of an account's texts */

G_DEFINE_QUARK(spfrom_return_key_error, return_key_error)

static bool fail(GError **error, ReturnKeyError code, const char *file, const char *what)
{
    g_set_error(error, RETURN_KEY_ERROR, code, "return_key: %s: %s", file, what);
    return false;
}

static bool fail_by(GError **error, const char *file, const char *what, int cause)
{
    g_autofree char *text = g_strdup_printf("%s: %s", what, g_strerror(cause));

    return fail(error, RETURN_KEY_ERROR_FILE, file, text);
}

/* Returns whether uid is that of the account name. */
static bool is_account(uid_t uid, const char *name)
{
    char texts[ACCOUNT_MAX];
    struct passwd account;
    struct passwd *found = NULL;

    return name != NULL && getpwnam_r(name, &account, texts, sizeof texts, &found) == 0 &&
           found != NULL && found->pw_uid == uid;
}

static bool is_trusted(Settings *settings, const struct stat *status)
{
    return status->st_uid == 0 || status->st_uid == geteuid() ||
           is_account(status->st_uid, settings->user);
}

static bool read_open(Settings *settings, int fd, guint8 secret[RETURN_KEY_LENGTH], GError **error)
{
    const char *file = settings->return_key_file;
    guint8 octets[RETURN_KEY_LENGTH + 1];
    struct stat status;
    ssize_t length;

    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return fail(error, RETURN_KEY_ERROR_FILE, file, "is not a file; name another one");
    if (!is_trusted(settings, &status))
        return fail(error, RETURN_KEY_ERROR_FILE, file,
                    "belongs to another user; make it root's or the daemon's with chown");
    if ((status.st_mode & 077) != 0)
        return fail(error, RETURN_KEY_ERROR_FILE, file, "is open to others; run chmod 600 on it");
    length = read(fd, octets, sizeof octets);
    if (length < 0)
        return fail_by(error, file, "can't be read", errno);
    if (length != RETURN_KEY_LENGTH)
        return fail(error, RETURN_KEY_ERROR_FILE, file,
                    "is not 32 octets; put the right file there, or remove it");
    memcpy(secret, octets, RETURN_KEY_LENGTH);
    return true;
}

/* No file: whether that is right depends on whether tokens were given out. */
static bool fail_missing(Settings *settings, GError **error)
{
    g_autofree char *store = settings->state_dir != NULL
                                 ? g_build_filename(settings->state_dir, RETURN_STORE_NAME, NULL)
                                 : NULL;

    if (store == NULL || access(store, F_OK) != 0)
        return fail(error, RETURN_KEY_ERROR_MISSING, settings->return_key_file, "is missing");
    return fail(error, RETURN_KEY_ERROR_LOST, settings->return_key_file,
                "is missing, but it was there before; put it back from a backup, or make a new "
                "one: head -c 32 /dev/urandom, chmod 600");
}

bool return_key_read(Settings *settings, guint8 secret[RETURN_KEY_LENGTH], GError **error)
{
    int fd;
    bool is_read;

    if (settings->return_key_file == NULL)
        return fail(error, RETURN_KEY_ERROR_FILE, "state_dir", "is empty; name a file");
    fd = open(settings->return_key_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? fail_missing(settings, error)
                               : fail_by(error, settings->return_key_file, "can't be read", errno);
    is_read = read_open(settings, fd, secret, error);
    close(fd);
    return is_read;
}

/* Makes the file at path with new octets, on the disk. */
static bool write_file(const char *path, guint8 secret[RETURN_KEY_LENGTH])
{
    int fd;
    bool is_written;

    if (getrandom(secret, RETURN_KEY_LENGTH, 0) != RETURN_KEY_LENGTH)
        return false;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    is_written = write(fd, secret, RETURN_KEY_LENGTH) == RETURN_KEY_LENGTH && fsync(fd) == 0;
    return close(fd) == 0 && is_written;
}

bool return_key_make(Settings *settings, guint8 secret[RETURN_KEY_LENGTH], GError **error)
{
    const char *file = settings->return_key_file;
    g_autofree char *draft = g_strdup_printf("%s.%ld", file, (long)getpid());
    bool is_made;
    int cause;

    g_unlink(draft); /* of a process that was killed */
    is_made = write_file(draft, secret) && link(draft, file) == 0;
    cause = errno;
    g_unlink(draft);
    if (is_made)
        return true;
    if (cause == EEXIST)
        return return_key_read(settings, secret, error);
    return fail_by(error, file, "can't be made", cause);
}
