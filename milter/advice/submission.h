#ifndef SPFROM_ADVICE_SUBMISSION_H
#define SPFROM_ADVICE_SUBMISSION_H

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"

/*
 * Hands a message of our own to the MTA, through its sendmail(1): `sendmail -i -f SENDER -- TO`,
 * which Postfix and Sendmail both know.
 */
#define SUBMISSION_ERROR (submission_error_quark())
typedef enum {
    SUBMISSION_ERROR_ADDRESS, /* not an address that may stand on that command line */
    SUBMISSION_ERROR_START,   /* there is no such program, or it can't be started */
    SUBMISSION_ERROR_REFUSED, /* it ended with another status than 0 */
    SUBMISSION_ERROR_LATE,    /* it was ended at the deadline: the MTA may have the message */
} SubmissionError;
GQuark submission_error_quark(void);

/* The path of sendmail(1), owned by the caller: SPFROM_SENDMAIL of the environment, else where MTAs put
 * it; that it is there is not sure. */
char *submission_program(void);

/* True for an addr-spec in ASCII that sendmail(1) can't take for an option, a list or a comment: its
 * local part is not quoted. */
bool submission_is_address(const char *address);

/*
 * Hands over message, whose lines end with LF.
 *
 * program   a path, as submission_program() gives one
 * sender    the envelope sender; "" is the null sender
 * Returns false with error (SUBMISSION_ERROR) set, in which is what the program said. Unless it is
 * SUBMISSION_ERROR_LATE, the MTA does not have the message.
 */
bool submission_send(const char *program, const char *sender, const char *to, const char *message,
                     Deadline deadline, GError **error);
#endif
