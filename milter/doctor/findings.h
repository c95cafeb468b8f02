#ifndef SPFROM_DOCTOR_FINDINGS_H
#define SPFROM_DOCTOR_FINDINGS_H

#include <glib.h>
#include <jansson.h>

#include "show/page.h"

/* What `spfrom doctor` found: one finding a line, with the mend where something is wrong. */
typedef enum {
    FINDING_FINE,
    FINDING_UNKNOWN, /* could not be found out, or only people can judge it */
    FINDING_WARNING, /* mail flows right, but not in every case */
    FINDING_ERROR,   /* mail is lost, delayed, or leaves as it should not */
} FindingLevel;
const char *finding_level_text(FindingLevel level);

typedef struct {
    FindingLevel level;
    char *area;  /* "Postfix", "DNS", … */
    char *check; /* a word that stays the same from release to release: "signer-order" */
    char *text;
    char *command; /* that mends it, to be typed; NULL: none */
    char *advice;  /* what to do where no command can; NULL: none */
} Finding;

typedef struct {
    GPtrArray *all;   /* of Finding, in the order in which they were found */
    const char *area; /* of those that come; borrowed */
} Findings;

void findings_init(Findings *findings);
void findings_clear(Findings *findings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Findings, findings_clear)

/* Adds a finding to the current area. It is borrowed until the next one is added. */
Finding *findings_add(Findings *findings, FindingLevel level, const char *check, const char *format,
                      ...) G_GNUC_PRINTF(4, 5);

/* Says what mends finding, in place of what was said before. */
void finding_command(Finding *finding, const char *format, ...) G_GNUC_PRINTF(2, 3);
void finding_advise(Finding *finding, const char *format, ...) G_GNUC_PRINTF(2, 3);

guint findings_count(const Findings *findings, FindingLevel level);

/* Appends the findings for people: a line each, what mends it below, and a last line that sums up.
 */
void findings_add_text(const Findings *findings, Page *page);

/* {"healthy":…,"errors":N,"warnings":N,"unknown":N,"findings":[{"level","area","check","text",
 * "command","advice"}…]}; a new reference. */
json_t *findings_json(const Findings *findings);
#endif
