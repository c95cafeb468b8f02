#ifndef SPFROM_WEB_HOST_NAMES_H
#define SPFROM_WEB_HOST_NAMES_H

#include <glib.h>
#include <stdbool.h>

/*
 * By which names a browser may have come here. A page of a stranger can make its own name point to
 * us (DNS rebinding) and would then read our answers; its name in the Host field gives it away.
 */

/*
 * Reads a Host field: "localhost", "example.org:8895", "[::1]:8895". Returns the name or address
 * without brackets and port, lower case, without a trailing dot, owned by the caller; NULL where
 * it is none.
 */
char *host_name_parse(const char *host);

/*
 * Is host, a Host field or NULL, a name of ours: localhost, a loopback address, the address at
 * which the connection came in, or one of names?
 *
 * local  the address of our end of the connection as text
 * names  NULL-terminated, from the command line; NULL: none
 */
bool host_name_is_ours(const char *host, const char *local, const char *const *names);
#endif
