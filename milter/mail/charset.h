#ifndef SPFROM_MAIL_CHARSET_H
#define SPFROM_MAIL_CHARSET_H

#include <glib.h>
#include <stdbool.h>

/*
 * Charsets of names, read as mail readers and browsers read them: by any label of the WHATWG
 * encoding standard (section 4.2), each label as the superset that senders mean by it ("gb2312" is
 * GB18030, "iso-8859-1" is windows-1252), else by the names that iconv knows. us-ascii and
 * unknown-8bit are read as raw text.
 *
 * A Charsets holds one open converter for each charset that was met, at most CHARSETS_MAX: glibc
 * loads a module for each. It belongs to one thread.
 */
#define CHARSETS_MAX 8
#define CHARSETS_NO_ROOM G_MAXUINT
typedef struct Charsets Charsets;

Charsets *charsets_new(void);
void charsets_free(Charsets *charsets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Charsets, charsets_free)

/* Returns whether there is a converter for charset (a label in any case). True if CHARSETS_MAX are
 * open already. */
bool charsets_is_known(Charsets *charsets, const char *charset);

/*
 * Appends octets of a known charset as UTF-8. A U+FFFD stands for what is invalid; NULs are left
 * out.
 *
 * Returns how many U+FFFD that took; CHARSETS_NO_ROOM, with nothing appended, if the charset is one
 * beyond CHARSETS_MAX.
 */
guint charsets_append(Charsets *charsets, GString *text, const char *charset, const char *octets,
                      gsize length);

/*
 * Appends text without a charset as UTF-8: it is UTF-8 if it is valid but for single octets or cut
 * characters, which become U+FFFD, else windows-1252. NULs are left out.
 */
void charset_append_raw(GString *text, const char *octets, gsize length);
#endif
