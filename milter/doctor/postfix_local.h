#ifndef SPFROM_DOCTOR_POSTFIX_LOCAL_H
#define SPFROM_DOCTOR_POSTFIX_LOCAL_H

#include "doctor/findings.h"
#include "doctor/postfix.h"

/*
 * What local_mailers means on this Postfix: a message to these mailers counts as local, and an
 * alias, a virtual alias, a .forward or a copy can send it out of the house after that. Says
 * nothing where local_mailers is empty.
 */
void doctor_postfix_local(Doctor *doctor, const Postfix *postfix);
#endif
