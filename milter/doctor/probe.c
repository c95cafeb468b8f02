#include "config.h"

#include "doctor/probe.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/control_client.h"
#include "control/message_record.h"
#include "doctor/machine.h"
#include "doctor/milter_address.h"
#include "doctor/postfix.h"
#include "doctor/smtp_client.h"
#include "mail/mailboxes.h"
#include "mail/returned.h"
#include "policy/outbound.h"

/* The MTA that takes the probe. */
static const char *server_name(const Doctor *doctor)
{
    const char *smtp = doctor->options.smtp;

    return smtp != NULL ? smtp : DOCTOR_PROBE_SERVER;
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

/*
 * Asks the daemon what it did with a message that an MTA has just taken. Returns NULL if it has not
 * seen it within a second, or, with error set, can't be asked.
 */
static MessageRecord *ask_for_record(const Doctor *doctor, const char *queue_id, GError **error)
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
static MessageRecord *find_record(Doctor *doctor, const char *queue_id)
{
    g_autoptr(GError) error = NULL;
    MessageRecord *record = ask_for_record(doctor, queue_id, &error);

    if (error != NULL)
        findings_add(doctor, FINDING_UNKNOWN, "probe",
                     "the MTA took it as %s, and the daemon can't be asked: %s", queue_id,
                     error->message);
    else if (record == NULL)
        findings_add(doctor, FINDING_ERROR, "probe",
                     "the MTA at %s took it as %s, and spfrom has not seen it: mail that comes in "
                     "there does not pass through it",
                     server_name(doctor), queue_id);
    else
        add_line(doctor, record->line);
    return record;
}

static MessageRecord *send_probe(Doctor *doctor, const MilterAddress *server, const char *from,
                                 const char *to)
{
    g_autofree char *text = message_text(doctor, from, to);
    const SmtpMessage message = {
        .helo = doctor->settings->hostname, .sender = from, .recipient = to, .text = text};
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = smtp_client_send(
        server, NULL, &message, SMTP_CLIENT_PATIENCE + doctor->settings->check_timeout,
        doctor->deadline, &error);
    g_autofree char *queue_id = answer != NULL ? probe_queue_id(answer) : NULL;

    if (answer == NULL)
        findings_add(doctor, FINDING_ERROR, "probe", "the MTA at %s did not take it: %s",
                     server_name(doctor), error->message);
    else if (queue_id == NULL)
        findings_add(doctor, FINDING_UNKNOWN, "probe",
                     "the MTA at %s took it, and does not say by which queue id: %s",
                     server_name(doctor), answer);
    else
        return find_record(doctor, queue_id);
    return NULL;
}

/* The probe whose bounce is to come back. Texts are borrowed but for the last two. */
typedef struct {
    Doctor *doctor;
    const MilterAddress *server;
    const char *author;
    const char *recipient;
    char *address; /* the return address */
    char *token;
} Bounce;

static void bounce_clear(Bounce *bounce)
{
    g_free(bounce->address);
    g_free(bounce->token);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bounce, bounce_clear)

static Finding *add_untried(Doctor *doctor, const char *why)
{
    return findings_add(doctor, FINDING_UNKNOWN, "return-probe", "no bounce was tried: %s", why);
}

/* Has the probe left with a return address? If not, a finding says why. */
static bool has_left(Doctor *doctor, const MessageRecord *sent)
{
    if (g_strcmp0(message_record_get(sent, "return"), "unavailable") == 0)
        finding_advise(findings_add(doctor, FINDING_ERROR, "return-probe",
                                    "the probe left without a return address: the daemon could not "
                                    "keep its author"),
                       "see what return-store says, and the log of spfrom");
    else if (g_strcmp0(message_record_get(sent, "envelope"), "fallback") != 0)
        finding_advise(add_untried(doctor, "the probe left with its author's own envelope sender"),
                       "name an author whose domain does not authorise the relays, by --from; the "
                       "bounce goes to that author");
    else if ((doctor->settings->return_mail & 1U << RETURN_BOUNCE) == 0)
        add_untried(doctor, "return_mail passes none on");
    else
        return true;
    return false;
}

/* Asks the daemon for the address that the author's mail carries. */
static bool find_address(Bounce *bounce)
{
    Doctor *doctor = bounce->doctor;
    g_auto(ControlRequest)
        request = {.command = CONTROL_RESOLVE, .query = g_strdup(bounce->author)};
    g_autoptr(GError) error = NULL;
    json_t *answer =
        control_client_ask(doctor->settings->control_socket, &request, CONTROL_QUICK, &error);
    const char *refusal = answer != NULL ? control_client_refusal(answer) : error->message;
    bool is_known = false;

    bounce->address =
        g_strdup(json_string_value(json_array_get(json_object_get(answer, "addresses"), 0)));
    bounce->token = g_strdup(control_text(answer, "token"));
    if (refusal != NULL)
        add_untried(doctor, refusal);
    else if (!json_is_true(json_object_get(answer, "known")))
        findings_add(doctor, FINDING_ERROR, "return-probe",
                     "the probe was rewritten, and the daemon does not know its author");
    else if (bounce->address == NULL)
        add_untried(doctor, "the mail of this author carries no token");
    else
        is_known = true;
    json_decref(answer);
    return is_known;
}

static const char report_format[] =
    "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
    "To: <%s>\r\n"
    "Date: %s\r\n"
    "Message-ID: <%s@%s>\r\n"
    "Subject: Undelivered: a probe of spfrom doctor\r\n"
    "Auto-Submitted: auto-replied\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=\"spfrom-probe\"\r\n"
    "\r\n"
    "--spfrom-probe\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n"
    "\r\n"
    "This bounce was sent by spfrom doctor --probe on %s, to see whether bounces\r\n"
    "find their author. No mail was lost, and nothing needs to be done with it.\r\n"
    "\r\n"
    "--spfrom-probe\r\n"
    "Content-Type: message/delivery-status\r\n"
    "\r\n"
    "Reporting-MTA: dns; %s\r\n"
    "\r\n"
    "Final-Recipient: rfc822; %s\r\n"
    "Action: failed\r\n"
    "Status: 5.0.0\r\n"
    "\r\n"
    "--spfrom-probe--\r\n";

static char *report_text(const Bounce *bounce)
{
    const char *hostname = bounce->doctor->settings->hostname;
    g_autofree char *date = smtp_client_date();
    g_autofree char *id = g_uuid_string_random();

    return g_strdup_printf(report_format, hostname, bounce->address, date, id, hostname, hostname,
                           hostname, bounce->recipient);
}

static char *offer_from(const Bounce *bounce, const Network *source, GError **error)
{
    const Settings *settings = bounce->doctor->settings;
    g_autofree char *text = report_text(bounce);
    const SmtpMessage message = {
        .helo = settings->hostname, .sender = "", .recipient = bounce->address, .text = text};

    return smtp_client_send(bounce->server, source, &message,
                            SMTP_CLIENT_PATIENCE + settings->check_timeout,
                            bounce->doctor->deadline, error);
}

/*
 * Offers the bounce to the MTA from an address of this host that does not count as ours, so that it
 * is treated as mail from outside; where there is none, from any. Returns its last answer, or NULL
 * with error (SMTP_CLIENT_ERROR) set.
 */
static char *offer(const Bounce *bounce, GError **error)
{
    const Settings *settings = bounce->doctor->settings;
    g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(Network));

    network_add_interfaces(own);
    for (guint i = 0; i < own->len; i++) {
        const Network *source = &g_array_index(own, Network, i);
        const OutboundClient client = {.has_address = true, .address = *source};
        g_autoptr(GError) trouble = NULL;
        char *answer;

        if (outbound_is_ours(settings->outbound, &client))
            continue;
        answer = offer_from(bounce, source, &trouble);
        if (answer != NULL)
            return answer;
        if (!g_error_matches(trouble, SMTP_CLIENT_ERROR, SMTP_CLIENT_ERROR_CONNECT)) {
            g_propagate_error(error, g_steal_pointer(&trouble));
            return NULL;
        }
    }
    return offer_from(bounce, NULL, error);
}

/* How often the MTA has asked return_socket and got an author; -1: not known. */
static gint64 count_found(const Doctor *doctor)
{
    g_autoptr(DaemonStatus) status =
        control_client_status(doctor->settings->control_socket, CONTROL_QUICK, NULL);

    return status != NULL && doctor->settings->return_socket != NULL ? status->returns.found : -1;
}

/* Mends finding with what lets the MTA ask us. */
static void advise_map(const Doctor *doctor, Finding *finding)
{
    const char *socket = doctor->settings->return_socket;
    g_autoptr(MilterAddress) ours = socket != NULL ? milter_address_parse_sendmail(socket) : NULL;
    g_autofree char *postfix = ours != NULL ? milter_address_postfix(ours) : NULL;

    if (postfix != NULL)
        finding_advise(finding,
                       "Postfix: the domain into virtual_alias_domains, where its mail is nowhere "
                       "else, and socketmap:%s:return into virtual_alias_maps; Sendmail: "
                       "LOCAL_DOMAIN and FEATURE(`virtusertable', `socket -T<TMPF> %s')dnl",
                       postfix, socket);
}

static void add_refused(const Bounce *bounce, const GError *error)
{
    Doctor *doctor = bounce->doctor;

    if (g_error_matches(error, SMTP_CLIENT_ERROR, SMTP_CLIENT_ERROR_REFUSED))
        advise_map(doctor, findings_add(doctor, FINDING_ERROR, "return-probe",
                                        "the MTA at %s does not take a bounce to %s: %s",
                                        server_name(doctor), bounce->address, error->message));
    else
        findings_add(doctor, FINDING_UNKNOWN, "return-probe",
                     "no bounce could be given to the MTA at %s: %s", server_name(doctor),
                     error->message);
}

/* Returns what the daemon has seen of the bounce; NULL with a finding if that is nothing. */
static MessageRecord *find_bounce(const Bounce *bounce, const char *queue_id)
{
    Doctor *doctor = bounce->doctor;
    g_autoptr(GError) error = NULL;
    MessageRecord *record = ask_for_record(doctor, queue_id, &error);

    if (error != NULL)
        findings_add(doctor, FINDING_UNKNOWN, "return-probe",
                     "the MTA took a bounce to %s as %s, and the daemon can't be asked: %s",
                     bounce->address, queue_id, error->message);
    else if (record == NULL)
        finding_advise(findings_add(doctor, FINDING_ERROR, "return-probe",
                                    "the MTA at %s took a bounce to %s as %s, and spfrom has not "
                                    "seen it: what comes back does not pass through it",
                                    server_name(doctor), bounce->address, queue_id),
                       "give the port at which mail from outside comes in the milter, too");
    return record;
}

/* Was it recognised as what it is? */
static void add_record(const Bounce *bounce, const MessageRecord *record)
{
    Doctor *doctor = bounce->doctor;
    const char *kind = message_record_get(record, "return");

    if (kind == NULL && g_strcmp0(message_record_get(record, "action"), "inbound") != 0)
        findings_add(doctor, FINDING_UNKNOWN, "return-probe",
                     "the MTA took a bounce to %s; each address of this host counts as ours "
                     "(outbound), so what is done with one from outside could not be tried: %s",
                     bounce->address, record->line);
    else if (g_strcmp0(kind, return_kind_text(RETURN_BOUNCE)) != 0 ||
             g_strcmp0(message_record_get(record, "token"), bounce->token) != 0)
        finding_advise(findings_add(doctor, FINDING_ERROR, "return-probe",
                                    "a bounce to %s is not recognised, and passed on as it came: "
                                    "%s",
                                    bounce->address, record->line),
                       "let the milter see the recipient before it is rewritten by a filter, and "
                       "have spfrom run with the configuration in %s",
                       doctor->file);
    else
        findings_add(doctor, FINDING_FINE, "return-probe",
                     "a bounce to %s was taken as one that came back: %s", bounce->address,
                     record->line);
}

#define LOG_OCTETS (256 * 1024) /* at the end of a log */

/* Appends the end of a file to log, if it can be read. */
static void add_file(GString *log, const char *path)
{
    FILE *file = fopen(path, "re");
    g_autofree char *text = NULL;

    if (file == NULL)
        return;
    if (fseek(file, -LOG_OCTETS, SEEK_END) != 0)
        rewind(file);
    text = g_malloc0(LOG_OCTETS + 1);
    g_string_append_len(log, text, (gssize)fread(text, 1, LOG_OCTETS, file));
    g_string_append_c(log, '\n');
    fclose(file);
}

/* The MTA's log of the last minutes, as far as it can be read. Owned by the caller. */
static char *read_log(const Doctor *doctor, const char *own_file, const char *journalctl)
{
    static const char *const files[] = {"/var/log/mail.log", "/var/log/maillog", "/var/log/syslog"};
    const char *const argv[] = {journalctl, "-q",  "--no-pager",    "-n", "2000",
                                "-o",       "cat", "--since=-5min", NULL};
    GString *log = g_string_new(NULL);

    if (own_file != NULL)
        add_file(log, own_file);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        add_file(log, files[i]);
    if (journalctl != NULL) {
        g_autoptr(MachineProgram) program = machine_program_run(argv, doctor->deadline, NULL);

        if (program != NULL) {
            g_string_append_c(log, '\n');
            g_string_append(log, program->output);
        }
    }
    return g_string_free(log, FALSE);
}

static ProbeDelivery outcome_of(const char *line)
{
    const char *postfix = strstr(line, ", status=");
    const char *sendmail = strstr(line, ", stat=");
    const char *word;

    if (postfix == NULL && sendmail == NULL)
        return PROBE_DELIVERY_QUEUED;
    word = postfix != NULL ? postfix + strlen(", status=") : sendmail + strlen(", stat=");
    if (g_ascii_strncasecmp(word, "sent", strlen("sent")) == 0)
        return PROBE_DELIVERY_SENT;
    if (g_ascii_strncasecmp(word, "deferred", strlen("deferred")) == 0)
        return PROBE_DELIVERY_DEFERRED;
    return g_str_has_prefix(word, "queued") ? PROBE_DELIVERY_QUEUED : PROBE_DELIVERY_REFUSED;
}

/* The line from the queue id on, borrowed from line; NULL if it is about another message. */
static const char *from_id(const char *line, const char *id)
{
    const char *found = strstr(line, id);

    return found != NULL && (found == line || found[-1] == ' ') ? found : NULL;
}

ProbeDelivery probe_delivery(const char *log, const char *queue_id, const char *recipient,
                             char **line)
{
    g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
    g_autofree char *id = g_strconcat(queue_id, ": ", NULL);
    g_autofree char *to = g_strconcat("to=<", recipient, ">", NULL);
    ProbeDelivery found = PROBE_DELIVERY_UNSEEN;

    *line = NULL;
    for (guint i = 0; lines[i] != NULL; i++) {
        const char *text = from_id(lines[i], id);
        bool is_delivery =
            text != NULL && g_ascii_strncasecmp(text + strlen(id), to, strlen(to)) == 0;

        if (text != NULL && found == PROBE_DELIVERY_UNSEEN)
            found = PROBE_DELIVERY_QUEUED;
        if (!is_delivery)
            continue;
        found = outcome_of(text);
        g_free(*line);
        *line = g_strchomp(g_strdup(text));
    }
    return found;
}

#define ARRIVAL_SECONDS 15
#define UNSEEN_SECONDS 3 /* until a log is one that does not tell of it */
#define PAUSE (CLOCK_SECOND / 4)

/* The file that Postfix itself writes, owned by the caller; NULL if there is none. */
static char *own_log(const Doctor *doctor)
{
    const DoctorOptions *options = &doctor->options;
    g_autoptr(Postfix) postfix =
        postfix_read(options->postconf, options->postfix_directory, doctor->deadline, NULL);
    const char *file = postfix != NULL ? postfix_value(postfix, NULL, "maillog_file") : "";

    return g_path_is_absolute(file) ? g_strdup(file) : NULL;
}

/* Waits until the MTA has delivered the message to recipient, or has failed to. */
static ProbeDelivery wait_for_delivery(const Doctor *doctor, const char *queue_id,
                                       const Bounce *bounce, char **line)
{
    Deadline deadline = deadline_shortened(doctor->deadline, ARRIVAL_SECONDS);
    Deadline unseen = deadline_shortened(doctor->deadline, UNSEEN_SECONDS);
    g_autofree char *file = own_log(doctor);
    g_autofree char *journalctl = machine_program_find("journalctl");

    while (true) {
        g_autofree char *log = read_log(doctor, file, journalctl);
        ProbeDelivery found = probe_delivery(log, queue_id, bounce->author, line);

        if (found == PROBE_DELIVERY_SENT || found == PROBE_DELIVERY_REFUSED ||
            deadline_is_over(found == PROBE_DELIVERY_UNSEEN ? unseen : deadline))
            return found;
        g_clear_pointer(line, g_free);
        g_usleep(PAUSE);
    }
}

static void add_arrival(const Bounce *bounce, const char *queue_id)
{
    Doctor *doctor = bounce->doctor;
    g_autofree char *line = NULL;

    switch (wait_for_delivery(doctor, queue_id, bounce, &line)) {
    case PROBE_DELIVERY_SENT:
        findings_add(doctor, FINDING_FINE, "return-arrived", "the bounce has left for %s: %s",
                     bounce->author, line);
        return;
    case PROBE_DELIVERY_REFUSED:
        finding_advise(findings_add(doctor, FINDING_ERROR, "return-arrived",
                                    "the bounce was not delivered to %s: %s", bounce->author, line),
                       "mend what that line says, or name another author by --from");
        return;
    case PROBE_DELIVERY_DEFERRED:
        finding_advise(findings_add(doctor, FINDING_UNKNOWN, "return-arrived",
                                    "the bounce for %s waits: %s", bounce->author, line),
                       "look whether it arrives: spfrom why %s", queue_id);
        return;
    case PROBE_DELIVERY_QUEUED:
        finding_advise(findings_add(doctor, FINDING_ERROR, "return-arrived",
                                    "the bounce %s has not been delivered to %s within %d s",
                                    queue_id, bounce->author, ARRIVAL_SECONDS),
                       "look for %s in the log of the MTA", queue_id);
        return;
    case PROBE_DELIVERY_UNSEEN:
        finding_advise(findings_add(doctor, FINDING_UNKNOWN, "return-arrived",
                                    "whether the bounce has left for %s can't be seen: no log here "
                                    "tells of %s",
                                    bounce->author, queue_id),
                       "look into that mailbox");
        return;
    }
}

/* The MTA has taken the bounce. found: how often it had asked us before. */
static void follow(const Bounce *bounce, const char *answer, gint64 found)
{
    Doctor *doctor = bounce->doctor;
    g_autofree char *queue_id = probe_queue_id(answer);
    g_autoptr(MessageRecord) record = NULL;

    if (found >= 0 && count_found(doctor) == found) {
        advise_map(doctor, findings_add(doctor, FINDING_ERROR, "return-probe",
                                        "the MTA at %s took a bounce to %s, and did not ask spfrom "
                                        "where it leads: it does not reach %s",
                                        server_name(doctor), bounce->address, bounce->author));
        return;
    }
    if (queue_id == NULL) {
        findings_add(doctor, FINDING_UNKNOWN, "return-probe",
                     "the MTA took a bounce to %s, and does not say by which queue id: %s",
                     bounce->address, answer);
        return;
    }
    record = find_bounce(bounce, queue_id);
    if (record != NULL)
        add_record(bounce, record);
    add_arrival(bounce, queue_id);
}

/*
 * Sends one bounce to the return address that a probe has left with, and looks whether it finds the
 * author (design section 19). Nothing else is sent.
 *
 * server     the MTA that has taken the probe
 * author     of the probe, an addr-spec
 * recipient  of the probe, an addr-spec
 * sent       what became of the probe
 */
static void try_bounce(Doctor *doctor, const MilterAddress *server, const char *author,
                       const char *recipient, const MessageRecord *sent)
{
    g_auto(Bounce)
        bounce = {.doctor = doctor, .server = server, .author = author, .recipient = recipient};
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = NULL;
    gint64 found;

    if (!has_left(doctor, sent) || !find_address(&bounce))
        return;
    found = count_found(doctor);
    answer = offer(&bounce, &error);
    if (answer != NULL)
        follow(&bounce, answer, found);
    else
        add_refused(&bounce, error);
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
    g_autofree char *place = g_strconcat("inet:", server_name(doctor), NULL);
    g_autoptr(MilterAddress) server = milter_address_parse_postfix(place);
    g_autoptr(Mailbox) from = options->from != NULL ? settings_fallback_parse(options->from) : NULL;
    g_autoptr(Mailbox) to = settings_fallback_parse(options->probe);
    const Mailbox *author = author_of(doctor, from, to);
    g_autoptr(MessageRecord) record = send_probe(doctor, server, author->addr_spec, to->addr_spec);

    if (record != NULL && settings_has_tokens(doctor->settings))
        try_bounce(doctor, server, author->addr_spec, to->addr_spec, record);
}
