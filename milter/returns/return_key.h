#ifndef SPFROM_RETURNS_RETURN_KEY_H
#define SPFROM_RETURNS_RETURN_KEY_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"

/* The file of return_key: what tokens are made with (design section 19). */
#define RETURN_KEY_ERROR (return_key_error_quark())
typedef enum {
    RETURN_KEY_ERROR_MISSING, /* there is none, and none was needed before: it can be made */
    RETURN_KEY_ERROR_LOST,    /* there is none, but addresses were given out */
    RETURN_KEY_ERROR_FILE,    /* it can't be read, is open to others, or is no key */
} ReturnKeyError;
GQuark return_key_error_quark(void);

/*
 * Reads the file. Nobody but root, the daemon's user and the one that asks may have rights on it.
 * Returns false with error, whose message begins with the key's name and a colon.
 */
bool return_key_read(Settings *settings, guint8 secret[RETURN_KEY_LENGTH], GError **error);

/* Makes the file, 0600, whole or not at all; if somebody else just has, theirs is read. */
bool return_key_make(Settings *settings, guint8 secret[RETURN_KEY_LENGTH], GError **error);
#endif
