#include "config.h"

#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/table.h"

#define SECOND G_USEC_PER_SEC

/* stderr is a pipe that nobody reads until read_all(). */
typedef struct {
    int own_stderr;
    int reader;
} Unread;

static int set_up(void **state)
{
    Unread *unread = g_new0(Unread, 1);
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    fflush(stderr);
    unread->own_stderr = dup(STDERR_FILENO);
    unread->reader = ends[0];
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_open("test", LOG_TARGET_STDERR, LOG_INFO);
    *state = unread;
    return log_queue_start() ? 0 : -1;
}

/* Gives stderr back, so that the pipe ends. */
static void stop(Unread *unread)
{
    log_queue_stop();
    dup2(unread->own_stderr, STDERR_FILENO);
}

/* Whether the thread of the queue is there: on a busy machine log_queue_stop() may give it up. */
static bool is_thread_there(void)
{
    g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
    const char *task;

    while (tasks != NULL && (task = g_dir_read_name(tasks)) != NULL) {
        g_autofree char *file = g_strdup_printf("/proc/self/task/%s/comm", task);
        g_autofree char *name = NULL;

        if (g_file_get_contents(file, &name, NULL, NULL) && strcmp(name, "spfrom-log\n") == 0)
            return true;
    }
    return false;
}

/* The next test has a thread of its own. That of a log which nobody reads ends with its reader. */
static int tear_down(void **state)
{
    Unread *unread = *state;
    gint64 begin = g_get_monotonic_time();

    close(unread->reader);
    while (is_thread_there() && g_get_monotonic_time() - begin < 60 * SECOND)
        g_usleep(1000);
    close(unread->own_stderr);
    g_free(unread);
    return 0;
}

static void *read_all(void *data)
{
    const Unread *unread = data;
    GString *text = g_string_new(NULL);
    char octets[65536];
    ssize_t length;

    while ((length = read(unread->reader, octets, sizeof octets)) > 0)
        g_string_append_len(text, octets, length);
    return g_string_free(text, FALSE);
}

static guint count_of(const char *text, const char *word)
{
    g_auto(GStrv) parts = g_strsplit(text, word, -1);

    return g_strv_length(parts) - 1;
}

static void test_order(void **state)
{
    Unread *unread = *state;
    g_autofree char *text = NULL;

    log_write(LOG_INFO, "first");
    log_write(LOG_INFO, "second");
    log_write(LOG_DEBUG, "unseen");
    for (int i = 0; i < 50; i++)
        log_queue_settle();
    stop(unread);
    text = read_all(unread);
    assert_string_equal(text, "test: first\ntest: second\n");
    assert_int_equal(log_queue_lost(), 0);
}

/* Three times what the queue takes. Nobody waits, what was kept arrives, and the rest is told of.
 */
static void test_unread(void **state)
{
    Unread *unread = *state;
    const guint64 lost_before = log_queue_lost();
    const guint written = 3 * LOG_QUEUE_MAX / 1000;
    g_autofree char *thousand = g_strnfill(1000, 'x');
    gint64 begin = g_get_monotonic_time();
    g_autofree char *note = NULL;
    g_autofree char *text = NULL;
    GThread *reader;
    guint64 lost;

    for (guint i = 0; i < written; i++)
        log_write(LOG_INFO, "%s", thousand);
    assert_true(g_get_monotonic_time() - begin < 60 * SECOND);
    lost = log_queue_lost() - lost_before;
    assert_true(lost > written / 2 && lost < written);
    reader = g_thread_new("reader", read_all, unread);
    for (int i = 0; i < 50; i++)
        log_queue_settle();
    stop(unread);
    text = g_thread_join(reader);
    assert_int_equal(count_of(text, thousand), written - lost);
    assert_int_equal(count_of(text, "lines were lost"), 1);
    note = g_strdup_printf("test: log: %" G_GUINT64_FORMAT " lines were lost", lost_before + lost);
    assert_non_null(strstr(text, note));
}

/* The end does not wait for a reader. */
static void test_end_of_an_unread_log(void **state)
{
    Unread *unread = *state;
    gint64 begin = g_get_monotonic_time();

    for (guint i = 0; i < 10000; i++)
        log_write(LOG_INFO, "line %u of many, of which a pipe takes some", i);
    stop(unread);
    assert_true(g_get_monotonic_time() - begin < 60 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_end_of_an_unread_log, set_up, tear_down),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
