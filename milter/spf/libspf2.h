#ifndef SPFROM_SPF_LIBSPF2_H
#define SPFROM_SPF_LIBSPF2_H

#include <glib.h>
#include <stdbool.h>

#include "policy/verdict.h"
#include "spf/check_host.h"

/* The one file that talks to libspf2. */

#define LIBSPF2_ERROR (libspf2_error_quark())
typedef enum { LIBSPF2_ERROR_HOST_NAME } Libspf2Error;
GQuark libspf2_error_quark(void);

/* See evaluation_init(). */
bool libspf2_init(GError **error);

/*
 * Evaluates check by libspf2. If libspf2 gives up (it would abort the process), the result is
 * temperror, and the log says so; the memory that it had allocated is lost.
 */
SpfResult libspf2_run(Check *check);

/* How often libspf2 gave up since the start. */
guint libspf2_failures(void);
#endif
