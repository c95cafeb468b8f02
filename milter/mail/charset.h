#ifndef SPFROM_MAIL_CHARSET_H
#define SPFROM_MAIL_CHARSET_H

#include <glib.h>
#include <stdbool.h>

#define CHARSET_WINDOWS_1252 "windows-1252"

/*
 * Appends text of a charset (a MIME name, without case) as UTF-8; NULs are left out. Octets that
 * are not valid there are skipped where is_lossy is set, else they end it.
 *
 * ISO 8859-1 is read as windows-1252, as browsers do: they differ in control characters alone.
 *
 * Returns whether all of it was converted; false too for a charset that iconv doesn't know.
 */
bool charset_append(GString *text, const char *charset, const char *octets, gsize length,
                    bool is_lossy);
#endif
