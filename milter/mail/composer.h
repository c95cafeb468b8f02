#ifndef SPFROM_MAIL_COMPOSER_H
#define SPFROM_MAIL_COMPOSER_H

#include <glib.h>

/*
 * Writes the value of a header field: printable ASCII (a non-ASCII local part stays UTF-8), encoded
 * words of at most 75 octets for the rest. Lines are folded ("\n ") at 78 octets, with encoded
 * words at 76 (RFC 2047 section 2), if possible, and are never longer than 998 (RFC 5322 section
 * 2.1.1). Whatever goes in, there is no CR, NUL or line of only blanks in the value, and no LF but
 * for folds.
 */
typedef struct {
    GString *value;
    gsize column;      /* octets of the line being written, the field's name and ": " included */
    gsize limit;       /* octets that this line should have at most */
    gsize mailbox_max; /* octets of one mailbox, folds included; names are cut to it; 0: any */
} Composer;

void composer_init(Composer *composer, const char *field_name);

/* Returns the value and ends the use of composer. */
char *composer_take(Composer *composer);

/*
 * Appends `name <addr_spec>`, behind a comma if it is not the first: the name as one phrase
 * (atoms, one quoted string that needs no fold, or encoded words), cut at DISPLAY_NAME_MAX octets.
 * Without a visible name it is the bare addr_spec, in "<>" if that begins with a quote.
 *
 * name       any text, or NULL
 * addr_spec  as in Mailbox: valid UTF-8 without controls
 */
void composer_append_mailbox(Composer *composer, const char *name, const char *addr_spec);

/*
 * Appends text as unstructured text; at most COMPOSER_TEXT_MAX octets of it. Raw 8-bit is UTF-8 or
 * else windows-1252.
 */
#define COMPOSER_TEXT_MAX 8192
void composer_append_text(Composer *composer, const char *text);
#endif
