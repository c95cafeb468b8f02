#ifndef SPFROM_CLI_RELOAD_H
#define SPFROM_CLI_RELOAD_H

#include "cli/subcommand.h"

/* `spfrom reload`: the daemon loads its configuration anew. */
extern const Subcommand reload_subcommand;
#endif
