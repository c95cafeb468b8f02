#ifndef SPFROM_DOCTOR_FINDINGS_H
#define SPFROM_DOCTOR_FINDINGS_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "advice/lists.h"
#include "advice/relays.h"
#include "base/deadline.h"
#include "dns/dns.h"
#include "policy/settings.h"
#include "show/page.h"

/* What the user asked `spfrom doctor` for. Texts are borrowed, and NULL if they were not given. */
typedef struct {
    bool is_json;
    const char *postconf;
    const char *postfix_directory;
    const char *sendmail_cf;
    const char *dkim_selector;
    const char *opendkim_file;
    const char *rspamd_directory;
    /* The recipient of the probe. */
    const char *probe;
    /* The author of the probe. */
    const char *from;
    /* HOST:PORT of the server that takes the probe. */
    const char *smtp;
} DoctorOptions;

/* What all examinations share: what they look at, and what they have found. */
typedef struct {
    DoctorOptions options;
    /* By which all of it is to be done; a step may shorten it. */
    Deadline deadline;
    /* The configuration file, as an absolute path. */
    const char *file;
    /* The content of file; NULL if it can't be read. */
    char *text;
    /* NULL if the configuration is wrong; then only what needs no settings is examined. */
    Settings *settings;
    /* NULL if it can't be opened. */
    Dns *dns;
    /* NULL if the relay hosts can't be resolved. */
    Relays *relays;
    /* Which domains belong to mail providers. */
    Lists *lists;
    /* Of Finding, in the order in which they were found. */
    GPtrArray *findings;
    /* Of borrowed char *: the names of the milters behind us that sign, each once. */
    GPtrArray *signers;
    /* The area of the findings to come: "Postfix", "DNS", …; borrowed. */
    const char *area;
    /* What is wrong with the configuration, of SettingsProblem. */
    GPtrArray *problems;
    /* Findings are printed there when they are complete; NULL: nowhere. */
    FILE *out;
    /* How many are printed. */
    guint told;
} Doctor;

/* Empties doctor, ready for the first finding; freed with findings_clear(). */
void findings_init(Doctor *doctor);
void findings_clear(Doctor *doctor);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Doctor, findings_clear)

/* Notes that a milter of that name, a constant, signs what we made. */
void findings_note_signer(Doctor *doctor, const char *name);

/* The deadline of one check: check_timeout, within the doctor's own. */
Deadline findings_check_deadline(const Doctor *doctor);

typedef enum {
    FINDING_FINE,
    /* It can't be found out from here, or only people can judge it. */
    FINDING_UNKNOWN,
    /* Mail flows as it should, but not in every case. */
    FINDING_WARNING,
    /* Mail is lost, delayed, or leaves as it should not. */
    FINDING_ERROR,
} FindingLevel;

typedef struct Finding Finding;

/* Adds a finding if doctor's deadline is over, which was so many seconds after the start: what did
 * not answer is not known. Returns whether it is. */
bool findings_late(Doctor *doctor, guint seconds, const char *what);

/*
 * Adds a finding to the current area.
 *
 * check  a word that stays the same from release to release: "signer-order"
 * Returns the finding, borrowed until the next one is added.
 */
Finding *findings_add(Doctor *doctor, FindingLevel level, const char *check, const char *format,
                      ...) G_GNUC_PRINTF(4, 5);

/* Sets the command that mends the finding. It replaces the one that was set before. */
void finding_command(Finding *finding, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Sets what to do if no command can mend the finding, or besides the command. */
void finding_advise(Finding *finding, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Sets the command that gives one key of our configuration a value and lets the daemon take it
 * over; advice instead if no command can. */
void finding_mend_key(const Doctor *doctor, Finding *finding, const char *key, const char *value);

/*
 * The command that gives one key of our configuration a value: it replaces the line that sets the
 * key, else the line that shows its default ("# key = …"), else it adds a line at the end. Pure.
 *
 * text   of file; NULL if it could not be read
 * value  in the syntax of the configuration
 * Returns the command, owned by the caller, or NULL if the key's value goes over several lines.
 */
char *findings_key_command(const char *file, const char *text, const char *key, const char *value);

/* The number of findings of that level. */
guint findings_count(const Doctor *doctor, FindingLevel level);

/* The findings to come are of area, which is borrowed. Those before it are complete. */
void findings_begin(Doctor *doctor, const char *area);

/* All findings are complete: prints what is left of them, each on a line with its mend below, and a
 * last line that sums up. */
void findings_end(Doctor *doctor);

/* Is the value of key in doctor->settings what the operator wrote, or its default? False if its line
 * is wrong: then it is not known what it should be. */
bool findings_is_known(const Doctor *doctor, const char *key);

/* {"healthy":…,"errors":N,"warnings":N,"unknown":N,"findings":[{"level","area","check","text",
 * "command","advice"}…]}; a new reference. */
json_t *findings_json(const Doctor *doctor);
#endif
