#ifndef SPFROM_DOCTOR_RETURNS_H
#define SPFROM_DOCTOR_RETURNS_H

#include "doctor/findings.h"
#include "doctor/postfix.h"

/*
 * Does what comes back find its author (design section 19)? All say nothing if no address carries a
 * token.
 */

/* The key, the domains of the addresses, the daemon's store and its socket. */
void doctor_returns(Doctor *doctor);

/* Does Postfix take mail for these addresses, ask us where they lead, and refuse unknown ones? */
void doctor_returns_postfix(Doctor *doctor, const Postfix *postfix);

/* Does Sendmail ask us? text is its sendmail.cf. */
void doctor_returns_sendmail(Doctor *doctor, const char *text);
#endif
