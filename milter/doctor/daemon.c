#include "config.h"

#include "doctor/daemon.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/control_client.h"
#include "doctor/machine.h"
#include "doctor/milter_address.h"

#define PROGRAM "spfrom-milter"

static void add_silent(Doctor *doctor, int trouble)
{
    Finding *finding =
        findings_add(doctor, FINDING_ERROR, "milter-socket", "nothing answers at %s (%s)",
                     doctor->settings->socket, g_strerror(trouble));

    if (trouble == EACCES || trouble == EPERM)
        finding_command(finding, "sudo spfrom doctor");
    else
        finding_command(finding, "systemctl restart spfrom");
}

static void add_answer(Doctor *doctor, const MilterAddress *address)
{
    const char *socket = doctor->settings->socket;
    g_autofree char *program = milter_address_program(address, doctor->deadline);

    if (program == NULL || g_str_has_prefix(PROGRAM, program))
        findings_add(doctor, FINDING_FINE, "milter-socket",
                     program != NULL ? "spfrom-milter answers at %s" : "a milter answers at %s",
                     socket);
    else
        finding_advise(findings_add(doctor, FINDING_ERROR, "milter-socket",
                                    "%s listens at %s in place of spfrom-milter", program, socket),
                       "stop it, or choose another socket in %s", doctor->file);
}

static void examine_socket(Doctor *doctor)
{
    g_autoptr(MilterAddress) address = milter_address_parse_sendmail(doctor->settings->socket);
    Deadline deadline = deadline_shortened(doctor->deadline, MILTER_ADDRESS_SECONDS);
    int fd = address != NULL ? milter_address_connect(address, deadline) : -1;

    if (fd < 0) {
        add_silent(doctor, errno);
        return;
    }
    if (milter_address_negotiate(fd, deadline))
        add_answer(doctor, address);
    else
        finding_command(findings_add(doctor, FINDING_ERROR, "milter-socket",
                                     "what listens at %s does not answer as a milter",
                                     doctor->settings->socket),
                        "systemctl restart spfrom");
    close(fd);
}

static char *time_or_unknown(gint64 wall)
{
    return wall != 0 ? clock_rfc3339(wall) : g_strdup("unknown");
}

static void examine_version(Doctor *doctor, const DaemonStatus *status)
{
    g_autofree char *since = time_or_unknown(status->up_since);

    if (g_strcmp0(status->version, PACKAGE_VERSION) != 0)
        finding_command(findings_add(doctor, FINDING_WARNING, "version",
                                     "the daemon that runs is version %s, and this is %s",
                                     status->version, PACKAGE_VERSION),
                        "systemctl restart spfrom");
    else
        findings_add(doctor, FINDING_FINE, "version", "version %s runs, since %s", status->version,
                     since);
}

/* Has the file changed after loaded (wall time)? */
static bool is_newer(const char *file, gint64 loaded)
{
    struct stat status;

    return loaded != 0 && stat(file, &status) == 0 && status.st_mtime > loaded / CLOCK_SECOND;
}

static void examine_loaded(Doctor *doctor, const DaemonStatus *status)
{
    const char *file = status->configuration.file;
    const char *error = status->configuration.error;
    g_autofree char *loaded = time_or_unknown(status->configuration.loaded);

    if (g_strcmp0(file, doctor->file) != 0)
        finding_advise(findings_add(doctor, FINDING_WARNING, "loaded",
                                    "the daemon has its configuration from %s, and this is about "
                                    "%s",
                                    file, doctor->file),
                       "spfrom -c %s doctor", file);
    else if (error != NULL)
        finding_advise(findings_add(doctor, FINDING_ERROR, "loaded",
                                    "the last reload failed, the old configuration is in force: %s",
                                    error),
                       "mend that line, then: spfrom reload");
    else if (is_newer(doctor->file, status->configuration.loaded))
        finding_command(findings_add(doctor, FINDING_WARNING, "loaded",
                                     "%s has changed since the daemon read it (%s)", file, loaded),
                        "spfrom reload");
    else
        findings_add(doctor, FINDING_FINE, "loaded", "the daemon has the configuration of %s",
                     loaded);
}

/* A reload leaves this key as it was. */
static void examine_kept(Doctor *doctor, const DaemonStatus *status)
{
    if (g_strcmp0(status->socket, doctor->settings->socket) != 0)
        finding_command(findings_add(doctor, FINDING_ERROR, "loaded",
                                     "the daemon still listens at %s: socket needs a restart",
                                     status->socket),
                        "systemctl restart spfrom");
}

static void examine_mode(Doctor *doctor, const DaemonStatusMode *mode)
{
    g_autofree char *since = time_or_unknown(mode->since);
    g_autofree char *until = mode->until != 0 ? clock_rfc3339(mode->until) : NULL;
    bool is_off = g_strcmp0(mode->mode, mode_text(MODE_OFF)) == 0;
    Finding *finding =
        findings_add(doctor, is_off ? FINDING_WARNING : FINDING_FINE, "mode",
                     "the mode is %s since %s, by %s%s%s", mode->mode, since, mode->by,
                     until != NULL ? ", until " : "", until != NULL ? until : "");

    if (is_off)
        finding_command(finding, "spfrom mode rewrite");
}

static void examine_ledger(Doctor *doctor, const DaemonStatus *status)
{
    const char *error = status->ledger.error;
    const char *file = status->ledger.file;

    if (error != NULL)
        findings_add(doctor, FINDING_WARNING, "ledger", "the ledger is not written: %s", error);
    else if (file != NULL)
        findings_add(doctor, FINDING_FINE, "ledger", "the ledger %s is written", file);
}

static void examine_control(Doctor *doctor)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DaemonStatus) status =
        control_client_status(doctor->settings->control_socket, CONTROL_QUICK, &error);

    if (status == NULL) {
        bool is_forbidden =
            g_error_matches(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_PERMISSION);

        finding_command(findings_add(doctor, is_forbidden ? FINDING_UNKNOWN : FINDING_ERROR,
                                     "control", "%s", error->message),
                        is_forbidden ? "sudo spfrom doctor" : "systemctl restart spfrom");
        return;
    }
    examine_version(doctor, status);
    examine_loaded(doctor, status);
    examine_kept(doctor, status);
    examine_mode(doctor, &status->mode);
    examine_ledger(doctor, status);
}

void doctor_daemon(Doctor *doctor)
{
    examine_socket(doctor);
    if (*doctor->settings->control_socket != '\0')
        examine_control(doctor);
}

/* Mends finding with what opens the way at stopped, the place at which account is held up. */
static void mend_reach(Doctor *doctor, Finding *finding, const MachineAccount *account,
                       const char *mta, const char *stopped, bool is_socket)
{
    g_autofree char *quoted = g_shell_quote(stopped);
    const struct group *group;
    struct stat status;
    mode_t needed = is_socket ? S_IWGRP : S_IXGRP;

    if (stat(stopped, &status) != 0)
        return;
    group = getgrgid(status.st_gid);
    if ((status.st_mode & needed) != 0 && status.st_gid != 0 && group != NULL)
        finding_command(finding, "usermod -a -G %s %s && systemctl reload %s", group->gr_name,
                        account->name, mta);
    else if (is_socket)
        finding_mend_key(doctor, finding, "socket_mode", "0666");
    else
        finding_command(finding, "chmod o+x %s", quoted);
}

void doctor_daemon_reach(Doctor *doctor, const char *mta, const char *user)
{
    const char *socket = doctor->settings->socket;
    const char *path = socket + strlen("unix:");
    g_autoptr(MachineAccount) account = machine_account_find(user, NULL);
    g_autofree char *stopped = NULL;
    int trouble;

    if (!g_str_has_prefix(socket, "unix:") || account == NULL ||
        !machine_account_is_tryable(account))
        return;
    trouble = machine_account_connect(account, path);
    if (trouble == 0) {
        findings_add(doctor, FINDING_FINE, "socket-reach",
                     "%s, the account of %s, may "
                     "connect to %s",
                     user, mta, path);
        return;
    }
    if (trouble != EACCES)
        return; /* nothing listens; another finding says so */
    stopped = machine_account_obstacle(account, path);
    mend_reach(doctor,
               findings_add(doctor, FINDING_ERROR, "socket-reach",
                            "%s, the account of %s, may not connect to %s: it is stopped at %s",
                            user, mta, path, stopped),
               account, mta, stopped, strcmp(stopped, path) == 0);
}

Finding *doctor_daemon_port(Doctor *doctor)
{
    const char *socket = doctor->settings->socket;

    if (g_str_has_prefix(socket, "unix:"))
        return NULL;
    return findings_add(doctor, FINDING_WARNING, "socket-tcp",
                        "socket is %s: any local user, and whoever else reaches that port, can "
                        "write log lines and ledger rows under any queue id, and end the daemon",
                        socket);
}
