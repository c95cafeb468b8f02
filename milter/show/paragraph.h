#ifndef SPFROM_SHOW_PARAGRAPH_H
#define SPFROM_SHOW_PARAGRAPH_H

#include <glib.h>

#define PARAGRAPH_WIDTH 76 /* columns */

/*
 * Appends text as lines of at most PARAGRAPH_WIDTH columns, broken at blanks, or, in a word that is
 * longer than a line, anywhere. The last line ends with a line end, too.
 *
 * text    UTF-8 without line ends
 * first   what stands before the first line, columns of ASCII
 * others  what stands before the others
 */
void paragraph_append(GString *page, const char *text, const char *first, const char *others);

/*
 * Text of strangers on a line of ours, owned by the caller: printable ASCII stays, as it is all
 * that an SPF record or a domain name may hold; any other octet becomes \xNN.
 */
char *paragraph_ascii(const char *text);

/* The same for the middle of a sentence: what is longer than PARAGRAPH_QUOTED_MAX columns is cut
 * and ends in "...". NULL gives "". */
#define PARAGRAPH_QUOTED_MAX 300
char *paragraph_quoted(const char *text);

/* The same for a whole record, which may be longer. */
#define PARAGRAPH_RECORD_MAX 4000
char *paragraph_record(const char *text);

/* A domain for the middle of a sentence, as people write it (base/domain_name.h); what is none is
 * quoted. Owned by the caller. */
char *paragraph_domain(const char *domain);
#endif
