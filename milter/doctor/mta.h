#ifndef SPFROM_DOCTOR_MTA_H
#define SPFROM_DOCTOR_MTA_H

#include "doctor/findings.h"

/* Finds the MTAs of this machine, Postfix with all its instances and Sendmail, and examines them.
 */
void doctor_mta(Doctor *doctor);
#endif
