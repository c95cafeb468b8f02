#include "config.h"

#include "doctor/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static bool find_group(const char *name, gid_t *gid)
{
    const struct group *group = name != NULL ? getgrnam(name) : NULL;

    if (group != NULL)
        *gid = group->gr_gid;
    return name == NULL || group != NULL;
}

DoctorAccount *doctor_account_find(const char *user, const char *group)
{
    const struct passwd *entry = getpwnam(user);
    g_autoptr(DoctorAccount) account = NULL;

    if (entry == NULL)
        return NULL;
    account = g_new0(DoctorAccount, 1);
    account->name = g_strdup(user);
    account->uid = entry->pw_uid;
    account->gid = entry->pw_gid;
    if (!find_group(group, &account->gid))
        return NULL;
    getgrouplist(user, account->gid, NULL, &account->group_count);
    account->groups = g_new0(gid_t, account->group_count);
    getgrouplist(user, account->gid, account->groups, &account->group_count);
    return g_steal_pointer(&account);
}

void doctor_account_free(DoctorAccount *account)
{
    g_free(account->name);
    g_free(account->groups);
    g_free(account);
}

bool doctor_account_is_tryable(const DoctorAccount *account)
{
    return geteuid() == 0 || geteuid() == account->uid;
}

/* Only system calls from here on: the process may have had threads. */
static int become(const DoctorAccount *account)
{
    if (geteuid() != 0)
        return 0;
    if (setgroups((size_t)account->group_count, account->groups) != 0 ||
        setresgid(account->gid, account->gid, account->gid) != 0 ||
        setresuid(account->uid, account->uid, account->uid) != 0)
        return errno;
    return 0;
}

static int try_access(const char *path, int mode)
{
    return access(path, mode) == 0 ? 0 : errno;
}

static int try_connect(const char *path, int unused G_GNUC_UNUSED)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (strlen(path) >= sizeof to.sun_path)
        return ENAMETOOLONG;
    memcpy(to.sun_path, path, strlen(path) + 1);
    return fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
}

/* Runs action in a child that is account. Returns what it returns; an errno fits an exit status. */
static int in_child(const DoctorAccount *account, int (*action)(const char *path, int mode),
                    const char *path, int mode)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        int trouble = become(account);

        _exit(trouble != 0 ? trouble : action(path, mode));
    }
    if (child < 0)
        return errno;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int doctor_account_access(const DoctorAccount *account, const char *path, int mode)
{
    return in_child(account, try_access, path, mode);
}

int doctor_account_connect(const DoctorAccount *account, const char *path)
{
    return in_child(account, try_connect, path, 0);
}

char *doctor_account_obstacle(const DoctorAccount *account, const char *path)
{
    g_autofree char *whole = g_canonicalize_filename(path, "/");

    for (char *slash = strchr(whole + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (doctor_account_access(account, whole, X_OK) != 0)
            return g_steal_pointer(&whole);
        *slash = '/';
    }
    return g_steal_pointer(&whole);
}
