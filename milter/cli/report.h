#ifndef SPFROM_CLI_REPORT_H
#define SPFROM_CLI_REPORT_H

#include "cli/subcommand.h"

/* spfrom report: what the ledger has seen (design section 12). */
extern const Subcommand report_subcommand;
#endif
