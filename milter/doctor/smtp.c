#include "config.h"

#include "doctor/smtp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

G_DEFINE_QUARK(spfrom_doctor_smtp_error, doctor_smtp_error)

#define ANSWER_MAX 65536 /* octets, all lines of one answer */

typedef struct {
    int fd;
    guint seconds;
    GString *input; /* what was read beyond the last answer */
} Dialogue;

static bool wait_for(const Dialogue *dialogue, short events, gint64 deadline, GError **error)
{
    struct pollfd polled = {.fd = dialogue->fd, .events = events};
    gint64 left = deadline - clock_monotonic(&clock_system);

    if (left > 0 && poll(&polled, 1, (int)(left / CLOCK_MILLISECOND) + 1) > 0)
        return true;
    g_set_error(error, DOCTOR_SMTP_ERROR, DOCTOR_SMTP_ERROR_SILENT, "no answer within %u s",
                dialogue->seconds);
    return false;
}

/* The end of the answer at the start of text, behind its last line; NULL where it is not whole. */
static const char *answer_end(const char *text)
{
    const char *end;

    while ((end = strchr(text, '\n')) != NULL) {
        if (end - text < 4 || text[3] != '-')
            return end + 1;
        text = end + 1;
    }
    return NULL;
}

static bool read_some(Dialogue *dialogue, gint64 deadline, GError **error)
{
    char piece[4096];
    ssize_t length;

    if (!wait_for(dialogue, POLLIN, deadline, error))
        return false;
    length = read(dialogue->fd, piece, sizeof piece);
    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (length <= 0 || dialogue->input->len + (gsize)length > ANSWER_MAX) {
        g_set_error(error, DOCTOR_SMTP_ERROR, DOCTOR_SMTP_ERROR_SILENT,
                    "the connection ended without an answer");
        return false;
    }
    g_string_append_len(dialogue->input, piece, length);
    return true;
}

/* Reads one answer. Returns it where its first digit is wanted; NULL with error set. */
static char *read_answer(Dialogue *dialogue, char wanted, GError **error)
{
    gint64 deadline = clock_monotonic(&clock_system) + dialogue->seconds * CLOCK_SECOND;
    g_autofree char *answer = NULL;
    const char *end;

    while ((end = answer_end(dialogue->input->str)) == NULL)
        if (!read_some(dialogue, deadline, error))
            return NULL;
    answer = g_strstrip(g_strndup(dialogue->input->str, (gsize)(end - dialogue->input->str)));
    g_string_erase(dialogue->input, 0, end - dialogue->input->str);
    if (answer[0] == wanted)
        return g_steal_pointer(&answer);
    g_set_error(error, DOCTOR_SMTP_ERROR, DOCTOR_SMTP_ERROR_REFUSED, "%s", answer);
    return NULL;
}

static bool write_all(const Dialogue *dialogue, const char *text, GError **error)
{
    gint64 deadline = clock_monotonic(&clock_system) + dialogue->seconds * CLOCK_SECOND;
    gsize left = strlen(text);

    while (left > 0) {
        ssize_t written = send(dialogue->fd, text, left, MSG_NOSIGNAL);

        if (written > 0) {
            text += written;
            left -= (gsize)written;
        } else if (written < 0 && errno != EAGAIN && errno != EINTR) {
            g_set_error(error, DOCTOR_SMTP_ERROR, DOCTOR_SMTP_ERROR_SILENT, "%s",
                        g_strerror(errno));
            return false;
        } else if (!wait_for(dialogue, POLLOUT, deadline, error)) {
            return false;
        }
    }
    return true;
}

static char *ask(Dialogue *dialogue, char wanted, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static char *ask(Dialogue *dialogue, char wanted, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return write_all(dialogue, text, error) ? read_answer(dialogue, wanted, error) : NULL;
}

static char *converse(Dialogue *dialogue, const DoctorSmtpMessage *message, GError **error)
{
    g_autofree char *greeting = read_answer(dialogue, '2', error);
    g_autofree char *helo = NULL;
    g_autofree char *mail = NULL;
    g_autofree char *recipient = NULL;
    g_autofree char *data = NULL;
    char *answer;

    if (greeting == NULL)
        return NULL;
    helo = ask(dialogue, '2', error, "EHLO %s\r\n", message->helo);
    if (helo == NULL)
        return NULL;
    mail = ask(dialogue, '2', error, "MAIL FROM:<%s>\r\n", message->sender);
    if (mail == NULL)
        return NULL;
    recipient = ask(dialogue, '2', error, "RCPT TO:<%s>\r\n", message->recipient);
    if (recipient == NULL)
        return NULL;
    data = ask(dialogue, '3', error, "DATA\r\n");
    if (data == NULL)
        return NULL;
    answer = ask(dialogue, '2', error, "%s.\r\n", message->text);
    if (answer != NULL)
        write_all(dialogue, "QUIT\r\n", NULL);
    return answer;
}

char *doctor_smtp_send(const MilterAddress *server, const DoctorSmtpMessage *message, guint seconds,
                       GError **error)
{
    Dialogue dialogue = {.fd = milter_address_connect(server, seconds * 1000), .seconds = seconds};
    char *answer;

    if (dialogue.fd < 0) {
        g_set_error(error, DOCTOR_SMTP_ERROR, DOCTOR_SMTP_ERROR_CONNECT, "%s", g_strerror(errno));
        return NULL;
    }
    dialogue.input = g_string_new(NULL);
    answer = converse(&dialogue, message, error);
    g_string_free(dialogue.input, TRUE);
    close(dialogue.fd);
    return answer;
}

char *doctor_smtp_queue_id(const char *answer)
{
    static const char postfix[] = "queued as ";
    const char *found = strstr(answer, postfix);
    g_auto(GStrv) words = NULL;

    if (found != NULL) {
        found += strlen(postfix);
        return g_strndup(found, strcspn(found, " \r\n"));
    }
    words = g_strsplit(answer, " ", -1);
    for (guint i = 2; i < g_strv_length(words); i++)
        if (strcmp(words[i], "Message") == 0 && g_strcmp0(words[i + 1], "accepted") == 0)
            return g_strdup(words[i - 1]);
    return NULL;
}
