#ifndef SPFROM_SHOW_PARAGRAPH_H
#define SPFROM_SHOW_PARAGRAPH_H

#include <glib.h>

/* Columns. */
#define PARAGRAPH_WIDTH 76

/*
 * Appends text as lines of at most PARAGRAPH_WIDTH columns. Lines break at blanks; a word that is
 * longer than a line breaks anywhere. The last line has its end, too.
 *
 * text    UTF-8 without line ends
 * first   the prefix of the first line, in ASCII
 * others  the prefix of the other lines
 */
void paragraph_append(GString *page, const char *text, const char *first, const char *others);

/*
 * Returns a stranger's text for a line of ours, owned by the caller. Printable ASCII stays: an SPF
 * record or a domain name may hold nothing else. Any other octet becomes \xNN.
 */
char *paragraph_ascii(const char *text);

/*
 * The same for the middle of a sentence, as its owner reads it: letters, digits and signs of Latin,
 * Greek and Cyrillic script stay, too ("müller.de", a dash that was typed in the place of a hyphen).
 * Text of more than PARAGRAPH_QUOTED_MAX columns is cut and ends in "...". NULL gives "".
 */
#define PARAGRAPH_QUOTED_MAX 300
char *paragraph_quoted(const char *text);

/* The same for a whole record, which may be longer. */
#define PARAGRAPH_RECORD_MAX 4000
char *paragraph_record(const char *text);

/* Returns a domain as people write it (base/domain_name.h), for the middle of a sentence; other
 * text is quoted. Owned by the caller. */
char *paragraph_domain(const char *domain);
#endif
