#include "config.h"

#include "daemon/message_log.h"

#include <pthread.h>
#include <string.h>

#include "control/message_record.h"
#include "unit/table.h"

static void keep_id(const char *queue_id, const char *line)
{
    message_log_keep(1, &(MessageLogKey){.queue_id = queue_id}, line);
}

/* Asserts that the newest message that matches has that line; NULL: that there is none. */
static void assert_newest(MessageLogKey wanted, const char *line)
{
    g_autoptr(GPtrArray) found = message_log_find(&wanted, 1);
    const MessageRecord *record = found->len > 0 ? g_ptr_array_index(found, 0) : NULL;

    assert_true(found->len <= 1);
    assert_string_equal(record != NULL ? record->line : "-", line != NULL ? line : "-");
}

static void assert_found(const char *queue_id, const char *line)
{
    assert_newest((MessageLogKey){.queue_id = queue_id}, line);
}

static void test_newest(void **state G_GNUC_UNUSED)
{
    assert_found("4fKx2n", NULL);
    keep_id("4fKx2n", "first");
    keep_id("other", "other");
    assert_found("4fKx2n", "first");
    keep_id("4fKx2n", "second");
    assert_found("4fKx2n", "second");
    assert_found("other", "other");
    assert_found("", NULL);
}

static void test_oldest_goes(void **state G_GNUC_UNUSED)
{
    keep_id("oldest", "x");
    for (guint i = 1; i < MESSAGE_LOG_KEPT; i++)
        keep_id("id", "x");
    assert_found("oldest", "x");
    keep_id("id", "x");
    assert_found("oldest", NULL);
}

static void test_long(void **state G_GNUC_UNUSED)
{
    g_autofree char *long_id = g_strnfill(MESSAGE_LOG_ID_MAX, 'i');
    g_autofree char *whole_id = g_strnfill(MESSAGE_LOG_ID_MAX - 1, 'i');
    g_autofree char *line = g_strnfill(MESSAGE_LOG_LINE_MAX, 'l');
    g_autofree char *cut = g_strnfill(MESSAGE_LOG_LINE_MAX - 1, 'l');

    keep_id(long_id, "long");
    assert_found(long_id, NULL);
    assert_found(whole_id, NULL);
    keep_id(whole_id, line);
    assert_found(whole_id, cut);
}

static const MessageLogKey anna = {.queue_id = "A",
                                   .message_id = "1@praxis.example",
                                   .author = "Anna@praxis.example",
                                   .sender = "bounce@app.example",
                                   .domain = "praxis.example",
                                   .decided = "app.example"};

static const struct row {
    const char *name;
    MessageLogKey wanted;
    bool is_found;
} rows[] = {
    {"by message id", {.message_id = "1@praxis.example"}, true},
    {"by another message id", {.message_id = "2@praxis.example"}, false},
    {"by no message id", {.message_id = ""}, false},
    {"by author", {.author = "Anna@praxis.example"}, true},
    {"by author in another case", {.author = "anna@Praxis.example"}, true},
    {"by envelope sender", {.author = "bounce@app.example"}, true},
    {"by another author", {.author = "berta@praxis.example"}, false},
    {"by domain", {.domain = "praxis.example"}, true},
    {"by the domain that decided", {.domain = "app.example"}, true},
    {"by another domain", {.domain = "example"}, false},
    {"by all", {.queue_id = "A", .author = "anna@praxis.example", .domain = "app.example"}, true},
    {"by one that does not match", {.queue_id = "B", .domain = "app.example"}, false},
    {"by nothing", {.queue_id = NULL}, true},
};

static void test_row(void **state)
{
    const struct row *row = *state;

    message_log_keep(7, &anna, "the line");
    if (row->is_found)
        assert_newest(row->wanted, "the line");
    else
        assert_newest(row->wanted, NULL);
}

static void test_newest_first(void **state G_GNUC_UNUSED)
{
    g_autoptr(GPtrArray) found = NULL;

    for (gint64 i = 1; i <= 3; i++)
        message_log_keep(i, &(MessageLogKey){.domain = "three.example"}, "x");
    found = message_log_find(&(MessageLogKey){.domain = "three.example"}, 2);
    assert_int_equal(found->len, 2);
    assert_int_equal(((const MessageRecord *)g_ptr_array_index(found, 0))->time, 3);
    assert_int_equal(((const MessageRecord *)g_ptr_array_index(found, 1))->time, 2);
    assert_string_equal(((const MessageRecord *)g_ptr_array_index(found, 0))->queue_id, "-");
}

static void *add_many(void *data)
{
    for (guint i = 0; i < 20000; i++)
        keep_id(data, data);
    return NULL;
}

/* Each line that is found is the whole of one that was added. */
static void test_threads(void **state G_GNUC_UNUSED)
{
    static char ids[2][8] = {"aaaaaaa", "bbbbbbb"};
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, ids[i]), 0);
    for (guint i = 0; i < 2000; i++) {
        g_autoptr(GPtrArray) found = message_log_find(&(MessageLogKey){.queue_id = ids[i % 2]}, 1);

        if (found->len > 0)
            assert_string_equal(((const MessageRecord *)g_ptr_array_index(found, 0))->line,
                                ids[i % 2]);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "newest", test_newest, NULL);
    table_add(tests, "oldest goes", test_oldest_goes, NULL);
    table_add(tests, "long", test_long, NULL);
    TABLE_ADD(tests, rows, test_row);
    table_add(tests, "newest first", test_newest_first, NULL);
    table_add(tests, "threads", test_threads, NULL);
    return table_run(tests, "message_log_test");
}
