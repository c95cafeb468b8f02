#ifndef SPFROM_CLI_TEST_H
#define SPFROM_CLI_TEST_H

#include "cli/subcommand.h"

/* `spfrom test`: what becomes of one message? */
extern const Subcommand test_subcommand;
#endif
