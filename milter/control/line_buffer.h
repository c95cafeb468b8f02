#ifndef SPFROM_CONTROL_LINE_BUFFER_H
#define SPFROM_CONTROL_LINE_BUFFER_H

#include <glib.h>
#include <stdbool.h>

/* Lines out of octets as they come, bounded: of a line that is too long nothing is kept. */
typedef struct {
    GString *octets;  /* that are not taken yet */
    gsize max;        /* of a line without its end */
    bool is_overlong; /* the line that octets end in is too long already; they are not all of it */
} LineBuffer;

typedef enum {
    LINE_BUFFER_NONE, /* no whole line yet */
    LINE_BUFFER_LINE,
    LINE_BUFFER_OVERLONG,
} LineBufferOutcome;

void line_buffer_init(LineBuffer *buffer, gsize max);
void line_buffer_clear(LineBuffer *buffer);

void line_buffer_add(LineBuffer *buffer, const char *octets, gsize length);

/*
 * Takes the first line.
 *
 * is_ended  nothing comes any more: what is left is a line without its end
 * line      set to it, without its LF or CRLF
 */
LineBufferOutcome line_buffer_take(LineBuffer *buffer, bool is_ended, GString *line);

/* Has a line begun that is not whole? */
bool line_buffer_has_part(const LineBuffer *buffer);
#endif
