#include "config.h"

#include "returns/socketmap_reader.h"

#include <string.h>

#define DIGITS_MAX 9 /* of a length */
#define KEPT_MAX (SOCKETMAP_NAME_MAX + 1 + SOCKETMAP_KEY_MAX)

typedef enum { READING_LENGTH, READING_TEXT, READING_COMMA } Stage;

struct SocketmapReader {
    Stage stage;
    guint digits;
    gsize length;  /* of the text, as far as it is read */
    gsize seen;    /* octets of the text */
    GString *kept; /* its beginning, KEPT_MAX at most */
};

SocketmapReader *socketmap_reader_new(void)
{
    SocketmapReader *reader = g_new0(SocketmapReader, 1);

    reader->kept = g_string_new(NULL);
    return reader;
}

void socketmap_reader_free(SocketmapReader *reader)
{
    g_string_free(reader->kept, TRUE);
    g_free(reader);
}

bool socketmap_reader_has_part(const SocketmapReader *reader)
{
    return reader->stage != READING_LENGTH || reader->digits > 0;
}

/* A length has no zero before it. Returns false if octet can't stand here. */
static bool read_length(SocketmapReader *reader, char octet)
{
    if (octet == ':' && reader->digits > 0) {
        reader->stage = reader->length > 0 ? READING_TEXT : READING_COMMA;
        return true;
    }
    if (!g_ascii_isdigit(octet) || reader->digits == DIGITS_MAX ||
        (reader->digits > 0 && reader->length == 0))
        return false;
    reader->length = reader->length * 10 + (gsize)g_ascii_digit_value(octet);
    reader->digits++;
    return true;
}

/* Returns how many octets of the text were read, at least one. */
static gsize read_text(SocketmapReader *reader, const char *octets, gsize length)
{
    gsize taken = MIN(length, reader->length - reader->seen);
    gsize room = KEPT_MAX - reader->kept->len;

    g_string_append_len(reader->kept, octets, (gssize)MIN(taken, room));
    reader->seen += taken;
    if (reader->seen == reader->length)
        reader->stage = READING_COMMA;
    return taken;
}

/* Reads the whole request, and is ready for the next one. */
static SocketmapOutcome end_request(SocketmapReader *reader, SocketmapKey *key)
{
    const char *text = reader->kept->str;
    const char *blank = memchr(text, ' ', MIN(reader->kept->len, SOCKETMAP_NAME_MAX + 1));
    gsize length = reader->length;

    reader->stage = READING_LENGTH;
    reader->digits = 0;
    reader->length = 0;
    if (blank == NULL || blank == text)
        return SOCKETMAP_BROKEN;
    key->length = length - (gsize)(blank + 1 - text);
    key->octets = key->length <= SOCKETMAP_KEY_MAX ? blank + 1 : NULL;
    return SOCKETMAP_REQUEST;
}

static void forget_request(SocketmapReader *reader)
{
    g_string_truncate(reader->kept, 0);
    reader->seen = 0;
}

SocketmapOutcome socketmap_reader_read(SocketmapReader *reader, const char *octets, gsize length,
                                       gsize *read, SocketmapKey *key)
{
    gsize at = 0;

    while (at < length) {
        switch (reader->stage) {
        case READING_LENGTH:
            if (reader->digits == 0)
                forget_request(reader);
            if (!read_length(reader, octets[at++])) {
                *read = at;
                return SOCKETMAP_BROKEN;
            }
            break;
        case READING_TEXT:
            at += read_text(reader, octets + at, length - at);
            break;
        case READING_COMMA:
            *read = at + 1;
            return octets[at] == ',' ? end_request(reader, key) : SOCKETMAP_BROKEN;
        }
    }
    *read = at;
    return SOCKETMAP_MORE;
}

void socketmap_append(GString *output, const char *text)
{
    g_string_append_printf(output, "%" G_GSIZE_FORMAT ":%s,", strlen(text), text);
}
