#ifndef SPFROM_CLI_METRICS_H
#define SPFROM_CLI_METRICS_H

#include "cli/subcommand.h"

/* `spfrom metrics`: what the daemon counts, as OpenMetrics text. */
extern const Subcommand metrics_subcommand;
#endif
