#include "config.h"

#include "control/line_buffer.h"

#include <string.h>

void line_buffer_init(LineBuffer *buffer, gsize max)
{
    *buffer = (LineBuffer){.octets = g_string_new(NULL), .max = max};
}

void line_buffer_clear(LineBuffer *buffer)
{
    g_string_free(buffer->octets, TRUE);
}

/* Drops what can only be part of a line that is too long. */
static void bound(LineBuffer *buffer)
{
    GString *octets = buffer->octets;

    if (memchr(octets->str, '\n', octets->len) != NULL || octets->len <= buffer->max + 1)
        return; /* a CR may follow the last octet that counts */
    buffer->is_overlong = true;
    g_string_truncate(octets, 0);
}

void line_buffer_add(LineBuffer *buffer, const char *octets, gsize length)
{
    g_string_append_len(buffer->octets, octets, (gssize)length);
    bound(buffer);
}

/* Takes length octets as a line, and the end that follows. */
static LineBufferOutcome take(LineBuffer *buffer, gsize length, GString *line)
{
    GString *octets = buffer->octets;
    bool is_overlong = buffer->is_overlong;
    gsize shown = length > 0 && octets->str[length - 1] == '\r' ? length - 1 : length;

    g_string_truncate(line, 0);
    if (!is_overlong && shown <= buffer->max)
        g_string_append_len(line, octets->str, (gssize)shown);
    g_string_erase(octets, 0, (gssize)MIN(length + 1, octets->len));
    buffer->is_overlong = false;
    bound(buffer);
    return is_overlong || shown > buffer->max ? LINE_BUFFER_OVERLONG : LINE_BUFFER_LINE;
}

LineBufferOutcome line_buffer_take(LineBuffer *buffer, bool is_ended, GString *line)
{
    const GString *octets = buffer->octets;
    const char *end = memchr(octets->str, '\n', octets->len);

    if (end != NULL)
        return take(buffer, (gsize)(end - octets->str), line);
    if (is_ended && line_buffer_has_part(buffer))
        return take(buffer, octets->len, line);
    return LINE_BUFFER_NONE;
}

bool line_buffer_has_part(const LineBuffer *buffer)
{
    return buffer->is_overlong || buffer->octets->len > 0;
}
