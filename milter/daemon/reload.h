#ifndef SPFROM_DAEMON_RELOAD_H
#define SPFROM_DAEMON_RELOAD_H

#include <glib.h>
#include <stdbool.h>

/*
 * Loads the configuration anew from its file, for SIGHUP and for the control socket, puts it in
 * force and logs what came of it: all of it, or nothing. Keys that need a restart stay as they
 * were. Takes as long as the look-ups of the relay hosts do.
 *
 * warnings  of char *: one is added for each key that differs and takes effect with a restart only
 * Returns false with error (SETUP_ERROR) if the old configuration stays; without one if the daemon
 * ends.
 */
bool reload_run(GPtrArray *warnings, GError **error);

/*
 * Starts the thread that watches domain_map and ends when nothing is in force any more. It looks at
 * the file once a second: that sees a file that is replaced, a link that is turned, and a network's
 * file system alike. A file that changed is read when it has stayed the same for a second, so that
 * one that is being written is not read half. A map that is wrong is logged, and the old one stays.
 *
 * Returns false if there can be no thread.
 */
bool reload_watch_map(void);

/* Returns when the configuration in force was loaded (wall time). error: what was wrong when it was
 * last tried, owned by the caller; NULL: nothing. */
gint64 reload_last(char **error);

/* The daemon has started, with its first configuration; call before there are threads. */
void reload_note_start(void);
#endif
