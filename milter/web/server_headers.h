#ifndef SPFROM_WEB_SERVER_HEADERS_H
#define SPFROM_WEB_SERVER_HEADERS_H

#include <microhttpd.h>

#include "web/reply.h"

/*
 * Adds the fields that go with reply to response: what the body is, and what a browser may do with
 * it (nothing but to show it with our stylesheet and script).
 *
 * chosen_language  what the reader chose by a link, to be kept in a cookie; NULL: nothing
 */
void server_headers_add(struct MHD_Response *response, const Reply *reply,
                        const char *chosen_language);
#endif
