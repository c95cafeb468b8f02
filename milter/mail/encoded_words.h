#ifndef SPFROM_MAIL_ENCODED_WORDS_H
#define SPFROM_MAIL_ENCODED_WORDS_H

#include <glib.h>
#include <stdbool.h>

#include "mail/charset.h"

/*
 * Encoded words (RFC 2047): "=?utf-8?Q?M=C3=BCller?=".
 *
 * Done by hand on iconv and not by GMime's functions: those keep every charset name they ever met,
 * which a stranger can use to fill the memory, guess a charset if it is unknown, and don't
 * fold.
 */
#define ENCODED_WORD_MAX 75 /* octets, RFC 2047 section 2 */

#define ENCODED_WORDS_DECODED_MAX 8000 /* octets; what is beyond is not decoded */

/*
 * Returns what encoded says, as UTF-8 owned by the caller: raw 8-bit text is read as
 * charset_append_raw() does, encoded words become what they stand for, wherever they stand (inside
 * of quotes and of other words too, as readers take them), blanks between two of them go. What is
 * damaged is read as far as it goes, with U+FFFD for the rest.
 *
 * A word of an unknown charset stays as it is, or is spelled anew, if encoded_words_opaque() allows
 * that. If it is only too long, it is read as raw text; else it goes. Of a result of more than
 * ENCODED_WORDS_DECODED_MAX octets only the beginning is returned.
 *
 * The result may hold anything, line ends, NULs left out, and further encoded words included.
 */
char *encoded_words_decode(const char *encoded, gsize length);

/*
 * Returns raw header text as UTF-8 in which encoded words stay as they are, except those that no
 * field should have: words that stand for control characters, that are longer than
 * ENCODED_WORD_MAX, or that have blanks or raw 8-bit octets inside. They become the text that they
 * stand for, as one line. Owned by the caller.
 */
char *encoded_words_tame(const char *text, gsize length);

/*
 * Returns the length of the encoded word at the beginning of text if its charset is not known here
 * and the word may be passed on as it is; else 0. It may be passed on if it has at most
 * ENCODED_WORD_MAX octets, is spelled as a phrase wants it (section 5 (3)), and has nothing in it
 * that a reader that knows the charset could take for a control character, "@" or an encoded word.
 */
gsize encoded_words_opaque(const char *text, Charsets *charsets);

/*
 * Appends the beginning of text, valid UTF-8 and not empty, as one encoded word of at most room
 * octets, without splitting a character or, if possible, a cluster of characters that are read as
 * one. is_base64 chooses between "B" and "Q".
 *
 * room    at least ENCODED_WORD_ROOM_MIN; more than ENCODED_WORD_MAX counts as that
 * Returns the octets of text that were taken: at least one character.
 */
#define ENCODED_WORD_ROOM_MIN 24
gsize encoded_words_append(GString *value, const char *text, gsize length, bool is_base64,
                           gsize room);

/* Returns whether text is shorter in "B" than in "Q". */
bool encoded_words_is_base64_shorter(const char *text, gsize length);
#endif
