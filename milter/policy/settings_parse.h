#ifndef SPFROM_POLICY_SETTINGS_PARSE_H
#define SPFROM_POLICY_SETTINGS_PARSE_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"

/* The text of a configuration comes from outside: this layer reads no file itself. */
typedef struct {
    /* as g_file_get_contents() does */
    gboolean (*read)(const char *file, char **text, gsize *length, GError **error);
    const char *hostname; /* of the system */
} SettingsSource;

#define SETTINGS_FILE_MAX (1024 * 1024)     /* octets of the configuration */
#define SETTINGS_MAP_MAX (64 * 1024 * 1024) /* octets of domain_map */

/*
 * Reads the configuration (design section 11) and the domain_map it names: all of it, or nothing.
 * One parse at a time: libconfuse's scanner is global; a lock inside sees to it.
 *
 * Returns new settings, given back with settings_unref(), or NULL with error (SETTINGS_ERROR),
 * whose message is "FILE:LINE: what is wrong, and what to write".
 */
Settings *settings_parse(const char *file, const SettingsSource *source, GError **error);

/*
 * For settings_examine(): text as the configuration in file, with a fallback address that is nobody's
 * in the place of a missing one, without domain_map, and without the rules that concern several keys.
 */
Settings *settings_parse_alone(const char *file, const char *text, const SettingsSource *source,
                               GError **error);

/* The rules that concern several keys, but for the fallback address. */
bool settings_check_together(Settings *settings, GError **error);

/*
 * Prefixes error, whose message begins with the name of a key and a colon, with the place where
 * settings give that key ("FILE:LINE: "), or with the file alone if they don't.
 */
void settings_locate(Settings *settings, GError **error);

/*
 * The settings last with what stands in their domain_map now; the configuration's own text is not
 * read again, and keys that need a restart stay. Returns a reference, of last itself if the map says
 * what it said; NULL with error as settings_parse() does.
 */
Settings *settings_parse_map(Settings *last, const SettingsSource *source, GError **error);

/*
 * Puts blanks in the place of comments ("#" and "//" up to the end of the line, and those of C); the
 * ends of lines stay. libconfuse 3.3 has no notion of comments: it counts the lines behind them
 * wrong, takes none inside of a list, and reads over one that has no end, and all the keys in it. At
 * the end of the file it takes a section that is still open as closed.
 *
 * Returns false with error (SETTINGS_ERROR, "LINE: …") if a comment, a quote or a section has no
 * end.
 */
bool settings_parse_blank_comments(char *text, GError **error);
#endif
