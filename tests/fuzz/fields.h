#ifndef SPFROM_TESTS_FUZZ_FIELDS_H
#define SPFROM_TESTS_FUZZ_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "mail/header_fields.h"

/* Any octets as a header: fields begin with a letter that stands for one of count names, and end at a
 * line end that no blank follows. */
static inline HeaderFields *read_fields(const char *data, size_t size, const char *const *names,
                                        size_t count)
{
    HeaderFields *fields = header_fields_new();

    while (size > 0) {
        const char *name = names[(uint8_t)data[0] % count];
        size_t length = 1;

        while (length < size &&
               (data[length] != '\n' || (length + 1 < size && data[length + 1] == ' ')))
            length++;
        header_fields_append(fields, name, data + 1, (gssize)length - 1);
        data += MIN(length + 1, size);
        size -= MIN(length + 1, size);
    }
    return fields;
}
#endif
