#ifndef SPFROM_DOCTOR_MACHINE_H
#define SPFROM_DOCTOR_MACHINE_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "doctor/findings.h"

/* What this machine gives the daemon: its account, its files, room on the disk, the clock. */
void doctor_machine(Doctor *doctor);

/* Another account of this machine. What it may do is tried as that account, in a child process. */
typedef struct {
    char *name;
    uid_t uid;
    gid_t gid;
    /* All groups, gid included. */
    gid_t *groups;
    int group_count;
} MachineAccount;

/*
 * group  the account's group in place of its own; NULL for its own
 * Returns a new value, freed with machine_account_free(), or NULL if there is no such user or
 * group.
 */
MachineAccount *machine_account_find(const char *user, const char *group);
void machine_account_free(MachineAccount *account);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MachineAccount, machine_account_free)

/* Can we act as account at all? Root can, and the account itself. */
bool machine_account_is_tryable(const MachineAccount *account);

/* May account connect to the unix socket at path? Returns 0 or errno. */
int machine_account_connect(const MachineAccount *account, const char *path);

/* The place at which account is stopped on its way to path: the first folder that it may not enter,
 * else path. Owned by the caller. */
char *machine_account_obstacle(const MachineAccount *account, const char *path);

/* Another program, run to its end: postconf, postmap. It gets no shell and no input; its time and
 * its output are bounded. */
typedef struct {
    /* The exit status; -1 if a signal ended it. */
    int status;
    char *output;
    /* What it wrote on stderr. */
    char *complaints;
} MachineProgram;

#define MACHINE_ERROR (machine_error_quark())
typedef enum { MACHINE_ERROR_START, MACHINE_ERROR_LATE, MACHINE_ERROR_LONG } MachineError;
GQuark machine_error_quark(void);

/*
 * argv      NULL-terminated; argv[0] is a path
 * deadline  it gets no more than ten seconds before it
 * Returns what came of it, freed with machine_program_free(), or NULL with error (MACHINE_ERROR)
 * set.
 */
MachineProgram *machine_program_run(const char *const *argv, Deadline deadline, GError **error);
/* The same in directory; NULL for ours. */
MachineProgram *machine_program_run_in(const char *directory, const char *const *argv,
                                       Deadline deadline, GError **error);
void machine_program_free(MachineProgram *program);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MachineProgram, machine_program_free)

/* The path of a program, looked for in the directories of system programs and in PATH; NULL if it
 * is not there. Owned by the caller. */
char *machine_program_find(const char *name);
#endif
