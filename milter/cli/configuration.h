#ifndef SPFROM_CLI_CONFIGURATION_H
#define SPFROM_CLI_CONFIGURATION_H

#include "cli/subcommand.h"
#include "policy/settings.h"
#include "spf/dns.h"

/*
 * Reads the configuration that context names. Where that is the default file, which isn't there,
 * and is_optional, the defaults of every key count: a question about the DNS needs no installation.
 * Returns NULL with error (SETUP_ERROR) set.
 */
Settings *configuration_read(const CliContext *context, bool is_optional, GError **error);

/* The exit code for an error of configuration_read(), setup_dns() and setup_verdicts(). */
int configuration_status(const GError *error);
#endif
