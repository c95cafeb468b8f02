#ifndef SPFROM_DOCTOR_POSTFIX_REACH_H
#define SPFROM_DOCTOR_POSTFIX_REACH_H

#include "doctor/findings.h"
#include "doctor/postfix.h"

/* Who reaches us besides those that should: local users at a TCP socket, and strangers who seem to
 * be the gateway of a container. */
void doctor_postfix_reach(Doctor *doctor, const Postfix *postfix);
#endif
