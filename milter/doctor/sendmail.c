#include "config.h"

#include "doctor/sendmail.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "doctor/returns.h"
#include "doctor/daemon.h"
#include "doctor/dns.h"
#include "doctor/milter_address.h"

/* The times in seconds if the line "X" names no others. */
#define READ_TIME 10 /* seconds */
#define END_TIME 300

static void milter_free(SendmailMilter *milter)
{
    g_free(milter->name);
    g_free(milter->socket);
    g_clear_pointer(&milter->address, milter_address_free);
    g_free(milter);
}

static void daemon_free(SendmailDaemon *daemon)
{
    g_free(daemon->name);
    g_clear_pointer(&daemon->filters, g_ptr_array_unref);
    g_free(daemon);
}

void sendmail_cf_free(SendmailCf *cf)
{
    g_ptr_array_unref(cf->milters);
    g_ptr_array_unref(cf->filters);
    g_ptr_array_unref(cf->daemons);
    g_free(cf->smart_host);
    g_free(cf->mta_host);
    g_free(cf);
}

/* The names in text, of char *; commas, semicolons and blanks part them. */
static GPtrArray *names_in(const char *text)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) parts = g_strsplit_set(text, ",; \t", -1);

    for (guint i = 0; parts[i] != NULL; i++)
        if (*parts[i] != '\0')
            g_ptr_array_add(names, g_strdup(parts[i]));
    return names;
}

/* Reads a time, in seconds if it has no unit. */
static gint64 parse_time(const char *text, gint64 otherwise)
{
    gint64 seconds = clock_span_parse(text, NULL);

    return seconds >= 0 ? seconds : otherwise;
}

/* Reads "C:5s;S:10s;R:20s;E:60s". */
static void parse_times(SendmailMilter *milter, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ";", -1);

    for (guint i = 0; parts[i] != NULL; i++) {
        const char *part = g_strstrip(parts[i]);

        if (g_str_has_prefix(part, "R:"))
            milter->read_time = parse_time(part + 2, milter->read_time);
        else if (g_str_has_prefix(part, "E:"))
            milter->end_time = parse_time(part + 2, milter->end_time);
    }
}

static void parse_equate(SendmailMilter *milter, const char *equate)
{
    const char *value = equate[0] != '\0' && equate[1] == '=' ? equate + 2 : "";

    switch (g_ascii_toupper(equate[0])) {
    case 'S':
        g_free(milter->socket);
        milter->socket = g_strdup(value);
        break;
    case 'F':
        milter->flag = value[0];
        break;
    case 'T':
        parse_times(milter, value);
        break;
    default:
        break;
    }
}

static void parse_milter(SendmailCf *cf, const char *line)
{
    g_auto(GStrv) parts = g_strsplit(line + 1, ",", -1);
    SendmailMilter *milter = g_new0(SendmailMilter, 1);

    milter->name = g_strstrip(g_strdup(parts[0] != NULL ? parts[0] : ""));
    milter->read_time = READ_TIME;
    milter->end_time = END_TIME;
    for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
        parse_equate(milter, g_strstrip(parts[i]));
    if (milter->socket == NULL)
        milter->socket = g_strdup("");
    milter->address = milter_address_parse_sendmail(milter->socket);
    milter->is_misread = milter->address == NULL;
    if (milter->is_misread)
        milter->address = milter_address_guess(milter->socket);
    g_ptr_array_add(cf->milters, milter);
}

static void parse_daemon(SendmailCf *cf, const char *options)
{
    g_auto(GStrv) parts = g_strsplit(options, ",", -1);
    SendmailDaemon *daemon = g_new0(SendmailDaemon, 1);

    daemon->name = g_strdup("MTA");
    for (guint i = 0; parts[i] != NULL; i++) {
        const char *option = g_strstrip(parts[i]);
        const char *value = strchr(option, '=');

        if (value == NULL)
            continue;
        if (g_ascii_toupper(option[0]) == 'N') {
            g_free(daemon->name);
            daemon->name = g_strdup(value + 1);
        } else if (g_ascii_toupper(option[0]) == 'I') {
            g_clear_pointer(&daemon->filters, g_ptr_array_unref);
            daemon->filters = names_in(value + 1);
        }
    }
    g_ptr_array_add(cf->daemons, daemon);
}

/* The value in a line "O name=value"; NULL if line is another. */
static const char *option_value(const char *line, const char *name)
{
    const char *at;

    if (line[0] != 'O')
        return NULL;
    at = line + 1 + strspn(line + 1, " \t");
    if (g_ascii_strncasecmp(at, name, strlen(name)) != 0)
        return NULL;
    at += strlen(name);
    return *at == '=' ? at + 1 : NULL;
}

static char *host_of(const char *text)
{
    const char *colon = *text != '[' ? strchr(text, ':') : NULL; /* "esmtp:[host]" */

    text = colon != NULL ? colon + 1 : text;
    return *text != '\0' ? g_strdup(text) : NULL;
}

static void parse_line(SendmailCf *cf, const char *line)
{
    const char *value;

    if (line[0] == 'X') {
        parse_milter(cf, line);
    } else if ((value = option_value(line, "InputMailFilters")) != NULL) {
        g_ptr_array_unref(cf->filters);
        cf->filters = names_in(value);
    } else if ((value = option_value(line, "DaemonPortOptions")) != NULL) {
        parse_daemon(cf, value);
    } else if (g_str_has_prefix(line, "DS")) {
        g_free(cf->smart_host);
        cf->smart_host = host_of(line + 2);
    } else if (g_str_has_prefix(line, "D{MTAHost}")) {
        g_free(cf->mta_host);
        cf->mta_host = host_of(line + strlen("D{MTAHost}"));
    } else if (g_str_has_prefix(line, "Kgenerics ")) {
        cf->has_generics = true;
    }
}

SendmailCf *sendmail_cf_parse(const char *text)
{
    SendmailCf *cf = g_new0(SendmailCf, 1);
    g_autoptr(GString) whole = g_string_new(text);
    g_auto(GStrv) lines = NULL;

    cf->milters = g_ptr_array_new_with_free_func((GDestroyNotify)milter_free);
    cf->filters = g_ptr_array_new_with_free_func(g_free);
    cf->daemons = g_ptr_array_new_with_free_func((GDestroyNotify)daemon_free);
    g_string_replace(whole, "\n\t", " ",
                     0); /* a line that begins with a blank continues the one before */
    g_string_replace(whole, "\n ", " ", 0);
    lines = g_strsplit(whole->str, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        parse_line(cf, g_strchomp(lines[i]));
    return cf;
}

const SendmailMilter *sendmail_cf_milter(const SendmailCf *cf, const char *name)
{
    for (guint i = 0; i < cf->milters->len; i++) {
        const SendmailMilter *milter = g_ptr_array_index(cf->milters, i);

        if (strcmp(milter->name, name) == 0)
            return milter;
    }
    return NULL;
}

#define FALLBACK_NAME "spfrom"

/* What all examinations below need to know. */
typedef struct {
    Doctor *doctor;
    /* The path of sendmail.cf. */
    const char *file;
    const SendmailCf *cf;
    /* NULL if no milter is ours. */
    const SendmailMilter *ours;
} Case;

static const SendmailMilter *find_ours(const Doctor *doctor, const SendmailCf *cf)
{
    g_autoptr(MilterAddress) address = milter_address_parse_sendmail(doctor->settings->socket);

    for (guint i = 0; address != NULL && i < cf->milters->len; i++) {
        const SendmailMilter *milter = g_ptr_array_index(cf->milters, i);

        if (milter->address != NULL && milter_address_reaches(milter->address, address))
            return milter;
    }
    return NULL;
}

/* The path of sendmail.mc beside sendmail.cf, which is made from it. Owned by the caller. */
static char *source_of(const Case *this)
{
    g_autofree char *folder = g_path_get_dirname(this->file);

    return g_build_filename(folder, "sendmail.mc", NULL);
}

/* The number of the line of text that defines our milter; 0 if there is none. */
static guint definition_line(const Case *this, const char *text)
{
    const char *name = this->ours != NULL ? this->ours->name : FALLBACK_NAME;
    g_autofree char *wanted = g_strdup_printf("MAIL_FILTER(`%s'", name);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++)
        if (strstr(lines[i], wanted) != NULL && !g_str_has_prefix(lines[i], "dnl"))
            return i + 1;
    return 0;
}

/* How long Sendmail has to wait for an answer: as long as a check may take, and a margin. In
 * seconds. */
static guint time_needed(const Case *this)
{
    return this->doctor->settings->check_timeout + 20;
}

/* Mends finding with the command that writes line into sendmail.mc, in place of the line with that
 * number (0 for its end), and makes sendmail.cf of it. */
static void mend_source(const Case *this, Finding *finding, guint number, const char *line)
{
    g_autofree char *source = source_of(this);
    g_autofree char *folder = g_path_get_dirname(this->file);
    g_autofree char *quoted_source = g_shell_quote(source);
    g_autofree char *quoted_folder = g_shell_quote(folder);
    g_autofree char *script =
        number > 0 ? g_strdup_printf("%uc\\%s", number, line) : g_strdup(line);
    g_autofree char *quoted = g_shell_quote(script);

    finding_command(finding, "%s %s %s%s && make -C %s && systemctl restart sendmail",
                    number > 0 ? "sed -i" : "echo", quoted, number > 0 ? "" : ">>", quoted_source,
                    quoted_folder);
}

static void mend_definition(const Case *this, Finding *finding)
{
    g_autofree char *source = source_of(this);
    g_autofree char *text = NULL;
    g_autofree char *line =
        g_strdup_printf("INPUT_MAIL_FILTER(`%s', `S=%s, F=T, T=C:30s;S:30s;R:%us;E:5m')dnl",
                        this->ours != NULL ? this->ours->name : FALLBACK_NAME,
                        this->doctor->settings->socket, time_needed(this));

    if (g_file_get_contents(source, &text, NULL, NULL))
        mend_source(this, finding, definition_line(this, text), line);
    else
        finding_advise(finding, "in the file that sendmail.cf is made of, write: %s", line);
}

/* The filters with us before position, as the value of confINPUT_MAIL_FILTERS. Owned by the
 * caller. */
static char *filters_with(const Case *this, const GPtrArray *filters, guint position)
{
    const char *name = this->ours->name;
    GString *list = g_string_new(NULL);

    for (guint i = 0; i <= filters->len; i++) {
        const char *filter = i < filters->len ? g_ptr_array_index(filters, i) : NULL;

        if (i == position)
            g_string_append_printf(list, "%s%s", list->len > 0 ? "," : "", name);
        if (filter != NULL && strcmp(filter, name) != 0)
            g_string_append_printf(list, "%s%s", list->len > 0 ? "," : "", filter);
    }
    return g_string_free(list, FALSE);
}

static void mend_order(const Case *this, Finding *finding, guint position)
{
    g_autofree char *list = filters_with(this, this->cf->filters, position);
    g_autofree char *line = g_strdup_printf("define(`confINPUT_MAIL_FILTERS', `%s')dnl", list);

    mend_source(this, finding, 0, line);
}

static gint index_of(const GPtrArray *names, const char *name)
{
    for (guint i = 0; i < names->len; i++)
        if (strcmp(g_ptr_array_index(names, i), name) == 0)
            return (gint)i;
    return -1;
}

/* Recognises the milter of that name; NULL if it is not known. */
static const KnownMilter *known_filter(const Case *this, const char *name)
{
    const SendmailMilter *milter = sendmail_cf_milter(this->cf, name);
    g_autofree char *program = NULL;

    if (milter == NULL)
        return NULL;
    program = milter->address != NULL
                  ? milter_address_program(milter->address, this->doctor->deadline)
                  : NULL;
    return milter_address_known(program, milter->socket, milter->address);
}

static void examine_order(const Case *this, const char *daemon, const GPtrArray *filters)
{
    gint place = index_of(filters, this->ours->name);

    for (guint i = 0; i < filters->len; i++) {
        const char *name = g_ptr_array_index(filters, i);
        const KnownMilter *known = (gint)i != place ? known_filter(this, name) : NULL;

        if (known == NULL || !known->is_signer)
            continue;
        if ((gint)i > place) {
            findings_add(this->doctor, FINDING_FINE, "signer-order",
                         "%s has %s (%s) after spfrom: it signs what spfrom made", daemon, name,
                         known->name);
            findings_note_signer(this->doctor, known->name);
        } else
            mend_order(this,
                       findings_add(this->doctor, FINDING_ERROR, "signer-order",
                                    "%s has %s (%s) before spfrom: its signature covers the old "
                                    "From: and is broken by the rewrite",
                                    daemon, name, known->name),
                       i);
    }
}

/* Examines the general list, which counts for daemons without a list of their own. */
static void examine_general(const Case *this)
{
    if (index_of(this->cf->filters, this->ours->name) < 0) {
        mend_order(this,
                   findings_add(this->doctor, FINDING_ERROR, "input-filters",
                                "%s is defined and not in InputMailFilters: no mail passes through "
                                "it",
                                this->ours->name),
                   0);
        return;
    }
    findings_add(this->doctor, FINDING_FINE, "input-filters",
                 "mail that comes in by SMTP passes through spfrom");
    examine_order(this, "InputMailFilters", this->cf->filters);
}

static void examine_daemons(const Case *this)
{
    for (guint i = 0; i < this->cf->daemons->len; i++) {
        const SendmailDaemon *daemon = g_ptr_array_index(this->cf->daemons, i);

        if (daemon->filters == NULL)
            continue;
        if (index_of(daemon->filters, this->ours->name) >= 0)
            examine_order(this, daemon->name, daemon->filters);
        else
            finding_advise(
                findings_add(this->doctor, FINDING_ERROR, "input-filters",
                             "daemon %s has InputMailFilters of its own without %s: mail "
                             "that comes in there is not seen",
                             daemon->name, this->ours->name),
                "put %s at the front of InputMailFilters in its DAEMON_OPTIONS", this->ours->name);
    }
}

static void examine_flag(const Case *this)
{
    if (this->ours->flag == 'T' || this->ours->flag == '4')
        findings_add(this->doctor, FINDING_FINE, "default-action",
                     "while spfrom does not answer, clients keep their mail and try again (F=%c)",
                     this->ours->flag);
    else
        mend_definition(this, findings_add(this->doctor, FINDING_WARNING, "default-action",
                                           "while spfrom does not answer, mail %s",
                                           this->ours->flag == 'R'
                                               ? "is rejected for good (F=R)"
                                               : "leaves without being rewritten (no F=T)"));
}

/* Sendmail waits for the answer to the end of a message as long as for any other (R), and in all no
 * longer than E. */
static void examine_time(const Case *this)
{
    gint64 needed = this->doctor->settings->check_timeout;

    if (this->ours->read_time > needed && this->ours->end_time > needed)
        return;
    mend_definition(this, findings_add(this->doctor, FINDING_ERROR, "read-time",
                                       "Sendmail waits %" G_GINT64_FORMAT
                                       " s for an answer (T=R: and E:), and a check may take %u s "
                                       "(check_timeout)",
                                       MIN(this->ours->read_time, this->ours->end_time),
                                       this->doctor->settings->check_timeout));
}

/* Sendmail trusts no socket in a folder in which everybody can put one. */
static void examine_folder(const Case *this)
{
    g_autofree char *folder = NULL;
    g_autofree char *quoted = NULL;
    struct stat status;

    if (this->ours->address == NULL || !this->ours->address->is_unix)
        return;
    folder = g_path_get_dirname(this->ours->address->path);
    quoted = g_shell_quote(folder);
    if (stat(folder, &status) == 0 && (status.st_mode & S_IWOTH) != 0 &&
        (status.st_mode & S_ISVTX) == 0)
        finding_command(findings_add(this->doctor, FINDING_ERROR, "socket-folder",
                                     "everybody may write in %s: Sendmail takes no socket there",
                                     folder),
                        "chmod o-w %s", quoted);
}

/* A message of sendmail -t passes no milter unless submit.cf hands it to the daemon. */
static void examine_submission(const Case *this)
{
    g_autofree char *folder = g_path_get_dirname(this->file);
    g_autofree char *file = g_build_filename(folder, "submit.cf", NULL);
    g_autofree char *text = NULL;
    g_autoptr(SendmailCf) submit = NULL;

    if (g_file_get_contents(file, &text, NULL, NULL))
        submit = sendmail_cf_parse(text);
    if (submit == NULL || submit->mta_host == NULL)
        finding_advise(findings_add(this->doctor, FINDING_WARNING, "submit",
                                    "%s does not send mail of local programs to the daemon: "
                                    "sendmail -t passes no milter",
                                    file),
                       "make it with FEATURE(`msp', `[127.0.0.1]')");
    else
        findings_add(this->doctor, FINDING_FINE, "submit",
                     "mail of local programs (sendmail -t) goes through the daemon at %s",
                     submit->mta_host);
}

static void examine_port(const Case *this)
{
    Finding *finding = doctor_daemon_port(this->doctor);

    if (finding != NULL)
        finding_advise(
            finding,
            "in %s write socket = \"unix:/run/spfrom/milter.sock\", and the same behind S= "
            "in INPUT_MAIL_FILTER; then: systemctl restart spfrom sendmail",
            this->doctor->file);
}

/* Sendmail's alias files and maps are not looked through. */
static void examine_local(const Case *this)
{
    Finding *finding;

    if (this->doctor->settings->local_mailers[0] == NULL)
        return;
    finding = findings_add(this->doctor, FINDING_UNKNOWN, "local-mailers",
                           "local_mailers is set, and Sendmail names the mailer before aliases, "
                           "virtusertable and .forward files: what these send out of the house "
                           "counts as local and leaves as it is");
    finding_mend_key(this->doctor, finding, "local_mailers", "{}");
}

static void examine_after(const Case *this)
{
    if (this->cf->has_generics)
        finding_advise(findings_add(this->doctor, FINDING_WARNING, "generic",
                                    "genericstable replaces addresses after spfrom and after the "
                                    "signature"),
                       "leave the fallback address out of it; if it is there to replace authors, "
                       "spfrom does that now");
    if (this->cf->smart_host != NULL)
        doctor_dns_next_hop(this->doctor, "SMART_HOST", this->cf->smart_host);
}

static void add_misread(const Case *this)
{
    g_autofree char *form = milter_address_sendmail(this->ours->address);

    mend_definition(this, findings_add(this->doctor, FINDING_ERROR, "milter-address",
                                       "sendmail.cf has S=%s for %s, which Sendmail can't read; "
                                       "its form is %s",
                                       this->ours->socket, this->ours->name, form));
}

static void examine_milters(const Case *this)
{
    if (this->ours == NULL) {
        mend_definition(this, findings_add(this->doctor, FINDING_ERROR, "input-filters",
                                           "sendmail.cf has no milter at %s: no mail passes "
                                           "through spfrom",
                                           this->doctor->settings->socket));
        return;
    }
    if (this->ours->is_misread)
        add_misread(this);
    examine_general(this);
    examine_daemons(this);
    examine_flag(this);
    examine_time(this);
    examine_folder(this);
    examine_submission(this);
}

void doctor_sendmail(Doctor *doctor, const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autoptr(SendmailCf) cf = NULL;

    if (!g_file_get_contents(file, &text, NULL, &error)) {
        findings_add(doctor, FINDING_ERROR, "sendmail", "%s", error->message);
        return;
    }
    findings_add(doctor, FINDING_FINE, "sendmail", "Sendmail, configured in %s", file);
    if (doctor->settings == NULL || !findings_is_known(doctor, "socket"))
        return;
    cf = sendmail_cf_parse(text);
    const Case this = {.doctor = doctor, .file = file, .cf = cf, .ours = find_ours(doctor, cf)};

    examine_milters(&this);
    doctor_returns_sendmail(doctor, text);
    examine_port(&this);
    examine_local(&this);
    if (doctor->dns != NULL)
        examine_after(&this);
}
