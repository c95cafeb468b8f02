#ifndef SPFROM_CLI_MESSAGE_FILE_H
#define SPFROM_CLI_MESSAGE_FILE_H

#include <glib.h>
#include <stdbool.h>

#include "mail/edits.h"
#include "mail/header_fields.h"

/*
 * A message as text (RFC 5322), LF or CRLF, read as an MTA reads it: fields up to the first line
 * that is none, a "From " line of a mailbox file before them. The text is one part of the message,
 * from its start; it holds all of the header. Pure: who has read the text brings it.
 */
#define MESSAGE_FILE_HEAD_MAX                                                                      \
    (4 * 1024 * 1024) /* octets of a header that is read; MTAs take far less */

typedef struct MessageFile MessageFile;

#define MESSAGE_FILE_ERROR (message_file_error_quark())
typedef enum { MESSAGE_FILE_ERROR_LONG } MessageFileError;
GQuark message_file_error_quark(void);

/*
 * text      borrowed; any octets
 * is_whole  the text is all of the message; if not, and no end of the header is in it, that is an
 * error Returns a new message, freed with message_file_free(), or NULL with error
 * (MESSAGE_FILE_ERROR) set.
 */
MessageFile *message_file_parse(const char *text, gsize length, bool is_whole, GError **error);
void message_file_free(MessageFile *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MessageFile, message_file_free)

/* The fields as libmilter gives them: without one blank behind the colon, a fold as "\n" and a
 * blank. */
HeaderFields *message_file_fields(const MessageFile *message);

/* The place in text at which the header ends: where the empty line before the body stands, if there
 * is one. */
gsize message_file_head_end(const MessageFile *message);

/* A piece of the header, one behind the other: as it came, and as it leaves. */
typedef struct {
    const char *old_text; /* in the text; NULL: new */
    gsize old_length;
    char *new_text; /* with its line ends, which are those of the message; NULL: it leaves as it
                       came; "": it goes */
} MessagePiece;

/*
 * The header with edits made, as the MTA makes them; what no edit names keeps every octet. edits
 * may be NULL. Returns an array of MessagePiece.
 */
GPtrArray *message_file_apply(const MessageFile *message, const Edits *edits);
#endif
