#ifndef SPFROM_CLI_STATUS_H
#define SPFROM_CLI_STATUS_H

#include "cli/subcommand.h"

/* `spfrom status`: how is the daemon? */
extern const Subcommand status_subcommand;
#endif
