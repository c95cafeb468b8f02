#ifndef SPFROM_DOCTOR_POSTFIX_MILTERS_H
#define SPFROM_DOCTOR_POSTFIX_MILTERS_H

#include "doctor/postfix.h"

/*
 * Does every message that Postfix takes pass through us, before any milter that signs it? Looks at
 * each smtpd, at mail of local programs, and at the clients that reach us or count as ours: ports
 * behind a content filter, our own socket, the gateway of a container.
 */
void doctor_postfix_milters(Doctor *doctor, const Postfix *postfix);
#endif
