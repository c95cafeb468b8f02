#include "config.h"

#include <stdio.h>

#include "cli/configuration.h"
#include "doctor/findings.h"
#include "doctor/daemon.h"
#include "doctor/dns.h"
#include "doctor/fallback.h"
#include "doctor/machine.h"
#include "doctor/milter_address.h"
#include "doctor/mta.h"
#include "doctor/probe.h"
#include "cli/subcommands.h"
#include "mail/mailboxes.h"
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
    {.name = "probe",
     .argument = "ADDRESS",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, probe),
     .help = "besides, send one message to ADDRESS and show what became of it"},
    {.name = "from",
     .argument = "ADDRESS",
     .kind = OPTION_TEXT,
     .member = offsetof(DoctorOptions, from),
     .help = "its author and envelope sender (default fallback_address)"},
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

static bool is_address(const char *text)
{
    g_autoptr(Mailbox) mailbox = settings_fallback_parse(text);

    return mailbox != NULL;
}

static bool is_server(const char *text)
{
    g_autofree char *place = g_strconcat("inet:", text, NULL);
    g_autoptr(MilterAddress) address = milter_address_parse(place);

    return address != NULL;
}

static int check_probe(const DoctorOptions *options)
{
    if (options->probe == NULL && (options->from != NULL || options->smtp != NULL))
        return subcommand_usage_error(&doctor_subcommand, "--from and --smtp go with --probe");
    if (options->probe != NULL && !is_address(options->probe))
        return subcommand_usage_error(&doctor_subcommand, "--probe: \"%s\" is no address",
                                      options->probe);
    if (options->from != NULL && !is_address(options->from))
        return subcommand_usage_error(&doctor_subcommand, "--from: \"%s\" is no address",
                                      options->from);
    if (options->smtp != NULL && !is_server(options->smtp))
        return subcommand_usage_error(&doctor_subcommand, "--smtp: write it like %s",
                                      DOCTOR_PROBE_SERVER);
    return SUBCOMMAND_GO_ON;
}

static int parse_options(DoctorOptions *options, CliContext *context, int argc, char **argv)
{
    char **operands;
    int status = subcommand_parse(&doctor_subcommand, context, argc, argv, options, &operands);

    return status != SUBCOMMAND_GO_ON ? status : check_probe(options);
}

/* Returns whether the configuration is right. */
static bool read_configuration(Doctor *doctor, const CliContext *context)
{
    g_autoptr(GError) error = NULL;

    g_file_get_contents(doctor->file, &doctor->text, NULL, NULL);
    doctor->settings = configuration_read(context, false, &error);
    if (doctor->settings != NULL)
        doctor->dns = setup_dns(doctor->settings, &error);
    if (error != NULL) {
        findings_add(doctor, FINDING_ERROR, "configuration", "%s", error->message);
        return false;
    }
    findings_add(doctor, FINDING_FINE, "configuration", "%s is right", doctor->file);
    return true;
}

/* Returns the exit status. */
static int examine(Doctor *doctor, const CliContext *context)
{
    bool is_right;

    doctor->area = "Configuration";
    is_right = read_configuration(doctor, context);
    doctor->area = "Machine";
    doctor_machine(doctor);
    if (doctor->settings != NULL) {
        doctor->area = "DNS";
        doctor_dns(doctor);
        doctor->area = "Relays";
        doctor_dns_relays(doctor);
        doctor->area = "Fallback";
        doctor_fallback(doctor);
        doctor->area = "Daemon";
        doctor_daemon(doctor);
    }
    doctor_mta(doctor);
    if (doctor->options.probe != NULL && doctor->settings != NULL) {
        doctor->area = "Probe";
        doctor_probe(doctor);
    }
    if (!is_right)
        return CLI_CONFIGURATION;
    return findings_count(doctor, FINDING_ERROR) > 0 ? CLI_NO : CLI_YES;
}

static void print(const Doctor *doctor)
{
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    findings_add_text(doctor, &page);
    fwrite(page.text->str, 1, page.text->len, stdout);
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
    status = examine(&doctor, context);
    if (doctor.options.is_json)
        print_json(&doctor);
    else
        print(&doctor);
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
