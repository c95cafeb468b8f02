#include "config.h"

#include "control/message_record.h"

#include <string.h>

#include "base/clock.h"

/* Takes "\"", "\\" or "\xNN", a "\" at *at, and appends what it means. */
static void take_escape(const char **at, GString *value)
{
    const char *text = *at + 1;

    if (text[0] == 'x' && g_ascii_isxdigit(text[1]) && g_ascii_isxdigit(text[2])) {
        g_string_append_c(
            value, (char)(g_ascii_xdigit_value(text[1]) * 16 + g_ascii_xdigit_value(text[2])));
        *at = text + 3;
        return;
    }
    if (*text != '\0')
        g_string_append_c(value, *text++);
    *at = text;
}

/* Takes a value at *at up to the blank behind it, as log_value() wrote it. */
static char *take_value(const char **at)
{
    GString *value = g_string_new(NULL);
    g_autofree char *taken = NULL;

    if (**at == '"') {
        for (++*at; **at != '\0' && **at != '"';)
            if (**at == '\\')
                take_escape(at, value);
            else
                g_string_append_c(value, *(*at)++);
        *at += **at == '"';
    } else {
        gsize length = strcspn(*at, " ");

        g_string_append_len(value, *at, (gssize)length);
        *at += length;
    }
    taken = g_string_free(value, FALSE);
    return g_utf8_make_valid(taken, -1);
}

/* The values of line by their keys. */
static GHashTable *read_values(const char *line)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const char *at = line;

    while (*at != '\0') {
        gsize length = strcspn(at, " =");

        if (at[length] == '=') {
            g_autofree char *key = g_strndup(at, length);

            at += length + 1;
            g_hash_table_insert(values, g_steal_pointer(&key), take_value(&at));
        } else {
            at += length;
        }
        at += strspn(at, " ");
    }
    return values;
}

MessageRecord *message_record_new(gint64 time, const char *queue_id, const char *message_id,
                                  const char *line)
{
    MessageRecord *record = g_new0(MessageRecord, 1);

    record->time = time;
    record->queue_id = g_utf8_make_valid(queue_id, -1);
    record->message_id = message_id != NULL ? g_utf8_make_valid(message_id, -1) : NULL;
    record->line = g_utf8_make_valid(line, -1);
    record->values = read_values(record->line);
    return record;
}

void message_record_free(MessageRecord *record)
{
    g_free(record->queue_id);
    g_free(record->message_id);
    g_free(record->line);
    g_hash_table_unref(record->values);
    g_free(record);
}

const char *message_record_get(const MessageRecord *record, const char *key)
{
    return g_hash_table_lookup(record->values, key);
}

static void set_text(json_t *object, const char *member, const char *text)
{
    json_object_set_new(object, member, text != NULL ? json_string(text) : json_null());
}

json_t *message_record_write(const MessageRecord *record)
{
    g_autofree char *time = record->time != 0 ? clock_rfc3339(record->time) : NULL;
    json_t *object = json_object();

    set_text(object, "time", time);
    set_text(object, "queue_id", record->queue_id);
    set_text(object, "message_id", record->message_id);
    set_text(object, "line", record->line);
    return object;
}

MessageRecord *message_record_read(const json_t *object)
{
    const char *queue_id = json_string_value(json_object_get(object, "queue_id"));
    const char *line = json_string_value(json_object_get(object, "line"));

    if (queue_id == NULL || line == NULL)
        return NULL;
    return message_record_new(
        clock_rfc3339_parse(json_string_value(json_object_get(object, "time"))), queue_id,
        json_string_value(json_object_get(object, "message_id")), line);
}
