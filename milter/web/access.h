#ifndef SPFROM_WEB_ACCESS_H
#define SPFROM_WEB_ACCESS_H

#include <glib.h>
#include <stdbool.h>

/* Who gets an answer: a browser that came by a name of ours and knows the password. */

#define ACCESS_ERROR (access_error_quark())
typedef enum { ACCESS_ERROR_FILE } AccessError;
GQuark access_error_quark(void);

#define ACCESS_LINE_MAX 4096 /* octets */

/*
 * Reads the first line of file: NAME:PASSWORD, or a password alone, with which any name will do.
 * Others must not be able to read the file. Returns it, owned by the caller, or NULL with error
 * (ACCESS_ERROR) set.
 */
char *access_password_read(const char *file, GError **error);

/*
 * True if an Authorization field (RFC 7617), or NULL, holds that password. Takes as long for any
 * wrong one.
 */
bool access_password_is_right(const char *password, const char *authorization);

/*
 * By which names a browser may have come here. A page of a stranger can make its own name point to
 * us (DNS rebinding) and would then read our answers; its name in the Host field gives it away.
 */

/*
 * Reads a Host field: "localhost", "example.org:8895", "[::1]:8895". Returns the name or address
 * without brackets and port, lower case, without a trailing dot, owned by the caller; NULL if
 * it is none.
 */
char *access_host_parse(const char *host);

/*
 * True if host, a Host field or NULL, is a name of ours: localhost, a loopback address, the address
 * at which the connection came in, or one of names.
 *
 * local  the address of our end of the connection as text
 * names  NULL-terminated, from the command line; NULL: none
 */
bool access_host_is_ours(const char *host, const char *local, const char *const *names);
#endif
