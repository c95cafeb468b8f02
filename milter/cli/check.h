#ifndef SPFROM_CLI_CHECK_H
#define SPFROM_CLI_CHECK_H

#include "cli/subcommand.h"

/* `spfrom check`: do domains authorise our relays, and why? */
extern const Subcommand check_subcommand;
#endif
