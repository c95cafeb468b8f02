#ifndef SPFROM_DOCTOR_MACHINE_H
#define SPFROM_DOCTOR_MACHINE_H

#include "doctor/findings.h"

/* What the machine gives the daemon: its account, its files, the clock, room on the disk. */
void doctor_machine(Doctor *doctor);
#endif
