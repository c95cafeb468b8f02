#ifndef SPFROM_CLI_DOCTOR_HOST_H
#define SPFROM_CLI_DOCTOR_HOST_H

#include "cli/doctor_context.h"

/* What the machine gives the daemon: its account, its files, the clock, room on the disk. */
void doctor_host(Doctor *doctor);
#endif
