#include "config.h"

#include "advice/submission.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "mail/mailboxes.h"
#include "mail/printable.h"

#define COMPLAINT_MAX 1000 /* octets of what the program says that are told */
#define LOOK 20            /* milliseconds between two looks for the end of the program */
#define SENDER_MAX 320     /* octets of an address: RFC 5321 section 4.5.3.1 */

G_DEFINE_QUARK(spfrom_submission_error, submission_error)

char *submission_program(void)
{
    static const char *const places[] = {"/usr/sbin/sendmail", "/usr/lib/sendmail",
                                         "/usr/local/sbin/sendmail"};
    const char *given = g_getenv("SPFROM_SENDMAIL");

    if (given != NULL && *given != '\0')
        return g_strdup(given);
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
        if (access(places[i], X_OK) == 0)
            return g_strdup(places[i]);
    return g_strdup(places[0]);
}

bool submission_is_address(const char *address)
{
    g_autoptr(Mailbox) mailbox = NULL;

    if (strlen(address) > SENDER_MAX || !g_str_is_ascii(address) || address[0] == '"')
        return false;
    mailbox = mailbox_parse(address);
    return mailbox != NULL && g_strcmp0(mailbox->addr_spec, address) == 0;
}

/* A file without a name that says message from its beginning: the program reads it whenever it wants, and
 * there is no pipe that it could leave unread. */
static int message_file(const char *message, GError **error)
{
    int fd = memfd_create("message", MFD_CLOEXEC);
    size_t length = strlen(message);
    size_t written = 0;

    while (fd >= 0 && written < length) {
        ssize_t piece = write(fd, message + written, length - written);

        if (piece > 0)
            written += (size_t)piece;
        else if (errno != EINTR)
            break;
    }
    if (fd >= 0 && written == length && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    g_set_error(error, SUBMISSION_ERROR, SUBMISSION_ERROR_START, "the message can't be kept: %s",
                g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int milliseconds_left(Deadline deadline)
{
    gint64 left = (deadline - clock_monotonic(&clock_system)) / CLOCK_MILLISECOND;

    return (int)CLAMP(left, 0, G_MAXINT);
}

/* Keeps a piece of what the program says, within patience milliseconds. Returns false if there was
 * none; at its end, polled is not looked at any more. */
static bool hear(struct pollfd *polled, GString *complaints, int patience)
{
    char piece[1024];
    ssize_t length;

    if (poll(polled, 1, patience) <= 0)
        return false;
    length = read(polled->fd, piece, sizeof piece);
    if (length < 0 && errno == EINTR)
        return false;
    if (length <= 0) {
        polled->fd = -1;
        return false;
    }
    g_string_append_len(complaints, piece, MIN(length, (ssize_t)(COMPLAINT_MAX - complaints->len)));
    return true;
}

/*
 * Returns true with status once the program has ended, false if it was ended at deadline. Its end
 * counts, not that of what it says: a program that it leaves behind may keep stderr open.
 */
static bool wait_for_end(GPid pid, int fd, GString *complaints, Deadline deadline, int *status)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    pid_t ended;
    int left;

    while ((ended = waitpid(pid, status, WNOHANG)) == 0 && (left = milliseconds_left(deadline)) > 0)
        hear(&polled, complaints, MIN(left, LOOK));
    if (ended == 0)
        kill(pid, SIGKILL);
    while (complaints->len < COMPLAINT_MAX && hear(&polled, complaints, 0))
        ;
    if (ended != 0)
        return ended == pid;
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    return false;
}

static bool tell_end(const char *program, GPid pid, int fd, Deadline deadline, GError **error)
{
    g_autoptr(GString) complaints = g_string_new(NULL);
    g_autofree char *said = NULL;
    int status = 0;
    bool is_ended;

    is_ended = wait_for_end(pid, fd, complaints, deadline, &status);
    if (is_ended && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    said = printable_line(complaints->str);
    if (!is_ended)
        g_set_error(error, SUBMISSION_ERROR, SUBMISSION_ERROR_LATE, "%s does not end in time%s%s",
                    program, *said != '\0' ? ": " : "", said);
    else if (WIFEXITED(status))
        g_set_error(error, SUBMISSION_ERROR, SUBMISSION_ERROR_REFUSED,
                    "%s ended with status %d%s%s", program, WEXITSTATUS(status),
                    *said != '\0' ? ": " : "", said);
    else
        g_set_error(error, SUBMISSION_ERROR, SUBMISSION_ERROR_LATE, "%s was ended by signal %d",
                    program, WTERMSIG(status));
    return false;
}

static bool check_address(const char *address, GError **error)
{
    if (submission_is_address(address))
        return true;
    g_set_error(error, SUBMISSION_ERROR, SUBMISSION_ERROR_ADDRESS,
                "\"%s\" is not an address that can be handed to sendmail", address);
    return false;
}

bool submission_send(const char *program, const char *sender, const char *to, const char *message,
                     Deadline deadline, GError **error)
{
    const char *argv[] = {program, "-i", "-f", *sender != '\0' ? sender : "<>", "--", to, NULL};
    g_autoptr(GError) cause = NULL;
    int complaints = -1;
    int input;
    bool is_sent;
    GPid pid;

    if ((*sender != '\0' && !check_address(sender, error)) || !check_address(to, error))
        return false;
    input = message_file(message, error);
    if (input < 0)
        return false;
    if (!g_spawn_async_with_pipes_and_fds(
            NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
            input, -1, -1, NULL, NULL, 0, &pid, NULL, NULL, &complaints, &cause)) {
        close(input);
        g_set_error_literal(error, SUBMISSION_ERROR, SUBMISSION_ERROR_START, cause->message);
        return false;
    }
    close(input);
    is_sent = tell_end(program, pid, complaints, deadline, error);
    close(complaints);
    return is_sent;
}
