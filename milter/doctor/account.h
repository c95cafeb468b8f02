#ifndef SPFROM_DOCTOR_ACCOUNT_H
#define SPFROM_DOCTOR_ACCOUNT_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* What another account of this machine may do: tried as that account, in a child process. */
typedef struct {
    char *name;
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* all of them, gid included */
    int group_count;
} DoctorAccount;

/*
 * group  in place of the account's own; NULL: its own alone
 * Returns NULL where there is no such user or group. Freed with doctor_account_free().
 */
DoctorAccount *doctor_account_find(const char *user, const char *group);
void doctor_account_free(DoctorAccount *account);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DoctorAccount, doctor_account_free)

/* Can we try as account at all? Root can, and account itself. */
bool doctor_account_is_tryable(const DoctorAccount *account);

/* May account do mode (R_OK, W_OK, X_OK) with path? Returns 0 or errno. */
int doctor_account_access(const DoctorAccount *account, const char *path, int mode);

/* May account connect to the unix socket at path? Returns 0 or errno. */
int doctor_account_connect(const DoctorAccount *account, const char *path);

/*
 * Where on the way to path account is stopped: the first folder that it may not enter, else path.
 * Owned by the caller.
 */
char *doctor_account_obstacle(const DoctorAccount *account, const char *path);
#endif
