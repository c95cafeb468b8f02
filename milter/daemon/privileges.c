#include "config.h"

#include "daemon/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0755
#define ACCOUNT_OCTETS                                                                             \
    (256 * 1024) /* of an account's texts: a group may have thousands of members */

G_DEFINE_QUARK(spfrom_privileges_error, privileges_error)

static gint is_started_as_root; /* g_atomic_int_*() only */

static bool refuse_empty_user(GError **error)
{
    g_set_error(error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_ACCOUNT,
                "user: is empty; write the account that the daemon is to run as");
    return false;
}

/* Looks name, the value of key, up. Returns false with error set if there is no such user. */
static bool find_user(const char *name, uid_t *uid, gid_t *gid, GError **error)
{
    g_autofree char *buffer = g_malloc(ACCOUNT_OCTETS);
    struct passwd account;
    struct passwd *found = NULL;

    if (getpwnam_r(name, &account, buffer, ACCOUNT_OCTETS, &found) == 0 && found != NULL) {
        *uid = account.pw_uid;
        *gid = account.pw_gid;
        return true;
    }
    g_set_error(error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_ACCOUNT,
                "user: there is no \"%s\"; create it (useradd --system %s) or write another one",
                name, name);
    return false;
}

static bool find_group(const char *key, const char *name, gid_t *gid, GError **error)
{
    g_autofree char *buffer = g_malloc(ACCOUNT_OCTETS);
    struct group group;
    struct group *found = NULL;

    if (getgrnam_r(name, &group, buffer, ACCOUNT_OCTETS, &found) == 0 && found != NULL) {
        *gid = group.gr_gid;
        return true;
    }
    g_set_error(error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_ACCOUNT,
                "%s: there is no \"%s\"; create it (groupadd --system %s) or write another one",
                key, name, name);
    return false;
}

/* Looks user and group up, with root to be given up. */
static bool find_accounts(Settings *settings, Privileges *privileges, GError **error)
{
    if (settings->user == NULL)
        return refuse_empty_user(error);
    if (!find_user(settings->user, &privileges->uid, &privileges->gid, error))
        return false;
    privileges->user = settings->user;
    privileges->is_to_drop = privileges->uid != 0;
    return settings->group == NULL || find_group("group", settings->group, &privileges->gid, error);
}

bool privileges_find(Settings *settings, Privileges *privileges, GError **error)
{
    *privileges = (Privileges){.uid = geteuid(), .gid = getegid()};
    g_atomic_int_set(&is_started_as_root, geteuid() == 0);
    return geteuid() != 0 || find_accounts(settings, privileges, error);
}

bool privileges_check(Settings *settings, GError **error)
{
    Privileges privileges = {.is_to_drop = false};
    bool has_socket_group =
        settings->socket_group != NULL && g_str_has_prefix(settings->socket, "unix:");
    gid_t gid;

    if (has_socket_group && !find_group("socket_group", settings->socket_group, &gid, error))
        return false;
    return g_atomic_int_get(&is_started_as_root) == 0 ||
           find_accounts(settings, &privileges, error);
}

/* Can nobody but root put something else in the place of folder, a real path, or of what root makes
 * in it? */
static bool is_roots_alone(const char *folder)
{
    g_autofree char *above = g_path_get_dirname(folder);
    struct stat status;

    if (lstat(folder, &status) != 0 || status.st_uid != 0)
        return false;
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0)
        return false;
    return g_str_equal(folder, above) || is_roots_alone(above);
}

/* path with its folder as a real path, if that is root's alone; else NULL. */
static char *roots_path(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    char *real = realpath(folder, NULL); /* the C library's memory */
    char *found = real != NULL && is_roots_alone(real) ? g_build_filename(real, name, NULL) : NULL;

    free(real);
    return found;
}

static bool become(const Privileges *privileges, gid_t group, bool is_root)
{
    if (is_root || !privileges->is_to_drop)
        return setegid(group) == 0;
    return initgroups(privileges->user, privileges->gid) == 0 && setegid(group) == 0 &&
           seteuid(privileges->uid) == 0;
}

char *privileges_enter(const Privileges *privileges, const char *path, gid_t group, GError **error)
{
    g_autofree char *own = NULL;

    if (geteuid() != 0)
        return g_strdup(path);
    own = roots_path(path);
    if (become(privileges, group != (gid_t)-1 ? group : privileges->gid, own != NULL))
        return own != NULL ? g_steal_pointer(&own) : g_strdup(path);
    g_set_error(error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_SYSTEM, "%s can't be made as \"%s\": %s",
                path, privileges->user, g_strerror(errno));
    privileges_leave(privileges);
    return NULL;
}

void privileges_leave(const Privileges *privileges)
{
    if (privileges->user != NULL && (seteuid(0) != 0 || setegid(getgid()) != 0))
        return; /* what needs root will say so */
}

static bool refuse_folder(const char *path, const char *what, GError **error)
{
    g_set_error(error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_FOLDER, "%s: can't be %s: %s", path, what,
                g_strerror(errno));
    return false;
}

static bool make_folder(const Privileges *privileges, const char *path, GError **error)
{
    if (mkdir(path, FOLDER_MODE) != 0)
        return errno == EEXIST || refuse_folder(path, "made", error);
    return geteuid() != 0 || lchown(path, privileges->uid, privileges->gid) == 0 ||
           refuse_folder(path, "given away", error);
}

/* Makes the last folder of path if it is missing (not its parents), for that account. */
static bool make_folder_at(const Privileges *privileges, const char *path, GError **error)
{
    g_autofree char *whole = g_canonicalize_filename(path, NULL);
    g_autofree char *entered = privileges_enter(privileges, whole, (gid_t)-1, error);
    bool is_made;

    if (entered == NULL)
        return false;
    is_made = make_folder(privileges, entered, error);
    privileges_leave(privileges);
    return is_made;
}

/* Makes the folder that the socket at path, the value of key, is to stand in. */
static bool make_folder_of(const Privileges *privileges, const char *key, const char *path,
                           GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);

    if (make_folder_at(privileges, folder, error))
        return true;
    g_prefix_error(error, "%s: ", key);
    return false;
}

/* Mail goes on without a ledger: the ledger's writer tells what is wrong with its folder. */
static void make_ledger_folder(Settings *settings, const Privileges *privileges)
{
    g_autofree char *folder = NULL;

    if (settings->ledger == NULL)
        return;
    folder = g_path_get_dirname(settings->ledger);
    make_folder_at(privileges, folder, NULL);
}

bool privileges_make_folders(Settings *settings, const Privileges *privileges, GError **error)
{
    static const char unix_prefix[] = "unix:";

    if (g_str_has_prefix(settings->socket, unix_prefix) &&
        !make_folder_of(privileges, "socket", settings->socket + strlen(unix_prefix), error))
        return false;
    if (settings->control_socket != NULL &&
        !make_folder_of(privileges, "control_socket", settings->control_socket, error))
        return false;
    if (settings->state_dir != NULL && !make_folder_at(privileges, settings->state_dir, error)) {
        g_prefix_error(error, "state_dir: ");
        return false;
    }
    make_ledger_folder(settings, privileges);
    return true;
}

/* Would make_folder() make path, or is it there? */
static bool check_folder(const char *path, GError **error)
{
    g_autofree char *whole = g_canonicalize_filename(path, NULL);
    g_autofree char *above = g_path_get_dirname(whole);
    struct stat status;

    if (stat(whole, &status) == 0) {
        errno = ENOTDIR;
        return S_ISDIR(status.st_mode) || refuse_folder(path, "used", error);
    }
    if (errno != ENOENT)
        return refuse_folder(path, "used", error);
    if (stat(above, &status) == 0 && !S_ISDIR(status.st_mode))
        errno = ENOTDIR;
    else if (access(above, W_OK | X_OK) == 0)
        return true;
    return refuse_folder(path, "made", error);
}

static void note(GPtrArray *errors, const char *key, GError *error)
{
    if (error == NULL)
        return;
    if (!g_str_has_prefix(error->message, key))
        g_prefix_error(&error, "%s: ", key);
    g_ptr_array_add(errors, error);
}

static void note_folder(GPtrArray *errors, const char *key, const char *path)
{
    GError *error = NULL;

    check_folder(path, &error);
    note(errors, key, error);
}

/* May a socket be made in folder, if it is there? Asked with the rights with which it would be. */
static bool check_writable(Settings *settings, const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "socket", NULL);
    g_autofree char *entered = NULL;
    Privileges privileges;
    int trouble = 0;

    if (access(folder, F_OK) != 0 || !privileges_find(settings, &privileges, NULL))
        return true;
    entered = privileges_enter(&privileges, path, (gid_t)-1, NULL);
    if (entered == NULL)
        return true;
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0)
        trouble = errno;
    privileges_leave(&privileges);
    errno = trouble;
    return trouble == 0 || refuse_folder(folder, "used", error);
}

static void note_socket_folder(Settings *settings, GPtrArray *errors, const char *key,
                               const char *folder)
{
    GError *error = NULL;

    if (check_folder(folder, &error))
        check_writable(settings, folder, &error);
    note(errors, key, error);
}

static void note_accounts(Settings *settings, GPtrArray *errors)
{
    uid_t uid;
    gid_t gid;
    GError *of_user = NULL;
    GError *of_group = NULL;

    if (settings->user == NULL)
        refuse_empty_user(&of_user);
    else
        find_user(settings->user, &uid, &gid, &of_user);
    note(errors, "user", of_user);
    if (settings->group != NULL)
        find_group("group", settings->group, &gid, &of_group);
    note(errors, "group", of_group);
}

void privileges_examine(Settings *settings, GPtrArray *errors)
{
    bool is_unix = g_str_has_prefix(settings->socket, "unix:");
    g_autofree char *folder =
        is_unix ? g_path_get_dirname(settings->socket + strlen("unix:")) : NULL;
    g_autofree char *control =
        settings->control_socket != NULL ? g_path_get_dirname(settings->control_socket) : NULL;
    GError *of_group = NULL;
    gid_t gid;

    if (geteuid() == 0)
        note_accounts(settings, errors);
    if (is_unix && settings->socket_group != NULL)
        find_group("socket_group", settings->socket_group, &gid, &of_group);
    note(errors, "socket_group", of_group);
    if (folder != NULL)
        note_socket_folder(settings, errors, "socket", folder);
    if (control != NULL)
        note_socket_folder(settings, errors, "control_socket", control);
    if (settings->state_dir != NULL)
        note_folder(errors, "state_dir", settings->state_dir);
}

bool privileges_drop(const Privileges *privileges, GError **error)
{
    if (!privileges->is_to_drop)
        return true;
    if (initgroups(privileges->user, privileges->gid) == 0 && setgid(privileges->gid) == 0 &&
        setuid(privileges->uid) == 0)
        return true;
    g_set_error(error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_SYSTEM,
                "privileges can't be dropped to \"%s\": %s", privileges->user, g_strerror(errno));
    return false;
}
