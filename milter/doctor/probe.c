#include "config.h"

#include "doctor/probe.h"

#include <string.h>

#include "base/clock.h"
#include "control/control_client.h"
#include "doctor/milter_address.h"
#include "doctor/return_probe.h"
#include "doctor/smtp_client.h"
#include "mail/mailboxes.h"

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

static char *message_text(const Doctor *doctor, const char *from, const char *to)
{
    const char *hostname = doctor->settings->hostname;
    g_autofree char *date = smtp_client_date();
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

/* The daemon answers the MTA before it writes its line. */
#define LINE_PAUSES 10
#define LINE_PAUSE (CLOCK_SECOND / 10)

static MessageRecord *ask_once(const Doctor *doctor, const char *queue_id, GError **error)
{
    g_auto(ControlRequest) request = {.command = CONTROL_FIND, .queue_id = g_strdup(queue_id)};
    json_t *answer =
        control_client_ask(doctor->settings->control_socket, &request, CONTROL_QUICK, error);
    const char *refusal = answer != NULL ? control_client_refusal(answer) : NULL;
    const char *line = answer != NULL ? control_text(answer, "line") : NULL;
    MessageRecord *record = NULL;

    if (refusal != NULL)
        g_set_error_literal(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_REFUSED, refusal);
    else if (line != NULL)
        record = message_record_new(0, queue_id, NULL, line);
    json_decref(answer);
    return record;
}

MessageRecord *probe_record(const Doctor *doctor, const char *queue_id, GError **error)
{
    GError *trouble = NULL;
    MessageRecord *record = ask_once(doctor, queue_id, &trouble);

    for (guint i = 0; i < LINE_PAUSES && record == NULL && trouble == NULL; i++) {
        g_usleep(LINE_PAUSE);
        record = ask_once(doctor, queue_id, &trouble);
    }
    if (trouble != NULL)
        g_propagate_error(error, trouble);
    return record;
}

/* Returns the daemon's record of the probe, NULL if there is none. */
static MessageRecord *find_record(Doctor *doctor, const char *server, const char *queue_id)
{
    g_autoptr(GError) error = NULL;
    MessageRecord *record = probe_record(doctor, queue_id, &error);

    if (error != NULL)
        findings_add(doctor, FINDING_UNKNOWN, "probe",
                     "the MTA took it as %s, and the daemon can't be asked: %s", queue_id,
                     error->message);
    else if (record == NULL)
        findings_add(doctor, FINDING_ERROR, "probe",
                     "the MTA at %s took it as %s, and spfrom has not seen it: mail that comes in "
                     "there does not pass through it",
                     server, queue_id);
    else
        add_line(doctor, record->line);
    return record;
}

static MessageRecord *send_probe(Doctor *doctor, const MilterAddress *server, const char *from,
                                 const char *to)
{
    const char *name = doctor->options.smtp != NULL ? doctor->options.smtp : DOCTOR_PROBE_SERVER;
    g_autofree char *text = message_text(doctor, from, to);
    const SmtpMessage message = {
        .helo = doctor->settings->hostname, .sender = from, .recipient = to, .text = text};
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = smtp_client_send(
        server, NULL, &message, SMTP_CLIENT_PATIENCE + doctor->settings->check_timeout,
        doctor->deadline, &error);
    g_autofree char *queue_id = answer != NULL ? probe_queue_id(answer) : NULL;

    if (answer == NULL)
        findings_add(doctor, FINDING_ERROR, "probe", "the MTA at %s did not take it: %s", name,
                     error->message);
    else if (queue_id == NULL)
        findings_add(doctor, FINDING_UNKNOWN, "probe",
                     "the MTA at %s took it, and does not say by which queue id: %s", name, answer);
    else
        return find_record(doctor, name, queue_id);
    return NULL;
}

/* The author of the probe. A bounce can come back to it only if its mail is rewritten: the recipient,
 * who reads both, is a better author then than the fallback address. */
static const Mailbox *author_of(const Doctor *doctor, const Mailbox *from, const Mailbox *to)
{
    Settings *settings = doctor->settings;

    if (from != NULL)
        return from;
    if (!settings_has_tokens(settings) ||
        control_client_mode_in_force(settings, CONTROL_QUICK).mode != MODE_REWRITE)
        return settings->fallback;
    return to;
}

void doctor_probe(Doctor *doctor)
{
    const DoctorOptions *options = &doctor->options;
    g_autofree char *place =
        g_strconcat("inet:", options->smtp != NULL ? options->smtp : DOCTOR_PROBE_SERVER, NULL);
    g_autoptr(MilterAddress) server = milter_address_parse_postfix(place);
    g_autoptr(Mailbox) from = options->from != NULL ? settings_fallback_parse(options->from) : NULL;
    g_autoptr(Mailbox) to = settings_fallback_parse(options->probe);
    const Mailbox *author = author_of(doctor, from, to);
    g_autoptr(MessageRecord) record = send_probe(doctor, server, author->addr_spec, to->addr_spec);

    if (record != NULL && settings_has_tokens(doctor->settings))
        doctor_return_probe(doctor, server, author->addr_spec, to->addr_spec, record);
}
