#ifndef SPFROM_WEB_PEERS_H
#define SPFROM_WEB_PEERS_H

#include <glib.h>

/*
 * The connections that are open, and how long each may take for what it is doing. A browser that
 * sends its request octet by octet, or does not read its answer, is cut off when its time is over;
 * where there is hardly any room left, the one that has been waited for longest makes some.
 *
 * Belongs to the thread that speaks HTTP.
 */
typedef struct Peers Peers;
typedef struct Peer Peer;

#define PEERS_REQUEST_TIME 10 /* seconds for a whole request, and between two of them */
#define PEERS_ANSWER_TIME 30  /* seconds to read an answer */
#define PEERS_GRACE_TIME 1    /* seconds before one has to make room */

/* room: how many connections there may be at once */
Peers *peers_new(guint room);
void peers_free(Peers *peers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peers, peers_free)

/* A connection came: its request is waited for. */
Peer *peers_add(Peers *peers, int socket, gint64 now);
void peers_remove(Peers *peers, Peer *peer);

/* Its request is there: we work at it as long as that takes. */
void peers_note_request(Peers *peers, Peer *peer);
/* Its answer is on its way. */
void peers_note_answer(Peers *peers, Peer *peer, gint64 now);
/* Its answer has been read: the next request is waited for. */
void peers_note_end(Peers *peers, Peer *peer, gint64 now);

/* How many wait for an answer or read one. */
guint peers_answering(const Peers *peers);

/* Shuts the sockets down whose time is over or that have to make room; who owns them then sees
 * their end. */
void peers_sweep(Peers *peers, gint64 now);
#endif
