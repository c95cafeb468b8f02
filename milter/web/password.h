#ifndef SPFROM_WEB_PASSWORD_H
#define SPFROM_WEB_PASSWORD_H

#include <glib.h>
#include <stdbool.h>

#define PASSWORD_ERROR (password_error_quark())
typedef enum { PASSWORD_ERROR_FILE } PasswordError;
GQuark password_error_quark(void);

#define PASSWORD_FILE_MAX 4096 /* octets */

/*
 * Reads the first line of file: NAME:PASSWORD, or a password alone, with which any name will do.
 * Others must not be able to read the file. Returns it, owned by the caller, or NULL with error
 * (PASSWORD_ERROR) set.
 */
char *password_read(const char *file, GError **error);

/*
 * Does an Authorization field (RFC 7617), or NULL, hold that password? Takes as long for any wrong
 * one.
 */
bool password_is_right(const char *password, const char *authorization);
#endif
