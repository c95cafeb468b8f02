#include "config.h"

#include "returns/socketmap_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#include "unit/table.h"

#define PATIENCE 60000 /* milliseconds; only a failure takes that long */
#define CLIENTS 200

static struct sockaddr_in address;

static int listen_somewhere(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t length = sizeof address;

    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1024), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    return fd;
}

/* "known" is found, all else not. */
static void answer(void *hook, const char *key, gsize length, GString *text)
{
    g_atomic_int_inc((gint *)hook);
    if (key == NULL)
        g_string_append_printf(text, "NOTFOUND %" G_GSIZE_FORMAT, length);
    else if (length == 5 && memcmp(key, "known", 5) == 0)
        g_string_append(text, "OK somebody@a.example");
    else
        g_string_append_printf(text, "NOTFOUND %.*s", (int)length, key);
}

static gint asked;

static SocketmapServer *start(guint clients, gint64 idle_time)
{
    const SocketmapLimits limits = {clients, idle_time};
    SocketmapServer *server = socketmap_server_start(listen_somewhere(), &limits, answer, &asked);

    assert_non_null(server);
    return server;
}

static int connect_client(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    gsize length = strlen(text);

    assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), length);
}

static bool wait_readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    return poll(&polled, 1, PATIENCE) == 1;
}

/* wanted comes next. */
static void hear(int fd, const char *wanted)
{
    gsize length = strlen(wanted);
    g_autofree char *heard = g_malloc0(length + 1);

    for (gsize at = 0; at < length;) {
        ssize_t part;

        assert_true(wait_readable(fd));
        part = recv(fd, heard + at, length - at, 0);
        if (part <= 0)
            fail_msg("closed after \"%s\"", heard);
        at += (gsize)part;
    }
    assert_string_equal(heard, wanted);
}

static void hear_end(int fd)
{
    char octet;

    assert_true(wait_readable(fd));
    assert_true(recv(fd, &octet, 1, 0) <= 0);
    close(fd);
}

static void test_answers(void **state)
{
    SocketmapServer *server = start(10, PATIENCE * CLOCK_MILLISECOND);
    int fd = connect_client();

    (void)state;
    say(fd, "12:return known,");
    hear(fd, "21:OK somebody@a.example,");
    say(fd, "9:other.1 x,3:x a,12:return known,3:");
    hear(fd, "10:NOTFOUND x,10:NOTFOUND a,21:OK somebody@a.example,");
    say(fd, "x b,");
    hear(fd, "10:NOTFOUND b,");
    say(fd, "3:x a,what"); /* what was asked before is answered */
    hear(fd, "10:NOTFOUND a,");
    hear_end(fd);
    socketmap_server_stop(server);
}

/* A client that has said all and closed its side gets all answers. */
static void test_half_closed(void **state)
{
    SocketmapServer *server = start(10, PATIENCE * CLOCK_MILLISECOND);
    int fd = connect_client();

    (void)state;
    say(fd, "3:x a,3:x b,");
    shutdown(fd, SHUT_WR);
    hear(fd, "10:NOTFOUND a,10:NOTFOUND b,");
    hear_end(fd);
    socketmap_server_stop(server);
}

static void test_megabyte(void **state)
{
    SocketmapServer *server = start(10, PATIENCE * CLOCK_MILLISECOND);
    g_autofree char *key = g_strnfill(1000000, 'k');
    g_autofree char *text = g_strdup_printf("1000002:x %s,3:x a,", key);
    int fd = connect_client();

    (void)state;
    say(fd, text);
    hear(fd, "16:NOTFOUND 1000000,10:NOTFOUND a,");
    close(fd);
    socketmap_server_stop(server);
}

/* Clients that never finish a request hold nobody up. */
static void test_slow_clients(void **state)
{
    SocketmapServer *server = start(CLIENTS + 1, PATIENCE * CLOCK_MILLISECOND);
    int slow[CLIENTS];
    int fd;

    (void)state;
    for (guint i = 0; i < CLIENTS; i++) {
        slow[i] = connect_client();
        say(slow[i], "12:ret");
    }
    fd = connect_client();
    say(fd, "12:return known,");
    hear(fd, "21:OK somebody@a.example,");
    for (guint i = 0; i < CLIENTS; i++) {
        say(slow[i], "urn known,");
        hear(slow[i], "21:OK somebody@a.example,");
        close(slow[i]);
    }
    close(fd);
    socketmap_server_stop(server);
}

/* One that asks and never reads its answers is not asked for more, and holds nobody up. */
static void test_unread_answers(void **state)
{
    SocketmapServer *server = start(10, PATIENCE * CLOCK_MILLISECOND);
    g_autofree char *key = g_strnfill(990, 'k');
    g_autofree char *text = g_strdup_printf("992:x %s,", key);
    int greedy = connect_client();
    int fd;
    gint before = g_atomic_int_get(&asked);
    guint sent = 0;

    (void)state;
    while (send(greedy, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) > 0 && sent < 100000)
        sent++;
    fd = connect_client();
    say(fd, "12:return known,");
    hear(fd, "21:OK somebody@a.example,");
    assert_true(sent < 100000);
    assert_true((guint)(g_atomic_int_get(&asked) - before) <= sent + 1);
    close(greedy);
    close(fd);
    socketmap_server_stop(server);
}

static void test_too_many(void **state)
{
    SocketmapServer *server = start(2, PATIENCE * CLOCK_MILLISECOND);
    int first = connect_client();
    int second, third;

    (void)state;
    say(first, "3:x a,");
    hear(first, "10:NOTFOUND a,");
    second = connect_client();
    say(second, "3:x a,");
    hear(second, "10:NOTFOUND a,");
    say(first, "3:x b,");
    hear(first, "10:NOTFOUND b,");
    third = connect_client();
    hear_end(second); /* it has asked nothing for the longest time */
    say(third, "3:x c,");
    hear(third, "10:NOTFOUND c,");
    say(first, "3:x c,");
    hear(first, "10:NOTFOUND c,");
    close(first);
    close(third);
    socketmap_server_stop(server);
}

static void test_idle(void **state)
{
    SocketmapServer *server = start(10, 50 * CLOCK_MILLISECOND);
    int fd = connect_client();
    int begun = connect_client();

    (void)state;
    say(begun, "12:ret");
    hear_end(fd);
    hear_end(begun);
    socketmap_server_stop(server);
}

#define FLOOD_CLIENTS 20
#define FLOOD_REQUESTS 50
#define FLOOD (FLOOD_CLIENTS * FLOOD_REQUESTS)
#define SLOW_ANSWER (5 * 1000) /* microseconds */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void answer_slowly(void *hook, const char *key, gsize length, GString *text)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    g_usleep(SLOW_ANSWER);
    answer(hook, key, length, text);
}

/* The end does not wait until all that was asked is answered. */
static void test_end_in_flood(void **state)
{
    const SocketmapLimits limits = {FLOOD_CLIENTS, PATIENCE * CLOCK_MILLISECOND};
    SocketmapServer *server =
        socketmap_server_start(listen_somewhere(), &limits, answer_slowly, &asked);
    int clients[FLOOD_CLIENTS];
    gint before = g_atomic_int_get(&asked);

    (void)state;
    assert_non_null(server);
    pthread_mutex_lock(&gate);
    for (guint i = 0; i < FLOOD_CLIENTS; i++) {
        clients[i] = connect_client();
        for (guint request = 0; request < FLOOD_REQUESTS; request++)
            say(clients[i], "3:x a,");
    }
    pthread_mutex_unlock(&gate);
    while (g_atomic_int_get(&asked) == before)
        g_usleep(1000);
    socketmap_server_stop(server);
    assert_true(g_atomic_int_get(&asked) - before < FLOOD / 2);
    for (guint i = 0; i < FLOOD_CLIENTS; i++)
        close(clients[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),        cmocka_unit_test(test_half_closed),
        cmocka_unit_test(test_megabyte),       cmocka_unit_test(test_slow_clients),
        cmocka_unit_test(test_unread_answers), cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_idle),           cmocka_unit_test(test_end_in_flood),
    };

    log_open("socketmap_server_test", LOG_TARGET_STDERR, LOG_ERR);
    return cmocka_run_group_tests_name("socketmap_server_test", tests, NULL, NULL);
}
