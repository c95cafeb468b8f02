#ifndef SPFROM_CLI_CONFIGURATION_H
#define SPFROM_CLI_CONFIGURATION_H

#include "cli/subcommand.h"
#include "policy/settings.h"
#include "dns/dns.h"

/*
 * Reads the configuration that context names. Where that is the default file, which isn't there,
 * and is_optional, the defaults of every key count: a question about the DNS needs no installation.
 * Returns NULL with error (SETUP_ERROR) set.
 */
Settings *configuration_read(const CliContext *context, bool is_optional, GError **error);

/*
 * Where the daemon that context's configuration is for listens for commands; owned by the caller.
 * A configuration that is wrong by now must not keep its owner from the daemon that runs: then the
 * key alone is looked for in the file, and warning says so.
 *
 * warning  set to what is to be told, owned by the caller, or NULL
 * Returns NULL with error (SETUP_ERROR) set where the file isn't there, or the key is empty.
 */
char *configuration_control_socket(const CliContext *context, char **warning, GError **error);

/* The exit code for an error of configuration_read(), setup_dns() and setup_verdicts(). */
int configuration_status(const GError *error);
#endif
