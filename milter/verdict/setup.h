#ifndef SPFROM_VERDICT_SETUP_H
#define SPFROM_VERDICT_SETUP_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"
#include "dns/dns.h"
#include "verdict/verdicts.h"

/* From a configuration file to what answers questions: the same for the daemon and for the command
 * line. */
#define SETUP_ERROR (setup_error_quark())
typedef enum { SETUP_ERROR_CONFIGURATION, SETUP_ERROR_LIBRARY } SetupError;
GQuark setup_error_quark(void);

/*
 * Reads the configuration in file, an absolute path, and the files that it names.
 * Returns NULL with error (SETUP_ERROR_CONFIGURATION) set, its message with FILE:LINE.
 */
Settings *setup_read(const char *file, GError **error);

/* Puts what stands in return_key into settings that nobody else has yet, unless no address carries a
 * token, or they have it already (settings_keep()). */
typedef enum {
    SETUP_KEY_READ, /* a file that is not there yet is no error: the daemon will make it */
    SETUP_KEY_MAKE, /* it is made if it is not there yet */
} SetupKey;
bool setup_return_key(Settings *settings, SetupKey how, GError **error);
/*
 * Reads file and goes on after errors: problems gets them all (settings_examine()). Returns the
 * settings as far as they are right; NULL if nothing can be made of the file.
 */
Settings *setup_examine(const char *file, GPtrArray *problems);

/* The settings last with their domain_map read anew (settings_parse_map()). */
Settings *setup_read_map(Settings *last, GError **error);

/* Opens the DNS that settings ask for: libunbound, whose thread starts here, or the zone file. */
Dns *setup_dns(Settings *settings, GError **error);

/* The same, with the relay set, which is looked up until deadline, and the verdict cache on top. */
Verdicts *setup_verdicts(Settings *settings, Deadline deadline, GError **error);

/* The same in the place of before, whose counters go on, and whose verdicts where they still hold.
 */
Verdicts *setup_verdicts_after(Verdicts *before, Settings *settings, Deadline deadline,
                               GError **error);
#endif
