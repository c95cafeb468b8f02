#ifndef SPFROM_ADVICE_RECORD_CLEAN_H
#define SPFROM_ADVICE_RECORD_CLEAN_H

#include <glib.h>

/*
 * The text of a record without what word processors and web forms put in: hyphens, signs and quotes
 * of all kinds are ASCII, blanks of all kinds are blanks, and a sign stands directly before its
 * word. Pure.
 */
typedef struct {
    GString *text;
    GArray *places; /* of guint: the character of the original, from 1, for each octet of text */
} Clean;

#define CLEAN_SIGNS "+-~?"
/* What stands in text for a character that a record can't have: */
#define CLEAN_CONTROL "\x1e" /* a control character */
#define CLEAN_LETTER "\x1f"  /* a letter or digit that isn't ASCII */
#define CLEAN_UNKNOWN "\x7f" /* any other, which may have been meant as "-" */
/* What may stand between words, besides blanks. */
#define CLEAN_SEPARATORS ",;|\"'`\\<>()[]{}" CLEAN_CONTROL

/* Given back with clean_clear(). */
void clean_init(Clean *clean, const char *text);

/*
 * Puts a sign directly before its word, from where it may have come to stand ("x.org- all", "-;all",
 * "(-)mx"). Of several the softest counts. One that can't be read is "~".
 */
void clean_settle_signs(Clean *clean, gsize begin);
void clean_clear(Clean *clean);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Clean, clean_clear)
#endif
