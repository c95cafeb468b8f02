#include "config.h"

#include "cli/message_file.h"

#include <string.h>

G_DEFINE_QUARK(spfrom_message_file_error, message_file_error)

/* One field: a part of the text, its line ends included. */
typedef struct {
    gsize offset;
    gsize length;
    gsize name_length;
    /* From the start of the text; the octet after the colon. */
    gsize value_offset;
} Field;

struct MessageFile {
    const char *text;
    gsize length;
    /* After the "From " line of a mailbox file. */
    gsize head_start;
    gsize head_end;
    const char *line_end;
    /* Of Field. */
    GArray *fields;
};

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

/* The end of the line at offset, its LF included. */
static gsize line_end_of(const MessageFile *message, gsize offset)
{
    const char *end = NULL;

    if (offset < message->length)
        end = memchr(message->text + offset, '\n', message->length - offset);
    return end != NULL ? (gsize)(end - message->text) + 1 : message->length;
}

/* The length of a line without its LF or CRLF. */
static gsize chomped(const char *line, gsize length)
{
    if (length > 0 && line[length - 1] == '\n')
        length--;
    else
        return length;
    return length > 0 && line[length - 1] == '\r' ? length - 1 : length;
}

/*
 * Reads "name:" (RFC 5322 section 2.2; blanks before the colon are obsolete syntax) at the start of
 * a line. Returns false where the line is no field.
 */
static bool parse_name(const char *line, gsize length, Field *field)
{
    gsize at = 0;

    while (at < length && line[at] > ' ' && line[at] < 0x7f && line[at] != ':')
        at++;
    field->name_length = at;
    while (at < length && is_blank(line[at]))
        at++;
    field->value_offset = field->offset + at + 1;
    return field->name_length > 0 && at < length && line[at] == ':';
}

/* Is it the line of a mailbox file, such as "From anna@praxis.example Mon Mar  2 09:00:00 2026"?
 * "From : …" is a field. */
static bool is_mailbox_line(const char *line, gsize length)
{
    Field field = {0};

    return length >= strlen("From ") && memcmp(line, "From ", strlen("From ")) == 0 &&
           !parse_name(line, length, &field);
}

/* Takes the line from offset to end into the header. Returns false if the line ends the header. */
static bool take_line(MessageFile *message, gsize offset, gsize end)
{
    const char *line = message->text + offset;
    Field field = {.offset = offset, .length = end - offset};

    if (is_blank(line[0]) && message->fields->len > 0) {
        g_array_index(message->fields, Field, message->fields->len - 1).length += field.length;
        return true;
    }
    if (!parse_name(line, field.length, &field))
        return false;
    g_array_append_val(message->fields, field);
    return true;
}

/* Returns whether the end of the header is in the text. A last line without its line end may go on
 * after the text. */
static bool parse_head(MessageFile *message)
{
    gsize offset = message->head_start;

    while (offset < message->length) {
        gsize end = line_end_of(message, offset);

        if (!take_line(message, offset, end)) {
            message->head_end = offset;
            return end < message->length || message->text[end - 1] == '\n';
        }
        offset = end;
    }
    message->head_end = message->length;
    return false;
}

MessageFile *message_file_parse(const char *text, gsize length, bool is_whole, GError **error)
{
    g_autoptr(MessageFile) message = g_new0(MessageFile, 1);
    gsize first_end;
    gsize first_chomped;

    message->text = text;
    message->length = length;
    message->fields = g_array_new(FALSE, FALSE, sizeof(Field));
    first_end = line_end_of(message, 0);
    first_chomped = chomped(text, first_end);
    message->line_end = first_end - first_chomped == strlen("\r\n") ? "\r\n" : "\n";
    if (is_mailbox_line(text, first_chomped))
        message->head_start = first_end;
    if (!parse_head(message) && !is_whole) {
        g_set_error(error, MESSAGE_FILE_ERROR, MESSAGE_FILE_ERROR_LONG,
                    "the header has more than %d octets", MESSAGE_FILE_HEAD_MAX);
        return NULL;
    }
    return g_steal_pointer(&message);
}

void message_file_free(MessageFile *message)
{
    g_array_unref(message->fields);
    g_free(message);
}

gsize message_file_head_end(const MessageFile *message)
{
    return message->head_end;
}

static const Field *field_at(const MessageFile *message, guint position)
{
    return &g_array_index(message->fields, Field, position);
}

/* Appends the text from at to end, each CRLF as LF, without the last line end. */
static void append_value(GString *value, const char *at, const char *end)
{
    while (at < end) {
        const char *line_end = memchr(at, '\n', (gsize)(end - at));
        const char *next = line_end != NULL ? line_end + 1 : end;

        g_string_append_len(value, at, (gssize)chomped(at, (gsize)(next - at)));
        if (next < end)
            g_string_append_c(value, '\n');
        at = next;
    }
}

HeaderFields *message_file_fields(const MessageFile *message)
{
    HeaderFields *fields = header_fields_new();
    g_autoptr(GString) value = g_string_new(NULL);

    for (guint i = 0; i < message->fields->len; i++) {
        const Field *field = field_at(message, i);
        const char *end = message->text + field->offset + field->length;
        const char *at = message->text + field->value_offset;
        g_autofree char *name = g_strndup(message->text + field->offset, field->name_length);

        g_string_truncate(value, 0);
        append_value(value, at < end && *at == ' ' ? at + 1 : at, end);
        header_fields_append(fields, name, value->str, (gssize)value->len);
    }
    return fields;
}

/* The header while it is put together. */
typedef struct {
    const MessageFile *message;
    GPtrArray *pieces;
    /* The last octet so far is not a line end. */
    bool is_line_open;
} Assembly;

static void piece_free(gpointer data)
{
    MessagePiece *piece = data;

    g_free(piece->new_text);
    g_free(piece);
}

static void add_piece(Assembly *assembly, gsize offset, gsize length, char *new_text)
{
    MessagePiece *piece = g_new0(MessagePiece, 1);
    const char *text = assembly->message->text + offset;

    piece->old_text = length > 0 ? text : NULL;
    piece->old_length = length;
    piece->new_text = new_text;
    g_ptr_array_add(assembly->pieces, piece);
    if (new_text == NULL && length > 0)
        assembly->is_line_open = text[length - 1] != '\n';
    else if (new_text != NULL && *new_text != '\0')
        assembly->is_line_open = false;
}

/* The text of a whole field, with the line ends of the message. */
static char *field_text(const Assembly *assembly, const Edit *edit)
{
    const char *line_end = assembly->message->line_end;
    g_auto(GStrv) lines = g_strsplit(edit->value, "\n", -1);
    g_autofree char *value = g_strjoinv(line_end, lines);

    return g_strconcat(assembly->is_line_open ? line_end : "", edit->name, ": ", value, line_end,
                       NULL);
}

static void add_new(Assembly *assembly, const Edit *edit)
{
    add_piece(assembly, 0, 0, field_text(assembly, edit));
}

/* The key of the edit of the index-th field of that name. */
static char *edit_key(const char *name, gsize length, guint index)
{
    g_autofree char *lower = g_ascii_strdown(name, (gssize)length);

    return g_strdup_printf("%u:%s", index, lower);
}

static GHashTable *edits_by_field(const Edits *edits)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < edits_length(edits); i++) {
        const Edit *edit = edits_at(edits, i);

        if (edit->kind == EDIT_CHANGE || edit->kind == EDIT_DELETE)
            g_hash_table_insert(table, edit_key(edit->name, strlen(edit->name), edit->index),
                                (gpointer)edit);
    }
    return table;
}

/* Counts one more field of that name. Returns the new count. */
static guint count_name(GHashTable *counts, const char *name, gsize length)
{
    char *lower = g_ascii_strdown(name, (gssize)length);
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, lower)) + 1;

    g_hash_table_insert(counts, lower, GUINT_TO_POINTER(count));
    return count;
}

static void add_field(Assembly *assembly, const Field *field, const Edit *edit)
{
    if (edit == NULL)
        add_piece(assembly, field->offset, field->length, NULL);
    else if (edit->kind == EDIT_DELETE)
        add_piece(assembly, field->offset, field->length, g_strdup(""));
    else
        add_piece(assembly, field->offset, field->length, field_text(assembly, edit));
}

static void add_fields(Assembly *assembly, const Edits *edits)
{
    const MessageFile *message = assembly->message;
    g_autoptr(GHashTable) table = edits_by_field(edits);
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < message->fields->len; i++) {
        const Field *field = field_at(message, i);
        const char *name = message->text + field->offset;
        g_autofree char *key =
            edit_key(name, field->name_length, count_name(counts, name, field->name_length));

        add_field(assembly, field, g_hash_table_lookup(table, key));
    }
}

/* Begins with the last one, as each insertion goes on top of those before it. */
static void add_insertions(Assembly *assembly, const Edits *edits)
{
    for (guint i = edits_length(edits); i-- > 0;)
        if (edits_at(edits, i)->kind == EDIT_INSERT)
            add_new(assembly, edits_at(edits, i));
}

static void add_additions(Assembly *assembly, const Edits *edits)
{
    for (guint i = 0; i < edits_length(edits); i++)
        if (edits_at(edits, i)->kind == EDIT_ADD)
            add_new(assembly, edits_at(edits, i));
}

/* If text follows the header without an empty line between them, adds one, as an MTA does. */
static void add_separator(Assembly *assembly)
{
    const MessageFile *message = assembly->message;
    const char *rest = message->text + message->head_end;
    gsize length = message->length - message->head_end;

    if (length > 0 &&
        chomped(rest, line_end_of(message, message->head_end) - message->head_end) > 0)
        add_piece(assembly, 0, 0, g_strdup(message->line_end));
}

GPtrArray *message_file_apply(const MessageFile *message, const Edits *edits)
{
    Assembly assembly = {.message = message, .pieces = g_ptr_array_new_with_free_func(piece_free)};

    if (edits == NULL || edits_length(edits) == 0) {
        add_piece(&assembly, 0, message->head_end, NULL);
        return assembly.pieces;
    }
    if (message->head_start > 0)
        add_piece(&assembly, 0, message->head_start, NULL);
    add_insertions(&assembly, edits);
    add_fields(&assembly, edits);
    add_additions(&assembly, edits);
    add_separator(&assembly);
    return assembly.pieces;
}
