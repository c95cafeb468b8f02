#ifndef SPFROM_DAEMON_LIVE_SETTINGS_H
#define SPFROM_DAEMON_LIVE_SETTINGS_H

#include <glib.h>
#include <stdbool.h>

#include "policy/plan.h"
#include "policy/settings.h"
#include "verdict/verdicts.h"

/*
 * What is in force now: settings, the verdicts made for them, and the mode of
 * daemon/mode_switch.h. One lock in here guards the first two. The caller gets references of one
 * moment and keeps them as long as it likes: a message from its start to its end.
 */
typedef struct {
    Settings *settings;
    Verdicts *verdicts;
    ModeInForce mode;
} LiveSettings;

/*
 * Fills live with references, given back with live_settings_release(). Returns false if nothing
 * is in force any more: the daemon ends.
 */
bool live_settings_take(LiveSettings *live);
void live_settings_release(LiveSettings *live);

/* Puts new ones in force. Takes both references. */
void live_settings_put(Settings *settings, Verdicts *verdicts);

/* At the end of the program: lets go of what is in force, and waits until everything that nobody has
 * taken is freed. */
void live_settings_clear(void);
#endif
