#ifndef SPFROM_CLI_CONTROL_H
#define SPFROM_CLI_CONTROL_H

#include <jansson.h>

#include "cli/subcommand.h"

/* How long the daemon has for what only looks, and for what may wait for DNS or a disk. */
#define CONTROL_QUICK 15 /* seconds */
#define CONTROL_SLOW 120

/* {"command":command}, a new object. */
json_t *control_command(const char *command);

/*
 * Asks the daemon. What keeps it from answering is told on stderr; that the configuration is wrong
 * by now is not, for who asks for a reload hears that from the daemon.
 *
 * request  is taken
 * answer   set to the answer, given back with json_decref(); maybe a refusal
 * Returns SUBCOMMAND_GO_ON, or the exit code with answer NULL.
 */
int control_ask(const Subcommand *subcommand, const CliContext *context, json_t *request,
                guint seconds, json_t **answer);

/* The same where a refusal is nothing but an error, and a wrong configuration a warning: both are
 * told on stderr. A refusal is CLI_NO. */
int control_order(const Subcommand *subcommand, const CliContext *context, json_t *request,
                  guint seconds, json_t **answer);

/* Prints answer on stdout, as one line of JSON. */
void control_print_json(const json_t *answer);

/* The text of a member, borrowed; NULL where there is none. */
const char *control_text(const json_t *answer, const char *member);
#endif
