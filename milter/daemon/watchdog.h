#ifndef SPFROM_DAEMON_WATCHDOG_H
#define SPFROM_DAEMON_WATCHDOG_H

#include <stdbool.h>

#include "policy/settings.h"

/*
 * If the service manager watches the daemon (systemd: WatchdogSec=), a thread says that it is
 * well, each time after it has proven that: the settings in force can be taken, and an MTA gets an
 * answer. If that fails, it says nothing, and the service manager starts the daemon anew.
 */

/* Returns false if there can be no thread. */
bool watchdog_start(Settings *settings);
#endif
