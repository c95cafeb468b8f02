#include "config.h"

#include "doctor/machine.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock.h"
#include "doctor/account.h"

#define ROOM_LOW (G_GUINT64_CONSTANT(100) * 1024 * 1024) /* octets */

static void examine_writers(Doctor *doctor, const char *path)
{
    struct stat status;
    g_autofree char *quoted = g_shell_quote(path);

    if (stat(path, &status) == 0 && (status.st_mode & S_IWOTH) != 0)
        finding_command(findings_add(doctor, FINDING_ERROR, "file-mode",
                                     "everybody on this machine may change %s", path),
                        "chmod o-w %s", quoted);
}

/* The daemon reads its files anew as user, when root is long gone. */
static void examine_readable(Doctor *doctor, const DoctorAccount *account, const char *path)
{
    int trouble = doctor_account_access(account, path, R_OK);
    g_autofree char *stopped = NULL;
    g_autofree char *quoted = NULL;
    Finding *finding;

    examine_writers(doctor, path);
    if (trouble == 0) {
        findings_add(doctor, FINDING_FINE, "file-readable", "%s may read %s", account->name, path);
        return;
    }
    stopped = doctor_account_obstacle(account, path);
    quoted = g_shell_quote(stopped);
    finding = findings_add(doctor, FINDING_ERROR, "file-readable",
                           "%s may not read %s (%s at %s): a reload will fail", account->name, path,
                           g_strerror(trouble), stopped);
    if (strcmp(stopped, path) == 0)
        finding_command(finding, "chgrp %u %s && chmod g+r %s", (guint)account->gid, quoted,
                        quoted);
    else
        finding_command(finding, "chmod o+x %s", quoted);
}

static void examine_folder(Doctor *doctor, const DoctorAccount *account, const char *path)
{
    g_autofree char *quoted = g_shell_quote(path);
    int trouble = doctor_account_access(account, path, W_OK | X_OK);

    if (trouble == 0) {
        findings_add(doctor, FINDING_FINE, "state-dir", "%s may write in %s", account->name, path);
        return;
    }
    finding_command(findings_add(doctor, FINDING_ERROR, "state-dir",
                                 "%s may not write in %s (%s): a mode switch will not survive a "
                                 "restart",
                                 account->name, path, g_strerror(trouble)),
                    trouble == ENOENT ? "install -d -o %s -g %u -m 750 %s"
                                      : "chown %s:%u %s && chmod u+rwx %s",
                    account->name, (guint)account->gid, quoted, quoted);
}

static void examine_files(Doctor *doctor)
{
    Settings *settings = doctor->settings;
    g_autoptr(DoctorAccount) account = doctor_account_find(settings->user, settings->group);

    if (account == NULL) {
        finding_command(
            findings_add(doctor, FINDING_ERROR, "account", "there is no user %s or no group %s",
                         settings->user, settings->group),
            "useradd --system --user-group --no-create-home --shell /usr/sbin/nologin %s",
            settings->user);
        return;
    }
    if (!doctor_account_is_tryable(account)) {
        finding_command(findings_add(doctor, FINDING_UNKNOWN, "account",
                                     "only root can try what %s may do with files", account->name),
                        "sudo spfrom doctor");
        return;
    }
    examine_readable(doctor, account, doctor->file);
    if (settings->domain_map != NULL)
        examine_readable(doctor, account, settings->domain_map);
    examine_folder(doctor, account, settings->state_dir);
}

static void examine_room(Doctor *doctor)
{
    const char *path = doctor->settings->state_dir;
    struct statvfs status;
    guint64 room;

    if (statvfs(path, &status) != 0)
        return;
    room = (guint64)status.f_bavail * status.f_frsize;
    if ((status.f_flag & ST_RDONLY) != 0)
        findings_add(doctor, FINDING_ERROR, "disk", "%s can only be read", path);
    else if (room < ROOM_LOW || (status.f_files > 0 && status.f_favail == 0))
        findings_add(doctor, FINDING_WARNING, "disk",
                     "%s has no room: %" G_GUINT64_FORMAT " MiB, %" G_GUINT64_FORMAT " files", path,
                     room / 1024 / 1024, (guint64)status.f_favail);
    else
        findings_add(doctor, FINDING_FINE, "disk", "%s has room: %" G_GUINT64_FORMAT " MiB", path,
                     room / 1024 / 1024);
}

/* No clock is right that says it is before this program was installed. */
static bool is_before_program(void)
{
    struct stat status;

    return stat("/proc/self/exe", &status) == 0 &&
           clock_wall(&clock_system) / CLOCK_SECOND < status.st_ctime;
}

static void examine_clock(Doctor *doctor)
{
    g_autofree char *now = clock_rfc3339(clock_wall(&clock_system));
    struct timex state = {.modes = 0};

    if (is_before_program())
        finding_command(findings_add(doctor, FINDING_ERROR, "clock",
                                     "the clock says %s, which is before spfrom was installed",
                                     now),
                        "timedatectl set-ntp true");
    else if (adjtimex(&state) < 0)
        findings_add(doctor, FINDING_UNKNOWN, "clock",
                     "the clock says %s; whether it is kept right can't be seen here", now);
    else if ((state.status & STA_UNSYNC) != 0)
        finding_command(findings_add(doctor, FINDING_WARNING, "clock",
                                     "the clock says %s, and nothing keeps it right (DNSSEC and "
                                     "signatures need it)",
                                     now),
                        "timedatectl set-ntp true");
    else
        findings_add(doctor, FINDING_FINE, "clock", "the clock says %s, and is kept right", now);
}

void doctor_machine(Doctor *doctor)
{
    if (doctor->settings != NULL) {
        examine_files(doctor);
        examine_room(doctor);
    }
    examine_clock(doctor);
}
