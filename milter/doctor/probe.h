#ifndef SPFROM_DOCTOR_PROBE_H
#define SPFROM_DOCTOR_PROBE_H

#include "control/message_record.h"
#include "doctor/findings.h"

#define DOCTOR_PROBE_SERVER "127.0.0.1:25"

/* Sends one message through the MTA by SMTP, as the options say, and asks the daemon what it did
 * with it. */
void doctor_probe(Doctor *doctor);

/*
 * The queue id in an MTA's answer to the end of a message: "250 2.0.0 Ok: queued as 4fKx2n" of
 * Postfix, "250 2.0.0 6AOKXome024804 Message accepted for delivery" of Sendmail. Owned by the
 * caller; NULL if there is none. Pure.
 */
char *probe_queue_id(const char *answer);

/*
 * Asks the daemon what it did with a message that an MTA has just taken. Returns NULL if it has not
 * seen it within a second, or, with error set, can't be asked.
 */
MessageRecord *probe_record(const Doctor *doctor, const char *queue_id, GError **error);
#endif
