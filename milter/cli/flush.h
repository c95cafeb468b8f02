#ifndef SPFROM_CLI_FLUSH_H
#define SPFROM_CLI_FLUSH_H

#include "cli/subcommand.h"

/* `spfrom flush`: the daemon forgets verdicts. */
extern const Subcommand flush_subcommand;
#endif
