#include "config.h"

#include "daemon/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0755

G_DEFINE_QUARK(spfrom_privileges_error, privileges_error)

bool privileges_find(Settings *settings, Privileges *privileges, GError **error)
{
    const struct passwd *user;
    const struct group *group;

    *privileges = (Privileges){.uid = geteuid(), .gid = getegid()};
    if (geteuid() != 0)
        return true;
    if (settings->user == NULL) {
        g_set_error(error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_ACCOUNT,
                    "%s: user: is empty; write the account that the daemon is to run as",
                    settings->file);
        return false;
    }
    user = getpwnam(settings->user);
    if (user == NULL) {
        g_set_error(
            error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_ACCOUNT,
            "%s: user: there is no \"%s\"; create it (useradd --system %s) or write another one",
            settings->file, settings->user, settings->user);
        return false;
    }
    privileges->uid = user->pw_uid;
    privileges->gid = user->pw_gid;
    privileges->is_to_drop = user->pw_uid != 0;
    group = settings->group != NULL ? getgrnam(settings->group) : NULL;
    if (settings->group != NULL && group == NULL) {
        g_set_error(
            error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_ACCOUNT,
            "%s: group: there is no \"%s\"; create it (groupadd --system %s) or write another one",
            settings->file, settings->group, settings->group);
        return false;
    }
    if (group != NULL)
        privileges->gid = group->gr_gid;
    return true;
}

bool privileges_make_folder(const Privileges *privileges, const char *path, GError **error)
{
    if (mkdir(path, FOLDER_MODE) != 0) {
        if (errno == EEXIST)
            return true;
        g_set_error(error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_FOLDER, "%s: can't be made: %s", path,
                    g_strerror(errno));
        return false;
    }
    if (privileges->is_to_drop && chown(path, privileges->uid, privileges->gid) != 0) {
        g_set_error(error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_FOLDER, "%s: can't be given away: %s",
                    path, g_strerror(errno));
        return false;
    }
    return true;
}

/* Makes the folder that the socket at path, the value of key, is to stand in. */
static bool make_folder_of(const Privileges *privileges, const char *key, const char *path,
                           GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);

    if (privileges_make_folder(privileges, folder, error))
        return true;
    g_prefix_error(error, "%s: ", key);
    return false;
}

/* Mail goes on without a ledger: what is wrong with its folder is told by who writes it. */
static void make_ledger_folder(Settings *settings, const Privileges *privileges)
{
    g_autofree char *folder = NULL;

    if (settings->ledger == NULL)
        return;
    folder = g_path_get_dirname(settings->ledger);
    privileges_make_folder(privileges, folder, NULL);
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
    if (settings->state_dir != NULL &&
        !privileges_make_folder(privileges, settings->state_dir, error))
        return false;
    make_ledger_folder(settings, privileges);
    return true;
}

bool privileges_drop(Settings *settings, const Privileges *privileges, GError **error)
{
    if (!privileges->is_to_drop)
        return true;
    if (initgroups(settings->user, privileges->gid) == 0 && setgid(privileges->gid) == 0 &&
        setuid(privileges->uid) == 0)
        return true;
    g_set_error(error, PRIVILEGES_ERROR, PRIVILEGES_ERROR_SYSTEM,
                "privileges can't be dropped to \"%s\": %s", settings->user, g_strerror(errno));
    return false;
}
