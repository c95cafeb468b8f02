#ifndef SPFROM_MAIL_RETURNED_H
#define SPFROM_MAIL_RETURNED_H

#include <glib.h>
#include <stdbool.h>

#include "mail/header_fields.h"

/* A message that came back to addresses of ours (design section 19). */
typedef enum { RETURN_BOUNCE, RETURN_AUTO_REPLY, RETURN_REPLY } ReturnKind;
#define RETURN_KINDS (RETURN_REPLY + 1)

const char *return_kind_text(ReturnKind kind); /* "bounce" … */
bool return_kind_parse(const char *text, ReturnKind *kind);

/* What kind of message this is. has_null_sender is of the envelope. */
ReturnKind returned_kind(const HeaderFields *fields, bool has_null_sender);

/*
 * Returns whether a bounce only warns that its message is delayed: a failure, if there will be one, is told
 * by another. Nothing but the report in its body says that for sure (RFC 3464 section 2.3.3); of the
 * header it is the Subject: that Postfix, Sendmail, Exim, Exchange and Google give to such warnings.
 */
bool returned_is_delay(const HeaderFields *fields);

#define RETURNED_MARK_HEADER "X-SPFrom"
/* Returns whether the field is the mark of an earlier return: "X-SPFrom: returned; …". */
bool returned_is_mark(const HeaderField *field);

/* Returns whether a mark says that the message was returned to one of tokens (of char *, lower
 * case) before: a loop. */
bool returned_is_loop(const HeaderFields *fields, const GPtrArray *tokens);
#endif
