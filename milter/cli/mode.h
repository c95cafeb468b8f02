#ifndef SPFROM_CLI_MODE_H
#define SPFROM_CLI_MODE_H

#include "cli/subcommand.h"

/* `spfrom mode`: show or switch the mode of the daemon. */
extern const Subcommand mode_subcommand;
#endif
