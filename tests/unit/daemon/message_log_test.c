#include "config.h"

#include "daemon/message_log.h"

#include <pthread.h>
#include <string.h>

#include "unit/table.h"

static void assert_found(const char *queue_id, const char *line)
{
    g_autofree char *found = message_log_find(queue_id);

    if (line == NULL)
        assert_null(found);
    else
        assert_string_equal(found != NULL ? found : "-", line);
}

static void test_newest(void **state G_GNUC_UNUSED)
{
    assert_found("4fKx2n", NULL);
    assert_found("", NULL);
    message_log_keep("4fKx2n", "first");
    message_log_keep("other", "other");
    assert_found("4fKx2n", "first");
    message_log_keep("4fKx2n", "second");
    assert_found("4fKx2n", "second");
    assert_found("4fKx2", NULL);
    assert_found("4fKx2nn", NULL);
}

static void test_oldest_goes(void **state G_GNUC_UNUSED)
{
    message_log_keep("oldest", "x");
    for (guint i = 1; i < MESSAGE_LOG_MAX; i++)
        message_log_keep("id", "x");
    assert_found("oldest", "x");
    message_log_keep("id", "x");
    assert_found("oldest", NULL);
}

static void test_long(void **state G_GNUC_UNUSED)
{
    g_autofree char *line = g_strnfill(MESSAGE_LOG_LINE_MAX, 'x');
    g_autofree char *whole_id = g_strnfill(MESSAGE_LOG_ID_MAX - 1, 'y');
    g_autofree char *long_id = g_strnfill(MESSAGE_LOG_ID_MAX, 'y');

    message_log_keep(long_id, "long");
    assert_found(long_id, NULL);
    assert_found(whole_id, NULL);
    message_log_keep(whole_id, line);
    line[MESSAGE_LOG_LINE_MAX - 1] = '\0';
    assert_found(whole_id, line);
}

static void *add_many(void *data)
{
    for (guint i = 0; i < 2000; i++)
        message_log_keep(data, data);
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
        g_autofree char *found = message_log_find(ids[i % 2]);

        if (found != NULL)
            assert_string_equal(found, ids[i % 2]);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest),
        cmocka_unit_test(test_oldest_goes),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
