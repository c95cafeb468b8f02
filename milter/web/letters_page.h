#ifndef SPFROM_WEB_LETTERS_PAGE_H
#define SPFROM_WEB_LETTERS_PAGE_H

#include "ledger/ledger.h"
#include "show/view.h"
#include "web/request.h"

/* Letters on the page. */
#define LETTERS_PAGE_MAX 200

/*
 * Which letters were sent to whom (design section 22), when, and what came of each.
 *
 * letters  of LetterRow, the latest first; NULL with problem, which says why they can't be read
 * ledger   borrowed; NULL: what became of the domains is not known
 */
char *letters_page(const View *view, const Request *request, const GPtrArray *letters,
                   Ledger *ledger, const char *problem);
#endif
