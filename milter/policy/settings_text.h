#ifndef SPFROM_POLICY_SETTINGS_TEXT_H
#define SPFROM_POLICY_SETTINGS_TEXT_H

#include <glib.h>
#include <stdbool.h>

/*
 * The text of a configuration as libconfuse can be given it. Of comments ("#" and "//" up to the
 * end of the line, and those of C) libconfuse 3.3 sees nothing: it counts the lines behind them
 * wrong, takes none inside of a list, and reads over one that has no end, and all the keys in it.
 * At the end of the file it takes a section that is still open as closed.
 */

/*
 * Puts blanks in the place of comments; the ends of lines stay.
 * Returns false with error (SETTINGS_ERROR, "LINE: …") if a comment, a quote or a section has no
 * end.
 */
bool settings_text_blank_comments(char *text, GError **error);

/*
 * Is value UTF-8 without a control character? No key needs one, and what reads a value later (a
 * header, the log, JSON) is spared the question.
 */
bool settings_text_is_value(const char *value);

/* The line, from 1, of a place in text. */
guint settings_text_line_at(const char *text, const char *at);

/* The line, from 1, on which text without comments gives key last; 0 where it does not. */
guint settings_text_line_of(const char *text, const char *key);
#endif
