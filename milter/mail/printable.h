#ifndef SPFROM_MAIL_PRINTABLE_H
#define SPFROM_MAIL_PRINTABLE_H

#include <glib.h>
#include <stdbool.h>

/*
 * Text of strangers made fit for one line that people read: the UTF-8 of a name, without
 * characters that could break a line, hide text or turn its direction.
 */

/*
 * Returns text as one line, owned by the caller: octets that are not UTF-8, control characters,
 * bidi embeddings, overrides and isolates (UAX 9) and interlinear annotations are left out; line
 * and paragraph separators, tabs and folds become blanks; runs of blanks become one, and blanks at
 * both ends are left out.
 */
char *printable_line(const char *text);

/* Returns whether nothing of text can be seen: only blanks, zero-width characters, fillers, lone
 * marks. */
bool printable_is_blank(const char *text);

/*
 * Where to cut text, which is valid UTF-8, so that at most max octets are left: length if it
 * fits, else the last place before max that splits neither a character nor, if marks are not piled
 * up, a cluster that is read as one (a letter with its combining marks, an emoji sequence).
 */
gsize printable_cut(const char *text, gsize length, gsize max);

/*
 * The octets of the first such cluster of text, which is valid UTF-8 and not empty; at most max, at
 * least one character.
 */
gsize printable_cluster(const char *text, gsize length, gsize max);
#endif
