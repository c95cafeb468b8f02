#include "config.h"

#include "doctor/smtp_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

G_DEFINE_QUARK(spfrom_smtp_client_error, smtp_client_error)

/* The longest answer with all its lines, in octets. */
#define ANSWER_MAX 65536

typedef struct {
    int fd;
    Deadline deadline;
    /* For each answer. */
    guint seconds;
    /* What was read after the last answer. */
    GString *input;
} Dialogue;

static bool wait_for(const Dialogue *dialogue, short events, Deadline deadline, GError **error)
{
    struct pollfd polled = {.fd = dialogue->fd, .events = events};
    gint64 left = deadline - clock_monotonic(&clock_system);

    if (left > 0 && poll(&polled, 1, (int)(left / CLOCK_MILLISECOND) + 1) > 0)
        return true;
    g_set_error(error, SMTP_CLIENT_ERROR, SMTP_CLIENT_ERROR_SILENT, "no answer within %u s",
                dialogue->seconds);
    return false;
}

/* The end of the answer at the start of text, after its last line; NULL if the answer is not
 * complete. */
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

static bool read_some(Dialogue *dialogue, Deadline deadline, GError **error)
{
    char piece[4096];
    ssize_t length;

    if (!wait_for(dialogue, POLLIN, deadline, error))
        return false;
    length = read(dialogue->fd, piece, sizeof piece);
    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (length <= 0 || dialogue->input->len + (gsize)length > ANSWER_MAX) {
        g_set_error(error, SMTP_CLIENT_ERROR, SMTP_CLIENT_ERROR_SILENT,
                    "the connection ended without an answer");
        return false;
    }
    g_string_append_len(dialogue->input, piece, length);
    return true;
}

/* Reads one answer. Returns it if its first digit is wanted; else NULL with error set. */
static char *read_answer(Dialogue *dialogue, char wanted, GError **error)
{
    Deadline deadline = deadline_shortened(dialogue->deadline, dialogue->seconds);
    g_autofree char *answer = NULL;
    const char *end;

    while ((end = answer_end(dialogue->input->str)) == NULL)
        if (!read_some(dialogue, deadline, error))
            return NULL;
    answer = g_strstrip(g_strndup(dialogue->input->str, (gsize)(end - dialogue->input->str)));
    g_string_erase(dialogue->input, 0, end - dialogue->input->str);
    if (answer[0] == wanted)
        return g_steal_pointer(&answer);
    g_set_error(error, SMTP_CLIENT_ERROR, SMTP_CLIENT_ERROR_REFUSED, "%s", answer);
    return NULL;
}

static bool write_all(const Dialogue *dialogue, const char *text, GError **error)
{
    Deadline deadline = deadline_shortened(dialogue->deadline, dialogue->seconds);
    gsize left = strlen(text);

    while (left > 0) {
        ssize_t written = send(dialogue->fd, text, left, MSG_NOSIGNAL);

        if (written > 0) {
            text += written;
            left -= (gsize)written;
        } else if (written < 0 && errno != EAGAIN && errno != EINTR) {
            g_set_error(error, SMTP_CLIENT_ERROR, SMTP_CLIENT_ERROR_SILENT, "%s",
                        g_strerror(errno));
            return false;
        } else if (!wait_for(dialogue, POLLOUT, deadline, error)) {
            return false;
        }
    }
    return true;
}

static char *ask_mta(Dialogue *dialogue, char wanted, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static char *ask_mta(Dialogue *dialogue, char wanted, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return write_all(dialogue, text, error) ? read_answer(dialogue, wanted, error) : NULL;
}

static char *converse(Dialogue *dialogue, const SmtpMessage *message, GError **error)
{
    g_autofree char *greeting = read_answer(dialogue, '2', error);
    g_autofree char *helo = NULL;
    g_autofree char *mail = NULL;
    g_autofree char *recipient = NULL;
    g_autofree char *data = NULL;
    char *answer;

    if (greeting == NULL)
        return NULL;
    helo = ask_mta(dialogue, '2', error, "EHLO %s\r\n", message->helo);
    if (helo == NULL)
        return NULL;
    mail = ask_mta(dialogue, '2', error, "MAIL FROM:<%s>\r\n", message->sender);
    if (mail == NULL)
        return NULL;
    recipient = ask_mta(dialogue, '2', error, "RCPT TO:<%s>\r\n", message->recipient);
    if (recipient == NULL)
        return NULL;
    data = ask_mta(dialogue, '3', error, "DATA\r\n");
    if (data == NULL)
        return NULL;
    answer = ask_mta(dialogue, '2', error, "%s.\r\n", message->text);
    if (answer != NULL)
        write_all(dialogue, "QUIT\r\n", NULL);
    return answer;
}

char *smtp_client_send(const MilterAddress *server, const Network *source,
                       const SmtpMessage *message, guint seconds, Deadline deadline, GError **error)
{
    Dialogue dialogue = {
        .fd = milter_address_connect_from(server, source, deadline_shortened(deadline, seconds)),
        .deadline = deadline,
        .seconds = seconds};
    char *answer;

    if (dialogue.fd < 0) {
        g_set_error(error, SMTP_CLIENT_ERROR, SMTP_CLIENT_ERROR_CONNECT, "%s", g_strerror(errno));
        return NULL;
    }
    dialogue.input = g_string_new(NULL);
    answer = converse(&dialogue, message, error);
    g_string_free(dialogue.input, TRUE);
    close(dialogue.fd);
    return answer;
}

char *smtp_client_date(void)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();

    return g_strdup_printf(
        "%s, %d %s %d %02d:%02d:%02d +0000", days[g_date_time_get_day_of_week(now) - 1],
        g_date_time_get_day_of_month(now), months[g_date_time_get_month(now) - 1],
        g_date_time_get_year(now), g_date_time_get_hour(now), g_date_time_get_minute(now),
        g_date_time_get_second(now));
}
