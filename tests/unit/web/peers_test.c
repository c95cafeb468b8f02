#include "config.h"

#include "web/peers.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#include "unit/table.h"

/* A connection: we hold both ends, and see whether ours was shut down. */
typedef struct {
    int ends[2];
    Peer *peer;
} Connection;

static Connection connect_to(Peers *peers, gint64 now)
{
    Connection connection;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, connection.ends), 0);
    connection.peer = peers_add(peers, connection.ends[0], now);
    return connection;
}

static bool is_cut_off(const Connection *connection)
{
    char octet;

    return recv(connection->ends[1], &octet, 1, 0) == 0;
}

static void end(Peers *peers, Connection *connection)
{
    peers_remove(peers, connection->peer);
    close(connection->ends[0]);
    close(connection->ends[1]);
}

static void test_request_in_time(void **state)
{
    g_autoptr(Peers) peers = peers_new(100);
    gint64 limit = PEERS_REQUEST_TIME * CLOCK_SECOND;
    Connection slow = connect_to(peers, 0);
    Connection later = connect_to(peers, 1);

    (void)state;
    peers_sweep(peers, limit - 1);
    assert_false(is_cut_off(&slow));
    peers_sweep(peers, limit);
    assert_true(is_cut_off(&slow));
    assert_false(is_cut_off(&later));
    end(peers, &slow);
    end(peers, &later);
}

static void test_our_own_time_does_not_count(void **state)
{
    g_autoptr(Peers) peers = peers_new(100);
    Connection one = connect_to(peers, 0);
    gint64 late = 1000 * CLOCK_SECOND;

    (void)state;
    peers_note_request(peers, one.peer);
    peers_sweep(peers, late);
    assert_false(is_cut_off(&one));
    assert_int_equal(peers_answering(peers), 1);
    peers_note_answer(peers, one.peer, late);
    peers_sweep(peers, late + PEERS_ANSWER_TIME * CLOCK_SECOND - 1);
    assert_false(is_cut_off(&one));
    peers_note_end(peers, one.peer, late);
    assert_int_equal(peers_answering(peers), 0);
    peers_sweep(peers, late + PEERS_REQUEST_TIME * CLOCK_SECOND);
    assert_true(is_cut_off(&one));
    end(peers, &one);
}

static void test_answer_in_time(void **state)
{
    g_autoptr(Peers) peers = peers_new(100);
    Connection one = connect_to(peers, 0);

    (void)state;
    peers_note_request(peers, one.peer);
    peers_note_answer(peers, one.peer, 5);
    peers_sweep(peers, 5 + PEERS_ANSWER_TIME * CLOCK_SECOND);
    assert_true(is_cut_off(&one));
    end(peers, &one);
}

#define ROOM 32
#define SPARE (ROOM / 16)

/* The oldest that we wait for makes room, and never one whose request we work at. */
static void test_room(void **state)
{
    g_autoptr(Peers) peers = peers_new(ROOM);
    Connection all[ROOM];
    gint64 now = PEERS_GRACE_TIME * CLOCK_SECOND;
    guint cut_off = 0;

    (void)state;
    for (int i = 0; i < ROOM; i++)
        all[i] = connect_to(peers, i);
    peers_note_request(peers, all[0].peer);
    peers_sweep(peers, now);
    for (int i = 0; i < ROOM; i++)
        cut_off += is_cut_off(&all[i]);
    assert_int_equal(cut_off, 0); /* nobody's grace is over, but for the first that is served */
    peers_sweep(peers, now + ROOM);
    for (int i = 0; i < ROOM; i++)
        assert_int_equal(is_cut_off(&all[i]), i >= 1 && i <= SPARE);
    for (int i = 0; i < ROOM; i++)
        end(peers, &all[i]);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "a request in time", test_request_in_time, NULL);
    table_add(tests, "our own time does not count", test_our_own_time_does_not_count, NULL);
    table_add(tests, "an answer in time", test_answer_in_time, NULL);
    table_add(tests, "room", test_room, NULL);
    return table_run(tests, "peers");
}
