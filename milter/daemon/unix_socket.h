#ifndef SPFROM_DAEMON_UNIX_SOCKET_H
#define SPFROM_DAEMON_UNIX_SOCKET_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#define UNIX_SOCKET_ERROR (unix_socket_error_quark())
typedef enum { UNIX_SOCKET_ERROR_PATH } UnixSocketError;
GQuark unix_socket_error_quark(void);

/*
 * A socket that was bound and does not listen yet looks like one that nobody listens on any more.
 * So of two daemons that begin at once each opens its socket in its turn: this waits until no other
 * one is at it in the folder of path, for some seconds at most.
 *
 * Returns a descriptor, which the caller closes once its socket listens; -1: there are no turns in
 * that folder.
 */
int unix_socket_take_turn(const char *path);

/*
 * In the caller's turn, makes way for a socket at path: one that nobody listens on any more is
 * removed; one that somebody does, or a file of another kind, stays, and is error
 * (UNIX_SOCKET_ERROR), which begins with path.
 */
bool unix_socket_make_way(const char *path, GError **error);

/*
 * Gives the socket at path this mode, owner and group, as far as it does not have them; -1: as it
 * is. Neither this nor the next may be called with root's rights if another account can write to
 * the folder: it could put another file in the socket's place (see privileges_enter()).
 */
bool unix_socket_permit(const char *path, mode_t mode, uid_t uid, gid_t gid, GError **error);

/*
 * Listens at path, for its owner and group alone (0660); uid and gid -1: as they come.
 * Returns the descriptor, which doesn't block, or -1 with error (UNIX_SOCKET_ERROR) set.
 */
int unix_socket_listen(const char *path, uid_t uid, gid_t gid, GError **error);
#endif
