#ifndef SPFROM_CLI_STATUS_TEXT_H
#define SPFROM_CLI_STATUS_TEXT_H

#include <jansson.h>

#include "show/page.h"

/* The daemon's answer to "status" for people; now is seconds since 1970. Members that are missing
 * are left out. */
void status_text_add(Page *page, const json_t *status, gint64 now);
#endif
