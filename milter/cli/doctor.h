#ifndef SPFROM_CLI_DOCTOR_H
#define SPFROM_CLI_DOCTOR_H

#include "cli/subcommand.h"

/* `spfrom doctor`: is this installation right, and what mends it? */
extern const Subcommand doctor_subcommand;
#endif
