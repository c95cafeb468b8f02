#ifndef SPFROM_DOCTOR_PROBE_H
#define SPFROM_DOCTOR_PROBE_H

#include "doctor/findings.h"

#define DOCTOR_PROBE_SERVER "127.0.0.1:25"

/* Sends one message through the MTA, as options say, and asks the daemon what it did with it. */
void doctor_probe(Doctor *doctor);
#endif
