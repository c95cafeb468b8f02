#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor/findings.h"
#include "doctor/daemon.h"
#include "doctor/dns.h"
#include "doctor/fallback.h"
#include "doctor/machine.h"
#include "doctor/milter_address.h"
#include "doctor/postfix.h"
#include "doctor/postfix_milters.h"
#include "doctor/postfix_route.h"
#include "doctor/probe.h"
#include "doctor/returns.h"
#include "doctor/sendmail.h"
#include "doctor/signer.h"
#include "cli/subcommand.h"
#include "mail/mailboxes.h"
#include "policy/settings_examine.h"
#include "verdict/setup.h"

static const Option option_rows[] = {
    {.name = "postfix-config",
     .argument = "DIR",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, postfix_directory),
     .files = FILES_DIRECTORY,
     .help = "the Postfix configured in DIR (default: its default, and all instances of "
             "postmulti(1))"},
    {.name = "postconf",
     .argument = "PATH",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, postconf),
     .files = FILES_ANY,
     .help = "this postconf"},
    {.name = "sendmail-cf",
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, sendmail_cf),
     .files = FILES_ANY,
     .help = "the Sendmail configured in FILE, submit.cf beside it (default /etc/mail/sendmail.cf, "
             "if there is no Postfix)"},
    {.name = "dkim-selector",
     .argument = "NAME",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, dkim_selector),
     .help = "look for the fallback domains' DKIM key by this selector (default: what OpenDKIM's "
             "configuration says)"},
    {.name = "opendkim-conf",
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, opendkim_file),
     .files = FILES_ANY,
     .help = "that configuration (default /etc/opendkim.conf)"},
    {.name = "rspamd-config",
     .argument = "DIR",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, rspamd_directory),
     .files = FILES_DIRECTORY,
     .help = "for dkim_consent, the rspamd configured in DIR (default /etc/rspamd)"},
    {.name = "probe",
     .argument = "ADDRESS",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, probe),
     .help =
         "besides, send one message to ADDRESS, then a bounce to the return address that it got, "
         "and show what became of them"},
    {.name = "from",
     .argument = "ADDRESS",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, from),
     .help = "its author and envelope sender, who gets the bounce (default fallback_address; where "
             "authors have return addresses, ADDRESS)"},
    {.name = "smtp",
     .argument = "HOST:PORT",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, smtp),
     .help = "the MTA that takes it (default " DOCTOR_PROBE_SERVER ")"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(DoctorOptions, is_json),
     .help = "print JSON"},
};

static bool is_server(const char *text)
{
    g_autofree char *place = g_strconcat("inet:", text, NULL);
    g_autoptr(MilterAddress) address = milter_address_parse_postfix(place);

    return address != NULL;
}

static int check_address(const char *option, const char *text)
{
    g_autoptr(Mailbox) mailbox = text != NULL ? settings_fallback_parse(text) : NULL;

    if (text == NULL || mailbox != NULL)
        return SUBCOMMAND_GO_ON;
    return subcommand_usage_error(
        &doctor_subcommand, "--%s: \"%s\" is not an address; write it like anna@praxis.example",
        option, text);
}

static int check_probe(const DoctorOptions *options)
{
    int status;

    if (options->probe == NULL && (options->from != NULL || options->smtp != NULL))
        return subcommand_usage_error(&doctor_subcommand, "--from and --smtp go with --probe");
    status = check_address("probe", options->probe);
    if (status == SUBCOMMAND_GO_ON)
        status = check_address("from", options->from);
    if (status != SUBCOMMAND_GO_ON)
        return status;
    if (options->smtp != NULL && !is_server(options->smtp))
        return subcommand_usage_error(&doctor_subcommand,
                                      "--smtp: invalid server \"%s\"; write it like %s",
                                      options->smtp, DOCTOR_PROBE_SERVER);
    return SUBCOMMAND_GO_ON;
}

static int parse_options(DoctorOptions *options, CliContext *context, int argc, char **argv)
{
    char **operands;
    int status = subcommand_parse(&doctor_subcommand, context, argc, argv, options, &operands);

    return status != SUBCOMMAND_GO_ON ? status : check_probe(options);
}

/* Mends finding with the command that writes the line as it is meant. */
static void mend_line(const Doctor *doctor, Finding *finding, const SettingsProblem *problem)
{
    g_auto(GStrv) parts = g_strsplit(problem->corrected, "\\", -1);
    g_autofree char *line = g_strjoinv("\\\\", parts);
    g_autofree char *script = g_strdup_printf("%uc\\%s", problem->line, line);
    g_autofree char *quoted = g_shell_quote(script);
    g_autofree char *file = g_shell_quote(doctor->file);

    finding_command(finding, "sed -i %s %s", quoted, file);
    finding_advise(finding, "then: spfrom reload, or systemctl restart spfrom if it does not run");
}

static void add_problems(Doctor *doctor)
{
    for (guint i = 0; i < doctor->problems->len; i++) {
        const SettingsProblem *problem = g_ptr_array_index(doctor->problems, i);
        Finding *finding =
            findings_add(doctor, FINDING_ERROR, "configuration", "%s", problem->text);

        if (problem->corrected != NULL)
            mend_line(doctor, finding, problem);
    }
}

/* Reads as much of the configuration as is right. Returns whether all of it is. */
static bool read_configuration(Doctor *doctor)
{
    g_autoptr(GError) error = NULL;

    g_file_get_contents(doctor->file, &doctor->text, NULL, NULL);
    doctor->settings = setup_examine(doctor->file, doctor->problems);
    add_problems(doctor);
    if (doctor->settings != NULL && findings_is_known(doctor, "dns_servers") &&
        findings_is_known(doctor, "dns_zone_file") && findings_is_known(doctor, "dns_trust_anchor"))
        doctor->dns = setup_dns(doctor->settings, &error);
    if (error != NULL)
        findings_add(doctor, FINDING_ERROR, "configuration", "%s", error->message);
    if (error != NULL || doctor->problems->len > 0)
        return false;
    findings_add(doctor, FINDING_FINE, "configuration", "%s is right", doctor->file);
    return true;
}

/* Postfix may not know a parameter for many reasons; one about milters is most likely a slip. */
static bool is_of_interest(const char *complaint)
{
    return strstr(complaint, "overriding") != NULL || strstr(complaint, "milter") != NULL;
}

static void add_complaints(Doctor *doctor, const Postfix *postfix)
{
    for (guint i = 0; i < postfix->complaints->len; i++) {
        const char *complaint = g_ptr_array_index(postfix->complaints, i);

        if (is_of_interest(complaint))
            findings_add(doctor, FINDING_WARNING, "postconf", "postconf warns: %s", complaint);
    }
}

/* Postfix's master has left its process id in the queue; only root can read it. */
static void examine_running(Doctor *doctor, const Postfix *postfix)
{
    g_autofree char *file = g_build_filename(postfix_value(postfix, NULL, "queue_directory"), "pid",
                                             "master.pid", NULL);
    g_autofree char *start = postfix_command(postfix, "postfix");
    g_autofree char *text = NULL;
    guint64 pid = 0;

    if (geteuid() != 0)
        return;
    if (g_file_get_contents(file, &text, NULL, NULL))
        g_ascii_string_to_unsigned(g_strstrip(text), 10, 2, G_MAXINT, &pid, NULL);
    if (pid == 0 || kill((pid_t)pid, 0) != 0)
        finding_command(
            findings_add(doctor, FINDING_WARNING, "postfix-running", "Postfix does not run"),
            "%s start", start);
}

static void examine_instance(Doctor *doctor, const Postfix *postfix)
{
    findings_add(doctor, FINDING_FINE, "postfix", "Postfix %s, configured in %s",
                 postfix_value(postfix, NULL, "mail_version"),
                 postfix_value(postfix, NULL, "config_directory"));
    add_complaints(doctor, postfix);
    examine_running(doctor, postfix);
    if (doctor->settings == NULL)
        return;
    if (findings_is_known(doctor, "socket"))
        doctor_postfix_milters(doctor, postfix);
    doctor_postfix_route(doctor, postfix);
    doctor_returns_postfix(doctor, postfix);
}

static void add_unreadable(Doctor *doctor, const char *directory, const GError *error)
{
    findings_add(doctor, FINDING_ERROR, "postfix", "Postfix%s%s can't be read: %s",
                 directory != NULL ? " in " : "", directory != NULL ? directory : "",
                 error->message);
}

/* The other instances of postmulti(1). */
static void examine_others(Doctor *doctor, const Postfix *first)
{
    g_autoptr(GPtrArray) directories =
        postfix_words(postfix_value(first, NULL, "multi_instance_directories"));

    for (guint i = 0; i < directories->len; i++) {
        const char *directory = g_ptr_array_index(directories, i);
        g_autoptr(GError) error = NULL;
        g_autoptr(Postfix) postfix =
            postfix_read(first->postconf, directory, doctor->deadline, &error);
        g_autofree char *area = g_path_get_basename(directory);

        findings_begin(doctor, area);
        if (postfix == NULL)
            add_unreadable(doctor, directory, error);
        else if (postfix_is_yes(postfix, NULL, "multi_instance_enable"))
            examine_instance(doctor, postfix);
    }
}

/* Returns whether there is a Postfix. */
static bool examine_postfix(Doctor *doctor)
{
    const DoctorOptions *options = &doctor->options;
    g_autoptr(GError) error = NULL;
    g_autoptr(Postfix) postfix =
        postfix_read(options->postconf, options->postfix_directory, doctor->deadline, &error);

    findings_begin(doctor, "Postfix");
    if (postfix == NULL) {
        if (g_error_matches(error, POSTFIX_ERROR, POSTFIX_ERROR_MISSING))
            return false;
        add_unreadable(doctor, options->postfix_directory, error);
        return true;
    }
    examine_instance(doctor, postfix);
    if (options->postfix_directory == NULL)
        examine_others(doctor, postfix);
    return true;
}

/* Returns whether there is a Sendmail. Its configuration says nothing if there is a Postfix, too:
 * Debian leaves it behind. */
static bool examine_sendmail(Doctor *doctor, bool has_postfix)
{
    const char *file = doctor->options.sendmail_cf;

    if (file == NULL && (has_postfix || access(DOCTOR_SENDMAIL_CF, R_OK) != 0))
        return false;
    findings_begin(doctor, "Sendmail");
    doctor_sendmail(doctor, file != NULL ? file : DOCTOR_SENDMAIL_CF);
    return true;
}

/* Is Postfix asked for? The name of a sendmail.cf, and nothing of Postfix, means Sendmail alone. */
static bool wants_postfix(const DoctorOptions *options)
{
    return options->sendmail_cf == NULL || options->postconf != NULL ||
           options->postfix_directory != NULL;
}

/* Finds the MTAs of this machine, Postfix with all its instances and Sendmail; examines them. */
static void examine_mta(Doctor *doctor)
{
    bool has_postfix = wants_postfix(&doctor->options) && examine_postfix(doctor);
    bool has_sendmail = examine_sendmail(doctor, has_postfix);

    findings_begin(doctor, "MTA");
    if (!has_postfix && !has_sendmail)
        finding_advise(findings_add(doctor, FINDING_UNKNOWN, "mta",
                                    "there is neither Postfix nor Sendmail here"),
                       "where the MTA is on this machine, name it: --postconf PATH, "
                       "--postfix-config DIR or --sendmail-cf FILE");
}

/* All of it, and the questions to the DNS before those to the machine's own programs. */
#define SECONDS 120
#define DNS_SECONDS 60

/* Returns the exit status. */
static int examine(Doctor *doctor)
{
    Deadline whole = deadline_in(SECONDS);
    bool is_right;

    doctor->deadline = deadline_shortened(whole, DNS_SECONDS);
    findings_begin(doctor, "Configuration");
    is_right = read_configuration(doctor);
    findings_begin(doctor, "Machine");
    doctor_machine(doctor);
    if (doctor->settings != NULL) {
        findings_begin(doctor, "DNS");
        doctor_dns(doctor);
        findings_begin(doctor, "Relays");
        if (findings_is_known(doctor, "relay_hosts"))
            doctor_dns_relays(doctor);
        findings_begin(doctor, "Fallback");
        doctor_fallback(doctor);
        findings_late(doctor, DNS_SECONDS, "the DNS");
        findings_begin(doctor, "Daemon");
        doctor->deadline = whole;
        doctor_daemon(doctor);
        doctor->area = "Return";
        doctor_returns(doctor);
    }
    doctor->deadline = whole;
    if (!deadline_is_over(whole)) {
        examine_mta(doctor);
        if (doctor->settings != NULL)
            doctor_signer(doctor);
        if (doctor->options.probe != NULL && doctor->settings != NULL) {
            findings_begin(doctor, "Probe");
            doctor_probe(doctor);
        }
    }
    findings_late(doctor, SECONDS, "the daemon or the MTA");
    if (!is_right)
        return CLI_CONFIGURATION;
    return findings_count(doctor, FINDING_ERROR) > 0 ? CLI_NO : CLI_YES;
}

static void print_json(const Doctor *doctor)
{
    json_t *object = findings_json(doctor);

    json_dumpf(object, stdout, 0);
    putchar('\n');
    json_decref(object);
}

static int run(int argc, char **argv, CliContext *context)
{
    g_auto(Doctor) doctor;
    g_autofree char *file = NULL;
    int status;

    findings_init(&doctor);
    status = parse_options(&doctor.options, context, argc, argv);
    if (status != SUBCOMMAND_GO_ON)
        return status;
    file = g_canonicalize_filename(context->file, NULL);
    doctor.file = file;
    doctor.out = doctor.options.is_json ? NULL : stdout;
    status = examine(&doctor);
    if (doctor.options.is_json)
        print_json(&doctor);
    else
        findings_end(&doctor);
    return status;
}

const Subcommand doctor_subcommand = {
    .name = "doctor",
    .summary = "is this installation right, and what mends it?",
    .description =
        "Looks over this installation and says of each thing: fine, or what is wrong and the "
        "command that mends it. It changes nothing (but for --probe). It looks at the "
        "configuration, the files and accounts, the daemon, the MTA that should pass mail "
        "through it, and the DNS: the relays, the fallback addresses' own domains. As root it "
        "sees more.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .exit_status = "0 healthy (warnings are allowed), 1 an error was found, 2 wrong usage, 78 the "
                   "configuration is wrong",
    .run = run,
};
