#ifndef SPFROM_CONTROL_RETURN_RESOLUTION_H
#define SPFROM_CONTROL_RETURN_RESOLUTION_H

#include <glib.h>
#include <jansson.h>

#include "policy/settings.h"
#include "returns/return_store.h"

/*
 * What `spfrom resolve` is told (design section 19), by the daemon or from the files: of a return
 * address or a token its author, of an author the addresses that his mail carries.
 */

/* Looks a token up, as return_store_find() does. */
typedef ReturnStoreOutcome (*ReturnResolutionFinder)(void *hook, const char *token,
                                                     ReturnStoreRow *row);

/*
 * Returns a new object: "ok" true, "query", "known", "author", "token", "last_used" and "addresses",
 * or "ok" false and "error" if query is no address and no token, or can't be looked up now.
 */
json_t *return_resolution_new(Settings *settings, const char *query, ReturnResolutionFinder find,
                              void *hook);
#endif
