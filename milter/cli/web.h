#ifndef SPFROM_CLI_WEB_H
#define SPFROM_CLI_WEB_H

#include "cli/subcommand.h"

extern const Subcommand web_subcommand;
#endif
