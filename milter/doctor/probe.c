#include "config.h"

#include "doctor/probe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/control_client.h"
#include "doctor/milter_address.h"
#include "mail/mailboxes.h"

/* One message that an MTA is given by SMTP (RFC 5321), as a client of the house gives it: without
 * TLS and without a log-in. */
typedef struct {
    const char *helo;
    /* An addr-spec. */
    const char *sender;
    /* An addr-spec. */
    const char *recipient;
    /* The message, with CRLF as line ends; no line begins with a dot. */
    const char *text;
} SmtpMessage;

/* Why a server did not take the message. The text of PROBE_ERROR_REFUSED is the server's answer. */
#define PROBE_ERROR (probe_error_quark())
typedef enum { PROBE_ERROR_CONNECT, PROBE_ERROR_SILENT, PROBE_ERROR_REFUSED } ProbeError;

static GQuark probe_error_quark(void)
{
    return g_quark_from_static_string("spfrom-probe-error-quark");
}

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
    g_set_error(error, PROBE_ERROR, PROBE_ERROR_SILENT, "no answer within %u s", dialogue->seconds);
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
        g_set_error(error, PROBE_ERROR, PROBE_ERROR_SILENT,
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
    g_set_error(error, PROBE_ERROR, PROBE_ERROR_REFUSED, "%s", answer);
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
            g_set_error(error, PROBE_ERROR, PROBE_ERROR_SILENT, "%s", g_strerror(errno));
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

/*
 * seconds  for each answer of the server
 * Returns the server's last answer, to the end of the message, owned by the caller; NULL with error
 * (PROBE_ERROR) set.
 */
static char *smtp_send(const MilterAddress *server, const SmtpMessage *message, guint seconds,
                       Deadline deadline, GError **error)
{
    Dialogue dialogue = {.fd =
                             milter_address_connect(server, deadline_shortened(deadline, seconds)),
                         .deadline = deadline,
                         .seconds = seconds};
    char *answer;

    if (dialogue.fd < 0) {
        g_set_error(error, PROBE_ERROR, PROBE_ERROR_CONNECT, "%s", g_strerror(errno));
        return NULL;
    }
    dialogue.input = g_string_new(NULL);
    answer = converse(&dialogue, message, error);
    g_string_free(dialogue.input, TRUE);
    close(dialogue.fd);
    return answer;
}

char *probe_queue_id(const char *answer)
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

/* How long the MTA may take for an answer besides the check, in seconds. */
#define PATIENCE 30

static const char text_format[] =
    "From: spfrom doctor <%s>\r\n"
    "To: <%s>\r\n"
    "Date: %s\r\n"
    "Message-ID: <%s@%s>\r\n"
    "Subject: A probe of spfrom doctor\r\n"
    "Auto-Submitted: auto-generated\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n"
    "\r\n"
    "This message was sent by spfrom doctor --probe on %s, to see what becomes of mail\r\n"
    "from %s. Nothing needs to be done with it.\r\n";

/* The time now (RFC 5322 section 3.3), in words that no locale changes; owned by the caller. */
static char *date_text(void)
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

static char *message_text(const Doctor *doctor, const char *from, const char *to)
{
    const char *hostname = doctor->settings->hostname;
    g_autofree char *date = date_text();
    g_autofree char *id = g_uuid_string_random();

    return g_strdup_printf(text_format, from, to, date, id, hostname, hostname, from);
}

/* The value of "action" in a log line; owned by the caller. */
static char *action_in(const char *line)
{
    const char *found = strstr(line, "action=");

    if (found == NULL)
        return g_strdup("");
    found += strlen("action=");
    return g_strndup(found, strcspn(found, " "));
}

static void add_line(Doctor *doctor, const char *line)
{
    g_autofree char *action = action_in(line);

    if (strcmp(action, "inbound") == 0)
        finding_advise(findings_add(doctor, FINDING_ERROR, "probe",
                                    "it counts as mail from outside, and is not touched: %s", line),
                       "let outbound in %s name the clients whose mail is ours", doctor->file);
    else if (strcmp(action, "local") == 0)
        finding_advise(findings_add(doctor, FINDING_UNKNOWN, "probe",
                                    "it does not leave the house, and is not touched: %s", line),
                       "send the probe to an address elsewhere");
    else if (strcmp(action, "error") == 0)
        findings_add(doctor, FINDING_ERROR, "probe", "%s", line);
    else
        findings_add(doctor, FINDING_FINE, "probe", "%s", line);
}

static void ask_for_line(Doctor *doctor, const char *server, const char *queue_id)
{
    g_auto(ControlRequest) request = {.command = CONTROL_FIND, .queue_id = g_strdup(queue_id)};
    g_autoptr(GError) error = NULL;
    json_t *answer =
        control_client_ask(doctor->settings->control_socket, &request, CONTROL_QUICK, &error);
    const char *refusal = answer != NULL ? control_client_refusal(answer) : error->message;
    const char *line = answer != NULL ? json_string_value(json_object_get(answer, "line")) : NULL;

    if (refusal != NULL)
        findings_add(doctor, FINDING_UNKNOWN, "probe",
                     "the MTA took it as %s, and the daemon can't be asked: %s", queue_id, refusal);
    else if (line == NULL)
        findings_add(doctor, FINDING_ERROR, "probe",
                     "the MTA at %s took it as %s, and spfrom has not seen it: mail that comes in "
                     "there does not pass through it",
                     server, queue_id);
    else
        add_line(doctor, line);
    json_decref(answer);
}

static void send_probe(Doctor *doctor, const MilterAddress *server, const char *from,
                       const char *to)
{
    const char *name = doctor->options.smtp != NULL ? doctor->options.smtp : DOCTOR_PROBE_SERVER;
    g_autofree char *text = message_text(doctor, from, to);
    const SmtpMessage message = {
        .helo = doctor->settings->hostname, .sender = from, .recipient = to, .text = text};
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = smtp_send(
        server, &message, PATIENCE + doctor->settings->check_timeout, doctor->deadline, &error);
    g_autofree char *queue_id = answer != NULL ? probe_queue_id(answer) : NULL;

    if (answer == NULL)
        findings_add(doctor, FINDING_ERROR, "probe", "the MTA at %s did not take it: %s", name,
                     error->message);
    else if (queue_id == NULL)
        findings_add(doctor, FINDING_UNKNOWN, "probe",
                     "the MTA at %s took it, and does not say by which queue id: %s", name, answer);
    else
        ask_for_line(doctor, name, queue_id);
}

void doctor_probe(Doctor *doctor)
{
    const DoctorOptions *options = &doctor->options;
    g_autofree char *place =
        g_strconcat("inet:", options->smtp != NULL ? options->smtp : DOCTOR_PROBE_SERVER, NULL);
    g_autoptr(MilterAddress) server = milter_address_parse_postfix(place);
    g_autoptr(Mailbox) from = options->from != NULL ? settings_fallback_parse(options->from) : NULL;
    g_autoptr(Mailbox) to = settings_fallback_parse(options->probe);

    send_probe(doctor, server,
               from != NULL ? from->addr_spec : doctor->settings->fallback->addr_spec,
               to->addr_spec);
}
