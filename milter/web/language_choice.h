#ifndef SPFROM_WEB_LANGUAGE_CHOICE_H
#define SPFROM_WEB_LANGUAGE_CHOICE_H

/* Which of language_codes (base/language.h) a reader wants. */

/* Returns the code that text names ("de", "de-AT", "EN"), a constant; NULL for another. */
const char *language_choice_parse(const char *text);

/* Returns the code that an Accept-Language field (RFC 9110 section 12.5.4) likes best; English
 * where accepted is NULL or names none of ours. */
const char *language_choice_negotiate(const char *accepted);

/* Returns the code in the Cookie field that language_choice_cookie() made; NULL where there is
 * none. */
const char *language_choice_of_cookies(const char *cookies);

/* Returns the value of a Set-Cookie field that keeps code for a year, owned by the caller. */
char *language_choice_cookie(const char *code);
#endif
