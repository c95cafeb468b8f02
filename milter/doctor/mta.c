#include "config.h"

#include "doctor/mta.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "doctor/postfix.h"
#include "doctor/postfix_milters.h"
#include "doctor/postfix_route.h"
#include "doctor/sendmail.h"

/* A parameter that Postfix doesn't know may be anything; one about milters is most likely a slip.
 */
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

/* Its master has left its process id in the queue, and holds the file locked; only root sees it. */
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
    doctor_postfix_milters(doctor, postfix);
    doctor_postfix_route(doctor, postfix);
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
        g_autoptr(Postfix) postfix = postfix_read(first->postconf, directory, &error);
        g_autofree char *area = g_path_get_basename(directory);

        doctor->area = area;
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
        postfix_read(options->postconf, options->postfix_directory, &error);

    doctor->area = "Postfix";
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

/* Returns whether there is a Sendmail; Debian leaves its configuration behind where Postfix has
 * come. */
static bool examine_sendmail(Doctor *doctor, bool has_postfix)
{
    const char *file = doctor->options.sendmail_cf;

    if (file == NULL && (has_postfix || access(DOCTOR_SENDMAIL_CF, R_OK) != 0))
        return false;
    doctor->area = "Sendmail";
    doctor_sendmail(doctor, file != NULL ? file : DOCTOR_SENDMAIL_CF);
    return true;
}

/* Is Postfix asked for? Who names a sendmail.cf and nothing of Postfix means Sendmail alone. */
static bool wants_postfix(const DoctorOptions *options)
{
    return options->sendmail_cf == NULL || options->postconf != NULL ||
           options->postfix_directory != NULL;
}

void doctor_mta(Doctor *doctor)
{
    bool has_postfix = wants_postfix(&doctor->options) && examine_postfix(doctor);
    bool has_sendmail = examine_sendmail(doctor, has_postfix);

    doctor->area = "MTA";
    if (!has_postfix && !has_sendmail)
        finding_advise(findings_add(doctor, FINDING_UNKNOWN, "mta",
                                    "there is neither Postfix nor Sendmail here"),
                       "where the MTA is on this machine, name it: --postconf PATH, "
                       "--postfix-config DIR or --sendmail-cf FILE");
}
