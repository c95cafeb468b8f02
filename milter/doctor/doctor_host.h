#ifndef SPFROM_DOCTOR_DOCTOR_HOST_H
#define SPFROM_DOCTOR_DOCTOR_HOST_H

#include "doctor/doctor_context.h"

/* What the machine gives the daemon: its account, its files, the clock, room on the disk. */
void doctor_host(Doctor *doctor);
#endif
