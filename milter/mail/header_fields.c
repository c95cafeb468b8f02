#include "config.h"

#include "mail/header_fields.h"

#include <string.h>

#define TEXT_CHUNK 2048 /* octets; what the fields of an ordinary message take */
#define FIELDS_AT_FIRST 24

struct HeaderFields {
    GStringChunk *text; /* names and values: one allocation for many fields, and none ever moves */
    GArray *fields;     /* of HeaderField */
    gsize kept;         /* octets of all values */
    bool has_cut_value;
    bool has_lost_field;         /* of a name that is not counted */
    bool has_lost_counted_field; /* of one that is */
};

HeaderFields *header_fields_new(void)
{
    HeaderFields *fields = g_new0(HeaderFields, 1);

    fields->text = g_string_chunk_new(TEXT_CHUNK);
    fields->fields = g_array_sized_new(FALSE, FALSE, sizeof(HeaderField), FIELDS_AT_FIRST);
    return fields;
}

void header_fields_free(HeaderFields *fields)
{
    if (fields == NULL)
        return;
    g_string_chunk_free(fields->text);
    g_array_unref(fields->fields);
    g_free(fields);
}

/*
 * Returns whether a rewrite deletes such fields, or adds one only if there is none: their number
 * has to be right.
 */
static bool is_counted(const char *name, gsize length)
{
    static const char *const names[] = {"From", "Reply-To", "Sender", "Return-Path", "X-SPFrom"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (length == strlen(names[i]) && g_ascii_strncasecmp(name, names[i], length) == 0)
            return true;
    return false;
}

/* Returns whether there is room for one more field of that name. If not, notes what is lost. */
static bool has_room(HeaderFields *fields, const char *name, gsize length)
{
    if (fields->fields->len < HEADER_FIELDS_MAX)
        return true;
    if (!is_counted(name, length)) {
        fields->has_lost_field = true;
        return false;
    }
    if (fields->fields->len < 2 * HEADER_FIELDS_MAX)
        return true;
    fields->has_lost_counted_field = true;
    return false;
}

static gsize room_for_value(const HeaderFields *fields)
{
    gsize room = HEADER_FIELDS_VALUES_MAX - fields->kept;

    return fields->fields->len < HEADER_FIELDS_MAX ? MIN(room, HEADER_FIELDS_VALUE_MAX) : 0;
}

/*
 * The octets of name that are kept. Blanks before the colon (RFC 5322 section 4.5) are no part of
 * it.
 */
static gsize name_length(const char *name)
{
    gsize length = strnlen(name, HEADER_FIELDS_NAME_MAX);

    while (length > 0 && (name[length - 1] == ' ' || name[length - 1] == '\t'))
        length--;
    return length;
}

bool header_fields_append(HeaderFields *fields, const char *name, const char *value, gssize length)
{
    gsize whole = length >= 0 ? (gsize)length : strlen(value);
    gsize kept = MIN(whole, room_for_value(fields));
    gsize named = name_length(name);
    HeaderField field = {.length = kept, .is_cut = kept < whole};

    if (!has_room(fields, name, named))
        return false;
    field.name = g_string_chunk_insert_len(fields->text, name, (gssize)named);
    field.value = g_string_chunk_insert_len(fields->text, value, (gssize)kept);
    g_array_append_val(fields->fields, field);
    fields->kept += kept;
    fields->has_cut_value |= field.is_cut;
    return !field.is_cut;
}

bool header_fields_is_cut(const HeaderFields *fields)
{
    return fields->has_cut_value || fields->has_lost_field || fields->has_lost_counted_field;
}

bool header_fields_is_whole(const HeaderFields *fields, const char *name)
{
    if (is_counted(name, strlen(name)) ? fields->has_lost_counted_field : fields->has_lost_field)
        return false;
    if (!fields->has_cut_value)
        return true;
    for (guint i = 0; i < fields->fields->len; i++) {
        const HeaderField *field = header_fields_at(fields, i);

        if (field->is_cut && header_field_is_named(field, name))
            return false;
    }
    return true;
}

bool header_fields_is_countable(const HeaderFields *fields)
{
    return !fields->has_lost_counted_field;
}

guint header_fields_length(const HeaderFields *fields)
{
    return fields->fields->len;
}

const HeaderField *header_fields_at(const HeaderFields *fields, guint position)
{
    return &g_array_index(fields->fields, HeaderField, position);
}

bool header_field_is_named(const HeaderField *field, const char *name)
{
    return g_ascii_strcasecmp(field->name, name) == 0;
}

bool header_field_is_blank(const HeaderField *field)
{
    return !field->is_cut && strspn(field->value, " \t\r\n") == field->length;
}

bool header_field_hides(const HeaderField *field, const char *name)
{
    const char *end = field->value + field->length;
    gsize length = strlen(name);

    for (const char *at = memchr(field->value, '\r', field->length); at != NULL;
         at = memchr(at, '\r', (gsize)(end - at))) {
        at += strspn(at, "\r\n");
        if ((gsize)(end - at) > length && g_ascii_strncasecmp(at, name, length) == 0 &&
            at[length + strspn(at + length, " \t")] == ':')
            return true;
    }
    return false;
}

guint header_fields_count(const HeaderFields *fields, const char *name)
{
    guint count = 0;

    for (guint i = 0; i < fields->fields->len; i++)
        if (header_field_is_named(header_fields_at(fields, i), name))
            count++;
    return count;
}

const HeaderField *header_fields_nth(const HeaderFields *fields, const char *name, guint index)
{
    for (guint i = 0; i < fields->fields->len; i++) {
        const HeaderField *field = header_fields_at(fields, i);

        if (header_field_is_named(field, name) && --index == 0)
            return field;
    }
    return NULL;
}
