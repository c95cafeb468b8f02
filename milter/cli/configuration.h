#ifndef SPFROM_CLI_CONFIGURATION_H
#define SPFROM_CLI_CONFIGURATION_H

#include "cli/subcommand.h"
#include "policy/settings.h"
#include "dns/dns.h"

/*
 * Reads the configuration that context names. If is_optional is set and there is no default file,
 * all keys have their defaults: a question about the DNS needs no installation.
 * Returns NULL with error (SETUP_ERROR) set.
 */
Settings *configuration_read(const CliContext *context, bool is_optional, GError **error);

/* What all keys are by default. Returns NULL with error (SETUP_ERROR) set. */
Settings *configuration_defaults(GError **error);

/*
 * The path of the daemon's control socket, as the configuration of context says; owned by the
 * caller. If the configuration has an error, the daemon that runs must stay within reach: then only
 * this key is looked for in the file, and warning says so.
 *
 * warning  set to a text for the user, owned by the caller, or to NULL
 * Returns NULL with error (SETUP_ERROR) set if the file isn't there, or the key is empty.
 */
char *configuration_control_socket(const CliContext *context, char **warning, GError **error);

/* The exit code for an error of configuration_read(), setup_dns() and setup_verdicts(). */
int configuration_status(const GError *error);
#endif
