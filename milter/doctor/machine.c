#include "config.h"

#include "doctor/machine.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static bool find_group(const char *name, gid_t *gid)
{
    const struct group *group = name != NULL ? getgrnam(name) : NULL;

    if (group != NULL)
        *gid = group->gr_gid;
    return name == NULL || group != NULL;
}

MachineAccount *machine_account_find(const char *user, const char *group)
{
    const struct passwd *entry = getpwnam(user);
    g_autoptr(MachineAccount) account = NULL;

    if (entry == NULL)
        return NULL;
    account = g_new0(MachineAccount, 1);
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

void machine_account_free(MachineAccount *account)
{
    g_free(account->name);
    g_free(account->groups);
    g_free(account);
}

bool machine_account_is_tryable(const MachineAccount *account)
{
    return geteuid() == 0 || geteuid() == account->uid;
}

/* Runs in the child, which may only make system calls: the process may have had threads. */
static int become(const MachineAccount *account)
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

/* Runs action in a child process that is account. Returns what action returns; an errno fits into
 * an exit status. */
static int in_child(const MachineAccount *account, int (*action)(const char *path, int mode),
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

/* May account do mode (R_OK, W_OK, X_OK) with path? Returns 0 or errno. */
static int account_access(const MachineAccount *account, const char *path, int mode)
{
    return in_child(account, try_access, path, mode);
}

int machine_account_connect(const MachineAccount *account, const char *path)
{
    return in_child(account, try_connect, path, 0);
}

char *machine_account_obstacle(const MachineAccount *account, const char *path)
{
    g_autofree char *whole = g_canonicalize_filename(path, "/");

    for (char *slash = strchr(whole + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (account_access(account, whole, X_OK) != 0)
            return g_steal_pointer(&whole);
        *slash = '/';
    }
    return g_steal_pointer(&whole);
}

G_DEFINE_QUARK(spfrom_machine_error, machine_error)

#define PROGRAM_SECONDS 10
#define PROGRAM_OUTPUT_MAX (4 * 1024 * 1024) /* octets of stdout, and of stderr */
#define PIECE 65536                          /* octets read at once */

/* The output that comes through one pipe. */
typedef struct {
    /* -1 at the end of the output. */
    int fd;
    GString *text;
} Stream;

static void stream_close(Stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

/* Returns false if the stream is longer than it may be. */
static bool stream_read(Stream *stream)
{
    char piece[PIECE];
    ssize_t length = read(stream->fd, piece, sizeof piece);

    if (length < 0 && errno == EINTR)
        return true;
    if (length <= 0) {
        stream_close(stream);
        return true;
    }
    g_string_append_len(stream->text, piece, length);
    return stream->text->len <= PROGRAM_OUTPUT_MAX;
}

static bool read_all(Stream streams[2], const char *name, Deadline deadline, GError **error)
{
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        struct pollfd polled[2] = {{.fd = streams[0].fd, .events = POLLIN},
                                   {.fd = streams[1].fd, .events = POLLIN}};
        gint64 left = deadline - clock_monotonic(&clock_system);

        if (left <= 0 || poll(polled, 2, (int)(left / CLOCK_MILLISECOND) + 1) == 0) {
            g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_LATE, "%s does not end within %d s",
                        name, PROGRAM_SECONDS);
            return false;
        }
        for (int i = 0; i < 2; i++)
            if (polled[i].revents != 0 && !stream_read(&streams[i])) {
                g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_LONG,
                            "%s says more than anybody would read", name);
                return false;
            }
    }
    return true;
}

static int wait_for_end(GPid pid, bool is_to_end)
{
    int status = 0;

    if (is_to_end)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

MachineProgram *machine_program_run(const char *const *argv, Deadline deadline, GError **error)
{
    return machine_program_run_in(NULL, argv, deadline, error);
}

MachineProgram *machine_program_run_in(const char *directory, const char *const *argv,
                                       Deadline deadline, GError **error)
{
    Stream streams[2] = {{.fd = -1}, {.fd = -1}};
    g_autoptr(GError) cause = NULL;
    MachineProgram *program;
    bool is_read;
    int status;
    GPid pid;

    if (!g_spawn_async_with_pipes(directory, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                  NULL, &pid, NULL, &streams[0].fd, &streams[1].fd, &cause)) {
        g_set_error_literal(error, MACHINE_ERROR, MACHINE_ERROR_START, cause->message);
        return NULL;
    }
    for (int i = 0; i < 2; i++)
        streams[i].text = g_string_new(NULL);
    is_read = read_all(streams, argv[0], deadline_shortened(deadline, PROGRAM_SECONDS), error);
    status = wait_for_end(pid, !is_read);
    program = g_new0(MachineProgram, 1);
    program->status = status;
    for (int i = 0; i < 2; i++)
        stream_close(&streams[i]);
    program->output = g_string_free(streams[0].text, FALSE);
    program->complaints = g_string_free(streams[1].text, FALSE);
    if (is_read)
        return program;
    machine_program_free(program);
    return NULL;
}

void machine_program_free(MachineProgram *program)
{
    g_free(program->output);
    g_free(program->complaints);
    g_free(program);
}

char *machine_program_find(const char *name)
{
    static const char *const places[] = {"/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin",
                                         "/usr/local/bin"};

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(places[i], name, NULL);

        if (access(path, X_OK) == 0)
            return g_steal_pointer(&path);
    }
    return g_find_program_in_path(name);
}

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

/* A reload reads the files as user, long after the daemon has given up root. */
static void examine_readable(Doctor *doctor, const MachineAccount *account, const char *path)
{
    int trouble = account_access(account, path, R_OK);
    g_autofree char *stopped = NULL;
    g_autofree char *quoted = NULL;
    Finding *finding;

    examine_writers(doctor, path);
    if (trouble == 0) {
        findings_add(doctor, FINDING_FINE, "file-readable", "%s may read %s", account->name, path);
        return;
    }
    stopped = machine_account_obstacle(account, path);
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

static void examine_folder(Doctor *doctor, const MachineAccount *account, const char *path)
{
    g_autofree char *quoted = g_shell_quote(path);
    int trouble = account_access(account, path, W_OK | X_OK);

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
    g_autoptr(MachineAccount) account = machine_account_find(settings->user, settings->group);

    if (account == NULL) {
        finding_command(
            findings_add(doctor, FINDING_ERROR, "account", "there is no user %s or no group %s",
                         settings->user, settings->group),
            "useradd --system --user-group --no-create-home --shell /usr/sbin/nologin %s",
            settings->user);
        return;
    }
    if (!machine_account_is_tryable(account)) {
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

/* A clock is wrong if it is behind the time at which this program was installed. */
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
