#ifndef SPFROM_ADVICE_LETTER_MAIL_H
#define SPFROM_ADVICE_LETTER_MAIL_H

#include <glib.h>

#include "mail/mailboxes.h"

/* A letter as a message (RFC 5322, MIME), its lines ended by LF. Pure. */
typedef struct {
    const Mailbox *from;
    const Mailbox *reply_to; /* NULL: none */
    const char *to;          /* an addr-spec, see submission_is_address() */
    const char *subject;     /* any text */
    const char *body;        /* UTF-8 */
    const char *message_id;  /* without "<>" */
    gint64 now;              /* wall time */
} LetterMail;

/* Owned by the caller. */
char *letter_mail_text(const LetterMail *mail);
#endif
