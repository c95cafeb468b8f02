#ifndef SPFROM_CLI_MESSAGE_FILE_H
#define SPFROM_CLI_MESSAGE_FILE_H

#include <glib.h>
#include <stdbool.h>

#include "mail/edits.h"
#include "mail/header_fields.h"

/*
 * A message as text (RFC 5322) with LF or CRLF, read as an MTA reads it: an optional "From " line
 * of a mailbox file, then fields up to the first line that is not one. The text is the message or
 * its start, and holds all of the header. Pure: the caller has read the text.
 */
typedef struct MessageFile MessageFile;

/* The longest header that is read, in octets; MTAs take far less. */
#define MESSAGE_FILE_HEAD_MAX (4 * 1024 * 1024)

#define MESSAGE_FILE_ERROR (message_file_error_quark())
typedef enum { MESSAGE_FILE_ERROR_LONG } MessageFileError;
GQuark message_file_error_quark(void);

/*
 * text      borrowed; any octets
 * is_whole  the text is all of the message; if it is not, and does not hold the end of the header,
 *           that is an error
 * Returns a new message, freed with message_file_free(), or NULL with error (MESSAGE_FILE_ERROR)
 * set.
 */
MessageFile *message_file_parse(const char *text, gsize length, bool is_whole, GError **error);
void message_file_free(MessageFile *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MessageFile, message_file_free)

/* The fields as libmilter gives them: without one blank behind the colon, a fold as "\n" and a
 * blank. */
HeaderFields *message_file_fields(const MessageFile *message);

/* The offset in text at which the header ends: that of the empty line before the body, if there is
 * one. */
gsize message_file_head_end(const MessageFile *message);

/* A piece of the header, in order: as it came, and as it leaves. */
typedef struct {
    /* A part of the text; NULL for a new field. */
    const char *old_text;
    gsize old_length;
    /* With the line ends of the message; NULL if the piece leaves as it came, "" if it is
     * deleted. */
    char *new_text;
} MessagePiece;

/*
 * The header with edits made, as the MTA makes them; what no edit names keeps every octet. edits
 * may be NULL. Returns an array of MessagePiece.
 */
GPtrArray *message_file_apply(const MessageFile *message, const Edits *edits);
#endif
