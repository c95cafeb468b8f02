#ifndef SPFROM_WEB_FLEET_PAGE_H
#define SPFROM_WEB_FLEET_PAGE_H

#include <jansson.h>

#include "show/view.h"
#include "web/request.h"

/*
 * The hosts of the fleet and the store (design section 17): the page, owned by the caller.
 *
 * answer   the daemon's answer to CONTROL_FLEET; NULL with problem, which says to people why it can't
 *          be asked
 */
char *fleet_page(const View *view, const Request *request, const json_t *answer,
                 const char *problem);
#endif
