#include "config.h"

#include "control/message_record.h"

#include "unit/table.h"

static const struct row {
    const char *name;
    const char *line;
    const char *key;
    const char *value; /* NULL: there is none */
} rows[] = {
    {"plain", "action=keep spf=pass", "action", "keep"},
    {"the last", "action=keep spf=pass", "spf", "pass"},
    {"none", "action=keep", "spf", NULL},
    {"a part of a key", "cation=keep", "action", NULL},
    {"quoted", "reason=\"two words\" spf=none", "reason", "two words"},
    {"behind quotes", "reason=\"two words\" spf=none", "spf", "none"},
    {"escapes", "reason=\"a \\\"b\\\" \\\\ \\x41\"", "reason", "a \"b\" \\ A"},
    {"a pair in quotes", "reason=\"x action=keep\" action=rewrite", "action", "rewrite"},
    {"empty", "sender=\"\" spf=none", "sender", ""},
    {"cut in quotes", "reason=\"two wo", "reason", "two wo"},
    {"cut in an escape", "reason=\"two\\", "reason", "two"},
    {"cut in a number", "reason=\"two\\x4", "reason", "twox4"},
    {"null sender", "sender=<> spf=none", "sender", "<>"},
    {"no pair", "cut of", "cut", NULL},
    {"nothing", "", "action", NULL},
    {"octets", "a=\"\\xff\"", "a", "\357\277\275"},
};

static void test_value(void **state)
{
    const struct row *row = *state;
    g_autoptr(MessageRecord) record = message_record_new(0, "-", NULL, row->line);
    const char *value = message_record_get(record, row->key);

    assert_string_equal(value != NULL ? value : "(none)",
                        row->value != NULL ? row->value : "(none)");
}

static void test_json(void **state G_GNUC_UNUSED)
{
    g_autoptr(MessageRecord) record =
        message_record_new(G_GINT64_CONSTANT(1767225600000000), "4fKx2n", "1@x", "spf=-");
    json_t *object = message_record_write(record);
    g_autoptr(MessageRecord) read = message_record_read(object);

    assert_non_null(read);
    assert_int_equal(read->time, record->time);
    assert_string_equal(read->queue_id, "4fKx2n");
    assert_string_equal(read->message_id, "1@x");
    assert_string_equal(message_record_get(read, "spf"), "-");
    json_decref(object);
}

static void test_no_record(void **state G_GNUC_UNUSED)
{
    json_t *object = json_object();

    assert_null(message_record_read(object));
    assert_null(message_record_read(NULL));
    json_decref(object);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_value);
    table_add(tests, "JSON", test_json, NULL);
    table_add(tests, "no record", test_no_record, NULL);
    return table_run(tests, "message_record_test");
}
