#ifndef SPFROM_FLEET_FLEET_PASSWORD_H
#define SPFROM_FLEET_FLEET_PASSWORD_H

#include <glib.h>

/* The file of fleet_password_file: its first line is the password. */

/* What is wrong with the file, as the rest of a sentence that begins with its name; owned by the
 * caller. NULL: nothing is. */
char *fleet_password_problem(const char *file);

/* Returns the password, owned by the caller; NULL with error (G_FILE_ERROR or
 * FLEET_CONNECTION_ERROR_CONNECT) set. */
char *fleet_password_read(const char *file, GError **error);
#endif
