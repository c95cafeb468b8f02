#ifndef SPFROM_DAEMON_LIVE_SETTINGS_H
#define SPFROM_DAEMON_LIVE_SETTINGS_H

#include <glib.h>
#include <stdbool.h>

#include "policy/plan.h"
#include "policy/settings.h"
#include "verdict/verdicts.h"

/*
 * What is in force now: settings, the verdicts made for them, and the mode, which
 * daemon/mode_switch.h has. One lock in here guards the first two; who takes them gets references
 * of one moment and keeps them as long as it likes: a message from its start to its end.
 */
typedef struct {
    Settings *settings;
    Verdicts *verdicts;
    ModeInForce mode;
} LiveSettings;

/*
 * Fills live with references, given back with live_settings_release(). Returns false where nothing
 * is in force any more: the daemon ends.
 */
bool live_settings_take(LiveSettings *live);
void live_settings_release(LiveSettings *live);

/* Puts new ones in force. Takes both references. */
void live_settings_put(Settings *settings, Verdicts *verdicts);

/*
 * Loads the configuration anew from its file and puts it in force: all of it, or none and error
 * (SETUP_ERROR; none where the daemon ends). Keys that need a restart stay as they were.
 *
 * warnings  of char *: one that names such a key is added for each that has changed
 */
bool live_settings_reload(GPtrArray *warnings, GError **error);

typedef enum { LIVE_SETTINGS_SAME, LIVE_SETTINGS_NEW, LIVE_SETTINGS_FAILED } LiveSettingsChange;

/*
 * Reads domain_map anew, and nothing else: LIVE_SETTINGS_NEW where it says something else than
 * before, which is then in force; LIVE_SETTINGS_FAILED with error (SETUP_ERROR) where it is wrong,
 * and the old one stays.
 */
LiveSettingsChange live_settings_reload_map(GError **error);

/* Lets go of what is in force, at the end of the program, and waits until what nobody has taken is
 * freed. Who has taken it keeps it. */
void live_settings_clear(void);
#endif
