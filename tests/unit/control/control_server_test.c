#include "config.h"

#include "control/control_server.h"

#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/control_client.h"
#include "daemon/unix_socket.h"
#include "base/worker.h"

#include "unit/table.h"

#define PATIENCE 60000 /* milliseconds; only a failure takes that long */
#define CLIENTS 8
#define LINE 64

static char *directory;
static char *path;
static ControlServer *server;
static GPtrArray *stopped; /* servers, which a late answer may still come to */
static Worker *worker;

static void answer_later(void *data)
{
    ControlCaller *caller = data;
    json_t *answer = json_object();

    json_object_set_new(answer, "ok", json_true());
    json_object_set_new(answer, "later", json_true());
    control_server_answer(caller, answer);
    g_free(caller);
}

/* "later": by another thread; "never": not at all; "none": no memory; else the line comes back. */
static void on_line(const ControlCaller *caller, const char *line, gsize length)
{
    g_autofree char *text = g_strndup(line, length);
    json_t *answer;

    if (strcmp(text, "never") == 0)
        return;
    if (strcmp(text, "later") == 0) {
        worker_post(worker, answer_later, g_memdup2(caller, sizeof *caller));
        return;
    }
    if (strcmp(text, "none") == 0) {
        control_server_answer(caller, NULL);
        return;
    }
    answer = json_object();
    json_object_set_new(answer, "ok", json_true());
    json_object_set_new(answer, "line", json_string(text));
    control_server_answer(caller, answer);
}

static void start(gint64 line_time, gint64 idle_time)
{
    const ControlLimits limits = {CLIENTS, LINE, line_time, idle_time};
    int fd = unix_socket_listen(path, (uid_t)-1, (gid_t)-1, NULL);

    assert_true(fd >= 0);
    server = control_server_start(fd, &limits, on_line);
    assert_non_null(server);
}

static int set_up(void **state G_GNUC_UNUSED)
{
    directory = g_dir_make_tmp("spfrom-control-XXXXXX", NULL);
    path = g_build_filename(directory, "control.sock", NULL);
    if (worker == NULL)
        worker = worker_start("worker", NULL);
    if (stopped == NULL)
        stopped = g_ptr_array_new();
    return 0;
}

static int tear_down(void **state G_GNUC_UNUSED)
{
    if (server != NULL) {
        control_server_stop(server);
        g_ptr_array_add(stopped, server);
    }
    g_unlink(path);
    g_rmdir(directory);
    g_clear_pointer(&path, g_free);
    g_clear_pointer(&directory, g_free);
    return 0;
}

static int connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads one line, without its end; "" where the server has closed. */
static void assert_heard(int fd, const char *wanted)
{
    g_autoptr(GString) line = g_string_new(NULL);
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    char octet = 0;

    while (octet != '\n') {
        assert_int_equal(poll(&polled, 1, PATIENCE), 1);
        if (recv(fd, &octet, 1, 0) <= 0)
            break;
        if (octet != '\n')
            g_string_append_c(line, octet);
    }
    assert_string_equal(line->str, wanted);
}

static void test_lines(void **state G_GNUC_UNUSED)
{
    int fd;

    start(CLOCK_SECOND * 3600, CLOCK_SECOND * 3600);
    fd = connect_client();
    say(fd, "a\n");
    assert_heard(fd, "{\"ok\":true,\"line\":\"a\"}");
    say(fd, "b");
    say(fd, "c\r\nlater\nd\n");
    assert_heard(fd, "{\"ok\":true,\"line\":\"bc\"}");
    assert_heard(fd, "{\"ok\":true,\"later\":true}");
    assert_heard(fd, "{\"ok\":true,\"line\":\"d\"}");
    say(fd, "none\n");
    assert_heard(fd, "{\"ok\":false,\"error\":\"the daemon has no memory for an answer\"}");
    close(fd);
}

static void test_half_closed(void **state G_GNUC_UNUSED)
{
    int fd;

    start(CLOCK_SECOND * 3600, CLOCK_SECOND * 3600);
    fd = connect_client();
    say(fd, "a\nb");
    shutdown(fd, SHUT_WR);
    assert_heard(fd, "{\"ok\":true,\"line\":\"a\"}");
    assert_heard(fd, "{\"ok\":true,\"line\":\"b\"}");
    assert_heard(fd, "");
    close(fd);
}

static void test_overlong(void **state G_GNUC_UNUSED)
{
    g_autofree char *octets = g_strnfill(1 << 20, 'x');
    int fd;

    start(CLOCK_SECOND * 3600, CLOCK_SECOND * 3600);
    fd = connect_client();
    say(fd, octets);
    say(fd, "\na\n");
    assert_heard(fd, "{\"ok\":false,\"error\":\"a line has at most 64 octets\"}");
    assert_heard(fd, "{\"ok\":true,\"line\":\"a\"}");
    close(fd);
}

static void test_half_line(void **state G_GNUC_UNUSED)
{
    int fd;

    start(CLOCK_SECOND / 20, CLOCK_SECOND * 3600);
    fd = connect_client();
    say(fd, "a");
    assert_heard(fd,
                 "{\"ok\":false,\"error\":\"no whole line came in time; a line ends with LF\"}");
    assert_heard(fd, "");
    close(fd);
}

static void test_idle(void **state G_GNUC_UNUSED)
{
    int waiting;
    int fd;

    start(CLOCK_SECOND * 3600, CLOCK_SECOND / 20);
    waiting = connect_client();
    say(waiting, "never\n"); /* its time does not count */
    fd = connect_client();
    assert_heard(fd, "{\"ok\":false,\"error\":\"no command came for a while\"}");
    assert_heard(fd, "");
    assert_int_equal(recv(waiting, &fd, 1, MSG_DONTWAIT), -1);
    close(fd);
    close(waiting);
}

/* Who does not read its answer is closed, and nobody waits for it. */
static void test_deaf(void **state G_GNUC_UNUSED)
{
    int deaf;
    int fd;

    start(CLOCK_SECOND / 20, CLOCK_SECOND * 3600);
    deaf = connect_client();
    for (int i = 0; i < 100000 && send(deaf, "abcdefghij\n", 11, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;)
        i++;
    fd = connect_client();
    say(fd, "a\n");
    assert_heard(fd, "{\"ok\":true,\"line\":\"a\"}");
    close(fd);
    close(deaf);
}

/* One more than there may be closes the one that was silent longest. */
static void test_crowd(void **state G_GNUC_UNUSED)
{
    int fds[CLIENTS + 1];

    start(CLOCK_SECOND * 3600, CLOCK_SECOND * 3600);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = connect_client();
        say(fds[i], "a\n");
        assert_heard(fds[i], "{\"ok\":true,\"line\":\"a\"}");
    }
    say(fds[0], "b\n");
    assert_heard(fds[0], "{\"ok\":true,\"line\":\"b\"}");
    fds[CLIENTS] = connect_client();
    say(fds[CLIENTS], "c\n");
    assert_heard(fds[CLIENTS], "{\"ok\":true,\"line\":\"c\"}");
    assert_heard(fds[1], "{\"ok\":false,\"error\":\"too many connections; the one that was silent "
                         "longest is closed\"}");
    assert_heard(fds[1], "");
    say(fds[0], "d\n");
    assert_heard(fds[0], "{\"ok\":true,\"line\":\"d\"}");
    for (int i = 0; i <= CLIENTS; i++)
        close(fds[i]);
}

/* An answer comes after its client has gone, or after the stop. */
static void test_too_late(void **state G_GNUC_UNUSED)
{
    int fd;

    start(CLOCK_SECOND * 3600, CLOCK_SECOND * 3600);
    for (int i = 0; i < 100; i++) {
        fd = connect_client();
        say(fd, "later\n");
        close(fd);
    }
    fd = connect_client();
    say(fd, "a\n");
    assert_heard(fd, "{\"ok\":true,\"line\":\"a\"}");
    close(fd);
}

static void test_client(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    const ControlRequest request = {.command = CONTROL_RELOAD};
    json_t *answer;

    start(CLOCK_SECOND * 3600, CLOCK_SECOND * 3600);
    answer = control_client_ask(path, &request, 60, &error);
    assert_null(error);
    assert_null(control_client_refusal(answer));
    assert_string_equal(json_string_value(json_object_get(answer, "line")),
                        "{\"command\":\"reload\"}");
    json_decref(answer);
}

static void test_no_server(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    const ControlRequest request = {.command = CONTROL_STATUS};
    int fd;

    server = NULL;
    assert_null(control_client_ask(path, &request, 60, &error));
    assert_true(g_error_matches(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_ABSENT));
    g_clear_error(&error);
    fd = unix_socket_listen(path, (uid_t)-1, (gid_t)-1, NULL);
    assert_true(fd >= 0);
    assert_null(control_client_ask(path, &request, 0, &error)); /* listens, and never answers */
    assert_true(g_error_matches(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_SILENT));
    g_clear_error(&error);
    close(fd);
    assert_null(control_client_ask(path, &request, 60, &error));
    assert_true(g_error_matches(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_ABSENT));
}

#define AT_ONCE 8
#define ROUNDS 100

static void *listen_there(void *there)
{
    return GINT_TO_POINTER(unix_socket_listen(there, (uid_t)-1, (gid_t)-1, NULL));
}

/* Several that begin at once, where a socket was left over: one of them has it. */
static void test_opened_at_once(void **state G_GNUC_UNUSED)
{
    g_autofree char *there = g_build_filename(directory, "at-once", NULL);

    unix_socket_error_quark(); /* made while there is one thread */
    server = NULL;
    close(unix_socket_listen(there, (uid_t)-1, (gid_t)-1, NULL));
    for (int round = 0; round < ROUNDS; round++) {
        GThread *threads[AT_ONCE];
        int fds[AT_ONCE];
        int listening = 0;

        for (int i = 0; i < AT_ONCE; i++)
            threads[i] = g_thread_new("daemon", listen_there, there);
        for (int i = 0; i < AT_ONCE; i++)
            fds[i] = GPOINTER_TO_INT(g_thread_join(threads[i]));
        for (int i = 0; i < AT_ONCE; i++)
            listening += fds[i] >= 0 && close(fds[i]) == 0;
        assert_int_equal(listening, 1);
    }
    assert_int_equal(g_unlink(there), 0);
}

/* A socket of another kind, which its owner still reads. */
static void test_of_another_kind(void **state G_GNUC_UNUSED)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autofree char *there = g_build_filename(directory, "log", NULL);
    g_autoptr(GError) error = NULL;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    server = NULL;
    g_strlcpy(address.sun_path, there, sizeof address.sun_path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(unix_socket_listen(there, (uid_t)-1, (gid_t)-1, &error), -1);
    assert_true(g_error_matches(error, UNIX_SOCKET_ERROR, UNIX_SOCKET_ERROR_PATH));
    assert_int_equal(access(there, F_OK), 0);
    close(fd);
    fd = unix_socket_listen(there, (uid_t)-1, (gid_t)-1, NULL);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(g_unlink(there), 0);
}

static void test_long_path(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = g_strnfill(200, 'x');
    g_autofree char *long_path = g_build_filename(directory, name, NULL);
    const ControlRequest request = {.command = CONTROL_STATUS};

    server = NULL;
    assert_int_equal(unix_socket_listen(long_path, (uid_t)-1, (gid_t)-1, &error), -1);
    assert_non_null(strstr(error->message, "too long"));
    g_clear_error(&error);
    assert_null(control_client_ask(long_path, &request, 60, &error));
    assert_non_null(error);
}

static const struct test_row {
    const char *name;
    CMUnitTestFunction function;
} test_rows[] = {
    {"lines", test_lines},
    {"the last line has no end", test_half_closed},
    {"a line that is too long", test_overlong},
    {"half a line", test_half_line},
    {"no line", test_idle},
    {"an answer that nobody reads", test_deaf},
    {"one connection too much", test_crowd},
    {"an answer that comes too late", test_too_late},
    {"the client", test_client},
    {"the client without a server", test_no_server},
    {"opened at once", test_opened_at_once},
    {"a socket of another kind", test_of_another_kind},
    {"a path that is too long", test_long_path},
};

int main(void)
{
    GArray *tests = table_new();
    struct CMUnitTest test = {.setup_func = set_up, .teardown_func = tear_down};

    for (size_t i = 0; i < G_N_ELEMENTS(test_rows); i++) {
        test.name = g_strdup(test_rows[i].name);
        test.test_func = test_rows[i].function;
        g_array_append_val(tests, test);
    }
    return table_run(tests, "control_server");
}
