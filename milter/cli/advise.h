#ifndef SPFROM_CLI_ADVISE_H
#define SPFROM_CLI_ADVISE_H

#include "cli/subcommand.h"

/* `spfrom advise`: what should the owner of a domain publish? */
extern const Subcommand advise_subcommand;
#endif
