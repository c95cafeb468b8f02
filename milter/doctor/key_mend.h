#ifndef SPFROM_DOCTOR_KEY_MEND_H
#define SPFROM_DOCTOR_KEY_MEND_H

#include <glib.h>

/*
 * The command that sets one key of our configuration: it replaces the line at which the key stands,
 * else the line that shows its default ("# key = …"), else it adds a line at the end. Pure.
 *
 * text   of file; NULL: it could not be read
 * value  in the syntax of the configuration
 * Returns the command, owned by the caller, or NULL where the value goes over several lines.
 */
char *doctor_key_mend(const char *file, const char *text, const char *key, const char *value);
#endif
