#ifndef SPFROM_DAEMON_RELOAD_H
#define SPFROM_DAEMON_RELOAD_H

#include <glib.h>
#include <stdbool.h>

/*
 * Loads the configuration anew, for SIGHUP and for the control socket, and logs what came of it.
 * Takes as long as the look-ups of the relay hosts do.
 *
 * warnings  of char *: what does not take effect now is added
 * Returns false with error (SETUP_ERROR) where the old configuration stays.
 */
bool reload_run(GPtrArray *warnings, GError **error);

/* When the configuration in force was loaded (wall time), and what was wrong with it when it was
 * last tried, owned by the caller; NULL: nothing. */
gint64 reload_last(char **error);

/* The daemon has started, with its first configuration; call before there are threads. */
void reload_note_start(void);
/* When that was (wall time). */
gint64 reload_started(void);
#endif
