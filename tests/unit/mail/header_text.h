#ifndef SPFROM_TESTS_UNIT_MAIL_HEADER_TEXT_H
#define SPFROM_TESTS_UNIT_MAIL_HEADER_TEXT_H

#include <string.h>

#include "mail/header_fields.h"

/* Reads a header written as text, "Name: value" a line, folded lines beginning with a blank. */
static inline HeaderFields *header_text_parse(const char *text)
{
    HeaderFields *fields = header_fields_new();

    while (*text != '\0') {
        gsize length = strcspn(text, "\n");
        g_autofree char *name = NULL;
        g_autofree char *value = NULL;
        const char *colon;

        while (text[length] == '\n' && (text[length + 1] == ' ' || text[length + 1] == '\t'))
            length += 1 + strcspn(text + length + 1, "\n");
        colon = memchr(text, ':', length);
        name = g_strndup(text, (gsize)(colon - text));
        colon += colon[1] == ' ';
        value = g_strndup(colon + 1, length - (gsize)(colon + 1 - text));
        header_fields_append(fields, name, value, -1);
        text += length + (text[length] == '\n');
    }
    return fields;
}
#endif
