#ifndef SPFROM_CLI_SUBCOMMANDS_H
#define SPFROM_CLI_SUBCOMMANDS_H

#include "cli/subcommand.h"

/* One in each file of this folder that is named after it. */
extern const Subcommand advise_subcommand;
extern const Subcommand check_subcommand;
extern const Subcommand completion_subcommand;
extern const Subcommand doctor_subcommand;
extern const Subcommand flush_subcommand;
extern const Subcommand metrics_subcommand;
extern const Subcommand mode_subcommand;
extern const Subcommand reload_subcommand;
extern const Subcommand report_subcommand;
extern const Subcommand status_subcommand;
extern const Subcommand test_subcommand;
extern const Subcommand web_subcommand;

/* All of them, in the order of `spfrom help`; NULL-terminated. */
extern const Subcommand *const subcommands[];

/* Returns the one of that name, or NULL. */
const Subcommand *subcommands_find(const char *name);

/* Returns the one whose name is closest to a misspelt one, or NULL. */
const Subcommand *subcommands_closest(const char *name);
#endif
