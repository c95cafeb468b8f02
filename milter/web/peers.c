#include "config.h"

#include "web/peers.h"

#include <sys/socket.h>

#include "base/clock.h"

typedef struct {
    /* In the order of since. */
    GQueue peers;
    /* Microseconds that a peer may stay; 0: for ever. */
    gint64 time;
} Stage;

struct Peer {
    int socket;
    gint64 since;
    Stage *stage;
    /* In stage->peers. */
    GList link;
};

struct Peers {
    guint room;
    guint count;
    Stage asking;
    /* For our answer. */
    Stage waiting;
    Stage reading;
};

Peers *peers_new(guint room)
{
    Peers *peers = g_new0(Peers, 1);

    peers->room = room;
    peers->asking.time = PEERS_REQUEST_TIME * CLOCK_SECOND;
    peers->reading.time = PEERS_ANSWER_TIME * CLOCK_SECOND;
    return peers;
}

static void free_stage(Stage *stage)
{
    GList *link;

    while ((link = g_queue_pop_head_link(&stage->peers)) != NULL)
        g_free(link->data);
}

void peers_free(Peers *peers)
{
    free_stage(&peers->asking);
    free_stage(&peers->waiting);
    free_stage(&peers->reading);
    g_free(peers);
}

static void enter(Peer *peer, Stage *stage, gint64 now)
{
    peer->stage = stage;
    peer->since = now;
    g_queue_push_tail_link(&stage->peers, &peer->link);
}

static void leave(Peer *peer)
{
    g_queue_unlink(&peer->stage->peers, &peer->link);
}

Peer *peers_add(Peers *peers, int socket, gint64 now)
{
    Peer *peer = g_new0(Peer, 1);

    peer->socket = socket;
    peer->link.data = peer;
    enter(peer, &peers->asking, now);
    peers->count++;
    return peer;
}

void peers_remove(Peers *peers, Peer *peer)
{
    leave(peer);
    peers->count--;
    g_free(peer);
}

void peers_note_request(Peers *peers, Peer *peer)
{
    leave(peer);
    enter(peer, &peers->waiting, 0);
}

void peers_note_answer(Peers *peers, Peer *peer, gint64 now)
{
    leave(peer);
    enter(peer, &peers->reading, now);
}

void peers_note_end(Peers *peers, Peer *peer, gint64 now)
{
    leave(peer);
    enter(peer, &peers->asking, now);
}

guint peers_answering(const Peers *peers)
{
    return peers->waiting.peers.length + peers->reading.peers.length;
}

/* The peer is removed when the owner of its socket has seen the end. Until then it goes to the end
 * of its queue. */
static void cut_off(Peer *peer, gint64 now)
{
    Stage *stage = peer->stage;

    shutdown(peer->socket, SHUT_RDWR);
    leave(peer);
    enter(peer, stage, now);
}

static void sweep_stage(Stage *stage, gint64 now)
{
    const GList *first;

    while ((first = g_queue_peek_head_link(&stage->peers)) != NULL &&
           ((const Peer *)first->data)->since + stage->time <= now)
        cut_off(first->data, now);
}

static void make_room(Peers *peers, gint64 now)
{
    guint wanted = peers->room / 16;
    guint spare = peers->room > peers->count ? peers->room - peers->count : 0;

    for (; spare < wanted; spare++) {
        Peer *oldest = g_queue_peek_head(&peers->asking.peers);

        if (oldest == NULL || oldest->since + PEERS_GRACE_TIME * CLOCK_SECOND > now)
            return;
        cut_off(oldest, now);
    }
}

void peers_sweep(Peers *peers, gint64 now)
{
    sweep_stage(&peers->asking, now);
    sweep_stage(&peers->reading, now);
    make_room(peers, now);
}
