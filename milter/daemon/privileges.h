#ifndef SPFROM_DAEMON_PRIVILEGES_H
#define SPFROM_DAEMON_PRIVILEGES_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "policy/settings.h"

/* The account that the daemon runs as once it listens. */
typedef struct {
    bool is_to_drop; /* started as root, and user is another one */
    uid_t uid;
    gid_t gid;
    const char *user; /* its name, borrowed from the settings; NULL if not started as root */
} Privileges;

#define PRIVILEGES_ERROR (privileges_error_quark())
typedef enum {
    PRIVILEGES_ERROR_ACCOUNT,
    PRIVILEGES_ERROR_FOLDER,
    PRIVILEGES_ERROR_SYSTEM
} PrivilegesError;
GQuark privileges_error_quark(void);

/* Looks user and group of the settings up; they mean nothing if the daemon was not started as
 * root. The error begins with the name of the key, as do all of this file. */
bool privileges_find(Settings *settings, Privileges *privileges, GError **error);

/* Would privileges_find() find the accounts of settings, and is there a group for the socket? For a
 * reload, when root is given up already; any thread may ask. */
bool privileges_check(Settings *settings, GError **error);

/*
 * Before something is made at path, as root: from now on everything is made in group ((gid_t)-1:
 * the account's own), and, unless the folder of path and those above it are root's alone, with no
 * more than the account's rights. So nobody who can write there, and moves files about meanwhile,
 * turns root's rights on another file. Without root, nothing changes.
 *
 * Returns path as it is to be used, owned by the caller; then call privileges_leave(). NULL with
 * error set.
 */
char *privileges_enter(const Privileges *privileges, const char *path, gid_t group, GError **error);
void privileges_leave(const Privileges *privileges);

/* Makes the folders that the settings name: of the sockets, state_dir, and that of the ledger. */
bool privileges_make_folders(Settings *settings, const Privileges *privileges, GError **error);

/*
 * Appends to errors (of GError *) what would keep the daemon from starting: accounts and groups that
 * there are not, folders that can't be made or used. Makes nothing. Each begins with the name of its
 * key.
 */
void privileges_examine(Settings *settings, GPtrArray *errors);

/* Drops them for good. */
bool privileges_drop(const Privileges *privileges, GError **error);
#endif
