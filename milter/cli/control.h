#ifndef SPFROM_CLI_CONTROL_H
#define SPFROM_CLI_CONTROL_H

#include <jansson.h>

#include "cli/subcommand.h"
#include "control/control_client.h"

/*
 * Asks the daemon. What keeps it from answering is told on stderr; that the configuration is wrong
 * by now is not, because `spfrom reload` hears that from the daemon.
 *
 * answer   set to the answer, given back with json_decref(); maybe a refusal
 * Returns SUBCOMMAND_GO_ON, or the exit code with answer NULL.
 */
int control_ask(const Subcommand *subcommand, const CliContext *context,
                const ControlRequest *request, guint seconds, json_t **answer);

/* The same, but a refusal is an error (CLI_NO) and a wrong configuration a warning; both are told on
 * stderr. */
int control_order(const Subcommand *subcommand, const CliContext *context,
                  const ControlRequest *request, guint seconds, json_t **answer);

/* Prints answer on stdout, as one line of JSON. */
void control_print_json(const json_t *answer);
#endif
