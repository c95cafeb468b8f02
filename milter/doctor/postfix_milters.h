#ifndef SPFROM_DOCTOR_POSTFIX_MILTERS_H
#define SPFROM_DOCTOR_POSTFIX_MILTERS_H

#include "doctor/findings.h"
#include "doctor/postfix.h"

/*
 * Does every message that Postfix takes pass through us, and before whoever signs it? Looks at
 * smtpd_milters of every smtpd in master.cf and at non_smtpd_milters, at what each list does where
 * we don't answer, and at what {daemon_name} outbound waits for.
 */
void doctor_postfix_milters(Doctor *doctor, const Postfix *postfix);
#endif
