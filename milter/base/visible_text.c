#include "config.h"

#include "base/visible_text.h"

#include <stdbool.h>
#include <string.h>

static bool is_visible(gunichar character)
{
    GUnicodeType type = g_unichar_type(character);

    return g_unichar_isprint(character) && type != G_UNICODE_LINE_SEPARATOR &&
           type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

char *visible_text(const char *text, gssize length)
{
    const char *at = text;
    const char *end = text + (length >= 0 ? (gsize)length : strlen(text));
    GString *visible = g_string_sized_new((gsize)(end - at));

    while (at < end) {
        gunichar character = g_utf8_get_char_validated(at, end - at);

        if (*at == '\0' || character >= 0x110000) {
            g_string_append_printf(visible, "\\x%02x", (guint8)*at++);
            continue;
        }
        if (is_visible(character) || character == '\t')
            g_string_append_unichar(visible, character);
        else
            g_string_append_printf(visible, character < 0x80 ? "\\x%02x" : "\\u%04x", character);
        at = g_utf8_next_char(at);
    }
    return g_string_free(visible, FALSE);
}
