#include "config.h"

#include "doctor/probe.h"

#include <string.h>

#include "control/control_client.h"
#include "doctor/smtp.h"
#include "mail/mailboxes.h"

#define PATIENCE 30 /* seconds for an answer of the MTA, besides what a check may take */

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

/* RFC 5322 section 3.3, in words that no locale changes. */
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
    json_t *request = json_pack("{s:s, s:s}", "command", "find", "queue_id", queue_id);
    g_autoptr(GError) error = NULL;
    json_t *answer =
        control_client_ask(doctor->settings->control_socket, request, CONTROL_QUICK, &error);
    const char *refusal = answer != NULL ? control_client_refusal(answer) : error->message;
    const char *line = answer != NULL ? json_string_value(json_object_get(answer, "line")) : NULL;

    json_decref(request);
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
    const DoctorSmtpMessage message = {
        .helo = doctor->settings->hostname, .sender = from, .recipient = to, .text = text};
    g_autoptr(GError) error = NULL;
    g_autofree char *answer =
        doctor_smtp_send(server, &message, PATIENCE + doctor->settings->check_timeout, &error);
    g_autofree char *queue_id = answer != NULL ? doctor_smtp_queue_id(answer) : NULL;

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
    g_autoptr(MilterAddress) server = milter_address_parse(place);
    g_autoptr(Mailbox) from = options->from != NULL ? settings_fallback_parse(options->from) : NULL;
    g_autoptr(Mailbox) to = settings_fallback_parse(options->probe);

    send_probe(doctor, server,
               from != NULL ? from->addr_spec : doctor->settings->fallback->addr_spec,
               to->addr_spec);
}
