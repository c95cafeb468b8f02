#ifndef SPFROM_WEB_LETTER_PAGE_H
#define SPFROM_WEB_LETTER_PAGE_H

#include "advice/domain_check.h"
#include "show/html.h"
#include "show/view.h"
#include "web/request.h"

/* The letter to the owner of a domain (advice/words/letter.h): as a part of its page, and alone, to
 * be printed. */

/* The part: the text to be copied, a link that opens it in the reader's mail program, and one to
 * the page. */
void letter_page_add(Html *html, const View *view, const CheckSubject *subject, const char *letter);

/* The page, owned by the caller. On paper nothing but the letter is left of it. letter is NULL if
 * there is nothing to write. */
char *letter_page(const View *view, const Request *request, const CheckSubject *subject,
                  const char *letter);
#endif
