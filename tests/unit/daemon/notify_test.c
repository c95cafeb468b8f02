#include "config.h"

#include "daemon/notify.h"

#include "unit/table.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DATAGRAM_MAX 4096
#define ABSTRACT_SOCKET "@spfrom-notify-test" /* and our process's number */
#define LONGEST_NAME 107                      /* octets of sun_path, less one */

/* A service manager: what it hears, or NULL. */
static int manager_fd;

static char *manager_hears(void)
{
    char datagram[DATAGRAM_MAX];
    ssize_t length = recv(manager_fd, datagram, sizeof datagram, MSG_DONTWAIT);

    return length >= 0 ? g_strndup(datagram, (gsize)length) : NULL;
}

static void assert_heard(const char *wanted)
{
    g_autofree char *heard = manager_hears();

    if (wanted == NULL)
        assert_null(heard);
    else
        assert_string_equal(heard != NULL ? heard : "(nothing)", wanted);
}

/* Listens at name, as $NOTIFY_SOCKET has it. */
static void manager_open(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));

    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    else
        length++;
    manager_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(manager_fd >= 0);
    assert_int_equal(bind(manager_fd, (const struct sockaddr *)&address, length), 0);
    g_setenv("NOTIFY_SOCKET", name, TRUE);
}

static int manager_setup(void **state)
{
    g_autofree char *name = g_strdup_printf(ABSTRACT_SOCKET "-%d", (int)getpid());

    *state = NULL;
    manager_open(name);
    return 0;
}

static int manager_teardown(void **state G_GNUC_UNUSED)
{
    notify_close();
    close(manager_fd);
    g_unsetenv("NOTIFY_SOCKET");
    g_unsetenv("WATCHDOG_USEC");
    g_unsetenv("WATCHDOG_PID");
    return 0;
}

static void test_words(void **state G_GNUC_UNUSED)
{
    notify_open();
    notify_ready("log-only");
    assert_heard("READY=1\nSTATUS=log-only");
    notify_status("rewrite");
    assert_heard("STATUS=rewrite");
    notify_alive();
    assert_heard("WATCHDOG=1");
    notify_stopping();
    assert_heard("STOPPING=1");
    assert_heard(NULL);
}

static void test_status_is_one_line(void **state G_GNUC_UNUSED)
{
    notify_open();
    notify_status("a\nREADY=1\r\nb");
    assert_heard("STATUS=a READY=1  b");
}

static void test_path(void **state G_GNUC_UNUSED)
{
    g_autofree char *folder = g_dir_make_tmp("spfrom-notify-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "notify", NULL);

    close(manager_fd);
    manager_open(path);
    notify_open();
    notify_alive();
    assert_heard("WATCHDOG=1");
    unlink(path);
    rmdir(folder);
    notify_alive(); /* nobody is there any more */
}

static void test_nothing_is_left_in_the_environment(void **state G_GNUC_UNUSED)
{
    g_setenv("WATCHDOG_USEC", "1000", TRUE);
    notify_open();
    assert_null(g_getenv("NOTIFY_SOCKET"));
    assert_null(g_getenv("WATCHDOG_USEC"));
}

static void test_nobody(void **state G_GNUC_UNUSED)
{
    g_unsetenv("NOTIFY_SOCKET");
    g_setenv("WATCHDOG_USEC", "1000", TRUE);
    notify_open();
    notify_ready("rewrite");
    assert_heard(NULL);
    assert_true(notify_watchdog_interval() == 0);
}

/* Names that no socket has. */
static const struct name_row {
    const char *name;
    gsize length; /* filled up with "x" to this */
} name_rows[] = {
    {"", 0},
    {"/", 0},
    {"@", 0},
    {"relative/path", 0},
    {"vsock:2:1234", 0},
    {"/long", LONGEST_NAME + 1},
    {"@long", LONGEST_NAME + 1},
};

static void test_wrong_name(void **state)
{
    const struct name_row *row = *state;
    g_autoptr(GString) name = g_string_new(row->name);

    while (name->len < row->length)
        g_string_append_c(name, 'x');
    g_setenv("NOTIFY_SOCKET", name->str, TRUE);
    g_setenv("WATCHDOG_USEC", "1000", TRUE);
    notify_open();
    notify_ready("rewrite");
    assert_true(notify_watchdog_interval() == 0);
}

static const struct watchdog_row {
    const char *name;
    const char *interval;
    const char *pid; /* "own" is replaced */
    guint64 wanted;
} watchdog_rows[] = {
    {"no watchdog", NULL, NULL, 0},
    {"any process", "30000000", NULL, 30000000},
    {"this process", "30000000", "own", 30000000},
    {"another process", "30000000", "1", 0},
    {"no interval", "", "own", 0},
    {"an interval of nothing", "0", "own", 0},
    {"a negative interval", "-1", "own", 0},
    {"not a number", "1s", "own", 0},
    {"more than a number", "99999999999999999999", "own", 0},
};

static void test_watchdog(void **state)
{
    const struct watchdog_row *row = *state;
    g_autofree char *own = g_strdup_printf("%d", (int)getpid());

    manager_setup(state);
    if (row->interval != NULL)
        g_setenv("WATCHDOG_USEC", row->interval, TRUE);
    if (row->pid != NULL)
        g_setenv("WATCHDOG_PID", strcmp(row->pid, "own") == 0 ? own : row->pid, TRUE);
    notify_open();
    assert_true(notify_watchdog_interval() == row->wanted);
    manager_teardown(state);
}

static void add_with_manager(GArray *tests, const char *name, CMUnitTestFunction function)
{
    struct CMUnitTest test = {.name = g_strdup(name),
                              .test_func = function,
                              .setup_func = manager_setup,
                              .teardown_func = manager_teardown};

    g_array_append_val(tests, test);
}

static void add_names(GArray *tests)
{
    for (size_t i = 0; i < G_N_ELEMENTS(name_rows); i++) {
        g_autofree char *name =
            g_strdup_printf("no socket: \"%s\", %zu", name_rows[i].name, name_rows[i].length);

        table_add(tests, name, test_wrong_name, &name_rows[i]);
    }
}

int main(void)
{
    GArray *tests = table_new();

    add_with_manager(tests, "words", test_words);
    add_with_manager(tests, "a status is one line", test_status_is_one_line);
    add_with_manager(tests, "path", test_path);
    add_with_manager(tests, "environment", test_nothing_is_left_in_the_environment);
    add_with_manager(tests, "nobody", test_nobody);
    add_names(tests);
    TABLE_ADD(tests, watchdog_rows, test_watchdog);
    return table_run(tests, "notify");
}
