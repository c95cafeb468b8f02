#ifndef SPFROM_CLI_STATUS_H
#define SPFROM_CLI_STATUS_H

#include "control/daemon_status.h"
#include "show/page.h"

/* The daemon's status for people; now is seconds since 1970. What is not known is left out. */
void status_add(Page *page, const DaemonStatus *status, gint64 now);
#endif
