#include "config.h"

#include "doctor/daemon.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/control_client.h"
#include "doctor/machine.h"
#include "doctor/milter_address.h"

#define PROGRAM "spfrom-milter"

/* The line of text that the daemon wrote last; NULL if there is none. Owned by the caller. */
static char *last_line(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = g_strv_length(lines); i > 0; i--) {
        const char *found = strstr(lines[i - 1], PROGRAM "[");
        const char *said = found != NULL ? strstr(found, "]: ") : NULL;

        if (said != NULL)
            return g_strstrip(g_strdup(said + strlen("]: ")));
    }
    return NULL;
}

/* The last line in systemd's journal; NULL if there is none. */
static char *journal_line(const Doctor *doctor)
{
    g_autofree char *journalctl = machine_program_find("journalctl");
    const char *const argv[] = {journalctl, "-q", "--no-pager", "-u", "spfrom", "-t",
                                PROGRAM,    "-n", "1",          "-o", "cat",    NULL};
    g_autoptr(MachineProgram) program =
        journalctl != NULL ? machine_program_run(argv, doctor->deadline, NULL) : NULL;

    if (program == NULL || program->status != 0 || *g_strstrip(program->output) == '\0')
        return NULL;
    return g_strdup(program->output);
}

#define LOG_OCTETS (256 * 1024) /* at the end of a log */

/* The last line in the file of a syslog daemon; NULL if there is none. */
static char *file_line(const char *path)
{
    FILE *file = fopen(path, "re");
    g_autofree char *text = NULL;
    size_t length;

    if (file == NULL)
        return NULL;
    if (fseek(file, -LOG_OCTETS, SEEK_END) != 0)
        rewind(file);
    text = g_malloc0(LOG_OCTETS + 1);
    length = fread(text, 1, LOG_OCTETS, file);
    fclose(file);
    return length > 0 ? last_line(text) : NULL;
}

/* What the daemon said last, if that was why it ended; NULL if it is not to be seen, or all was well.
 * Sets *place to where it stands. */
static char *last_words(const Doctor *doctor, const char **place)
{
    static const char *const files[] = {"/var/log/mail.log", "/var/log/maillog", "/var/log/syslog",
                                        "/var/log/messages"};
    g_autofree char *line = journal_line(doctor);

    *place = "the journal";
    for (size_t i = 0; line == NULL && i < G_N_ELEMENTS(files); i++) {
        line = file_line(files[i]);
        *place = files[i];
    }
    if (line == NULL || g_str_has_prefix(line, "stopped") || g_str_has_prefix(line, "ready:"))
        return NULL;
    return g_steal_pointer(&line);
}

static void add_last_words(Doctor *doctor)
{
    const char *place;
    g_autofree char *line = last_words(doctor, &place);

    if (line != NULL)
        finding_advise(findings_add(doctor, FINDING_ERROR, "last-words",
                                    "the last that the daemon said, in %s: %s", place, line),
                       "if that kept it from starting, mend it, then: systemctl restart spfrom");
}

static void add_silent(Doctor *doctor, int trouble)
{
    Finding *finding =
        findings_add(doctor, FINDING_ERROR, "milter-socket", "nothing answers at %s (%s)",
                     doctor->settings->socket, g_strerror(trouble));

    if (trouble == EACCES || trouble == EPERM)
        finding_command(finding, "sudo spfrom doctor");
    else
        finding_command(finding, "systemctl restart spfrom");
    if (trouble == ENOENT || trouble == ECONNREFUSED)
        add_last_words(doctor);
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

static void add_hosts(Doctor *doctor, char **names, const char *trouble, const char *mend)
{
    g_autofree char *list = names != NULL ? g_strjoinv(", ", names) : NULL;

    if (list != NULL && *list != '\0')
        finding_advise(findings_add(doctor, FINDING_WARNING, "fleet", "%s: %s", trouble, list),
                       "%s", mend);
}

static void examine_fleet(Doctor *doctor, const DaemonStatus *status)
{
    g_autofree char *since = time_or_unknown(status->fleet.since);

    if (status->fleet.up == DAEMON_STATUS_UNKNOWN)
        return;
    if (status->fleet.up == DAEMON_STATUS_NO)
        findings_add(doctor, FINDING_WARNING, "fleet",
                     "the store of the fleet can't be used since %s: %s; mail goes on without it",
                     since, status->fleet.error != NULL ? status->fleet.error : "not reached yet");
    else
        findings_add(doctor, FINDING_FINE, "fleet",
                     "the store of the fleet at %s is used, hosts: %" G_GINT64_FORMAT,
                     status->fleet.store, status->fleet.hosts);
    add_hosts(doctor, status->fleet.unseen, "hosts of the fleet that were not seen for a minute",
              "start them, or for one that is gone: spfrom fleet --forget HOST");
    add_hosts(doctor, status->fleet.differing, "hosts of the fleet that differ", "spfrom fleet");
    add_hosts(doctor, status->fleet.doubled, "hosts of the fleet that share a name",
              "give each its own hostname");
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
    examine_fleet(doctor, status);
}

void doctor_daemon(Doctor *doctor)
{
    if (findings_is_known(doctor, "socket"))
        examine_socket(doctor);
    if (*doctor->settings->control_socket != '\0' && findings_is_known(doctor, "control_socket"))
        examine_control(doctor);
}

/* Mends finding with what lets the group gid, and nobody else, connect to our socket, which has the
 * group has_gid. */
static void mend_socket(const Doctor *doctor, Finding *finding, gid_t gid, gid_t has_gid)
{
    const struct group *group = getgrgid(gid);
    g_autofree char *value = group != NULL ? g_strdup_printf("\"%s\"", group->gr_name) : NULL;
    g_autofree char *set = NULL;

    if (value == NULL)
        return;
    if (gid == has_gid) {
        finding_mend_key(doctor, finding, "socket_mode", "0660");
        return;
    }
    finding_mend_key(doctor, finding, "socket_group", value);
    if ((doctor->settings->socket_mode & S_IWGRP) != 0)
        return;
    set = findings_key_command(doctor->file, doctor->text, "socket_group", value);
    g_autofree char *mode = findings_key_command(doctor->file, doctor->text, "socket_mode", "0660");
    if (set != NULL && mode != NULL)
        finding_command(finding, "%s && %s && systemctl restart spfrom", set, mode);
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
        mend_socket(doctor, finding, account->gid, status.st_gid);
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
