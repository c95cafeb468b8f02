#ifndef SPFROM_WEB_PEERS_H
#define SPFROM_WEB_PEERS_H

#include <glib.h>

/*
 * The open connections, and how long each may take for what it does. A browser that sends its
 * request octet by octet, or does not read its answer, is cut off when its time is over. If there
 * is hardly any room left, the one that we have waited for longest is cut off, too.
 *
 * Belongs to the thread that speaks HTTP.
 */
typedef struct Peers Peers;
typedef struct Peer Peer;

/* Seconds for a whole request and between two of them, to read an answer, and before a connection
 * has to make room. */
#define PEERS_REQUEST_TIME 10
#define PEERS_ANSWER_TIME 30
#define PEERS_GRACE_TIME 1

/* room: how many connections there may be at once */
Peers *peers_new(guint room);
void peers_free(Peers *peers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peers, peers_free)

/* Adds a new connection, whose request we wait for. */
Peer *peers_add(Peers *peers, int socket, gint64 now);
void peers_remove(Peers *peers, Peer *peer);

/* Its request is complete. We work at it as long as that takes. */
void peers_note_request(Peers *peers, Peer *peer);
/* Its answer is on its way. */
void peers_note_answer(Peers *peers, Peer *peer, gint64 now);
/* It has read its answer. We wait for its next request. */
void peers_note_end(Peers *peers, Peer *peer, gint64 now);

/* The number of peers that wait for an answer or read one. */
guint peers_answering(const Peers *peers);

/* Shuts down the sockets whose time is over or that have to make room. Their owner then sees their
 * end. */
void peers_sweep(Peers *peers, gint64 now);
#endif
