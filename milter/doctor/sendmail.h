#ifndef SPFROM_DOCTOR_SENDMAIL_H
#define SPFROM_DOCTOR_SENDMAIL_H

#include "doctor/findings.h"

#define DOCTOR_SENDMAIL_CF "/etc/mail/sendmail.cf"

/*
 * Does every message that Sendmail takes pass through us, before whoever signs it, with the time
 * that we need? Looks at sendmail.cf, and at submit.cf beside it.
 */
void doctor_sendmail(Doctor *doctor, const char *file);
#endif
