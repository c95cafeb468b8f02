#ifndef SPFROM_DAEMON_STATUS_H
#define SPFROM_DAEMON_STATUS_H

#include <jansson.h>

#include "daemon/mode_switch.h"
#include "policy/settings.h"

/* What the control socket's "status" answers. first are the settings of the start, whose sockets
 * are in use. A new object; {"ok":false,…} where the daemon ends. */
json_t *status_json(Settings *first);

/* What "mode" answers. A new object. */
json_t *status_mode_json(const ModeStatus *mode);
#endif
