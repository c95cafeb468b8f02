#ifndef SPFROM_MAIL_DISPLAY_NAME_H
#define SPFROM_MAIL_DISPLAY_NAME_H

#include <glib.h>
#include <stdbool.h>

#include "mail/mailboxes.h"

#define DISPLAY_NAME_MAX 2000 /* octets; a longer name is cut */

/*
 * Returns whether display_name_expand() takes template: valid UTF-8, with n, l, d or % after each
 * "%".
 */
bool display_name_is_template(const char *template);

/*
 * The display name of the new From: (design section 5): template with %n (name), %l (local part),
 * %d (domain as the author wrote it) and %% filled in. missing is used in its place if author has
 * no name, or if nothing is left of the name or of the whole once it is safe. Safe means that no
 * address, no "@" or look-alike of it, no control character and no bidi override, embedding or
 * isolate remains.
 *
 * author  may be NULL (an author that could not be read): then only the template's own text is left
 * Returns UTF-8, maybe "", owned by the caller.
 */
char *display_name_expand(const char *template, const char *missing, const Mailbox *author);
#endif
