#include "config.h"

#include "control/control_connection.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#include "unit/table.h"

#define LINE_MAX_OCTETS 4

static const ControlLimits limits = {1, LINE_MAX_OCTETS, CLOCK_SECOND, CLOCK_SECOND};

/* What comes out of octets, in this order: lines in brackets, "!" for one that was too long, "+"
 * for a line that has begun. */
static const struct row {
    const char *name; /* what comes, in pieces of one octet and as a whole */
    bool is_ended;
    const char *out;
} rows[] = {
    {"", false, ""},
    {"", true, ""},
    {"ab", false, "+"},
    {"ab", true, "[ab]"},
    {"ab\n", false, "[ab]"},
    {"ab\r\n", false, "[ab]"},
    {"a\rb\n", false, "[a\rb]"},
    {"\n", false, "[]"},
    {"\r\n", false, "[]"},
    {"\r", true, "[]"},
    {"ab\ncd\n", false, "[ab][cd]"},
    {"ab\ncd", false, "[ab]+"},
    {"ab\ncd", true, "[ab][cd]"},
    {"abcd\n", false, "[abcd]"},
    {"abcd\r\n", false, "[abcd]"},
    {"abcd", true, "[abcd]"},
    {"abcde\n", false, "!"},
    {"abcde", false, "+"},
    {"abcde", true, "!"},
    {"abcdefghijkl", false, "+"},
    {"abcdefghijkl", true, "!"},
    {"abcdefghijkl\nab\n", false, "![ab]"},
    {"ab\nabcdefghijkl\ncd\n", false, "[ab]![cd]"},
    {"abcdefghijkl\nabcdefghijkl\n", false, "!!"},
};

/* A connection with its client's end. */
typedef struct {
    ControlConnection *connection;
    int client;
} Pair;

static Pair pair_new(void)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    return (Pair){control_connection_new(1, ends[0], &limits), ends[1]};
}

static void pair_close(Pair *pair)
{
    control_connection_free(pair->connection);
    close(pair->client);
}

/* What the client sends, read at once. */
static void pair_send(const Pair *pair, const char *octets, gsize length)
{
    assert_int_equal(send(pair->client, octets, length, MSG_NOSIGNAL), length);
    assert_true(control_connection_read(pair->connection));
}

static void pair_end(const Pair *pair)
{
    shutdown(pair->client, SHUT_WR);
    assert_true(control_connection_read(pair->connection));
    assert_true(pair->connection->is_ended);
}

/* Takes all lines that are there, each with its answer. */
static void drain(ControlConnection *connection, GString *out)
{
    g_autoptr(GString) line = g_string_new(NULL);
    ControlConnectionOutcome outcome;

    while ((outcome = control_connection_take(connection, line)) != CONTROL_CONNECTION_NONE) {
        if (outcome == CONTROL_CONNECTION_LINE)
            g_string_append_printf(out, "[%s]", line->str);
        else
            g_string_append_c(out, '!');
        control_connection_say(connection, "");
        assert_true(control_connection_write(connection));
    }
}

static char *read_in_pieces(const struct row *row, gsize piece)
{
    g_autoptr(GString) out = g_string_new(NULL);
    gsize length = strlen(row->name);
    Pair pair = pair_new();

    for (gsize at = 0; at < length; at += piece) {
        pair_send(&pair, row->name + at, MIN(piece, length - at));
        drain(pair.connection, out);
        assert_true(pair.connection->input->len <= LINE_MAX_OCTETS + 1);
    }
    if (row->is_ended)
        pair_end(&pair);
    drain(pair.connection, out);
    if (control_connection_has_part(pair.connection))
        g_string_append_c(out, '+');
    assert_int_equal(control_connection_is_done(pair.connection), row->is_ended);
    pair_close(&pair);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void test_lines(void **state)
{
    const struct row *row = *state;

    for (gsize piece = 1; piece <= MAX(strlen(row->name), 1); piece++) {
        g_autofree char *out = read_in_pieces(row, piece);

        assert_string_equal(out, row->out);
    }
}

static void test_nul(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) line = g_string_new(NULL);
    Pair pair = pair_new();

    pair_send(&pair, "a\0b\n", 4);
    assert_int_equal(control_connection_take(pair.connection, line), CONTROL_CONNECTION_LINE);
    assert_int_equal(line->len, 3);
    assert_memory_equal(line->str, "a\0b", 3);
    pair_close(&pair);
}

/* One line is under way at a time; the next one waits until the answer is sent. */
static void test_turns(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) line = g_string_new(NULL);
    Pair pair = pair_new();
    ControlConnection *connection = pair.connection;

    pair_send(&pair, "a\nb\n", 4);
    assert_int_equal(control_connection_events(connection), POLLIN);
    assert_int_equal(control_connection_take(connection, line), CONTROL_CONNECTION_LINE);
    assert_int_equal(control_connection_events(connection), 0);
    assert_int_equal(control_connection_take(connection, line), CONTROL_CONNECTION_NONE);
    control_connection_say(connection, "answer");
    assert_int_equal(control_connection_events(connection), POLLOUT);
    assert_int_equal(control_connection_take(connection, line), CONTROL_CONNECTION_NONE);
    assert_true(control_connection_write(connection));
    assert_int_equal(control_connection_take(connection, line), CONTROL_CONNECTION_LINE);
    assert_string_equal(line->str, "b");
    pair_close(&pair);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_lines);
    table_add(tests, "a NUL is an octet", test_nul, NULL);
    table_add(tests, "one line at a time", test_turns, NULL);
    return table_run(tests, "control_connection");
}
