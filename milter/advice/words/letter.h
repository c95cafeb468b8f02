#ifndef SPFROM_ADVICE_WORDS_LETTER_H
#define SPFROM_ADVICE_WORDS_LETTER_H

#include "advice/words/advice_text.h"

/*
 * A letter to the owner of a domain, ready to be sent: one line with the subject, behind that word
 * in the reader's language ("Betreff: …"), a blank line, then text in lines of at most 76 columns,
 * of which only the record can be longer; all of it UTF-8. What strangers have put into DNS can't begin a line of its own in it.
 *
 * takes_replies  somebody reads the answers; if not, the letter asks for none
 * Returns a new string; NULL if there is nothing to write (ADVICE_UNKNOWN).
 */
char *letter_new(const Language *language, const Advice *advice, bool takes_replies);

/* The letter that says, after another one, that the domain is authorised. In the same form. */
char *letter_thanks_new(const Language *language, const Advice *advice);
#endif
