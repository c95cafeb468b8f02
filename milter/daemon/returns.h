#ifndef SPFROM_DAEMON_RETURNS_H
#define SPFROM_DAEMON_RETURNS_H

#include <glib.h>
#include <stdbool.h>

#include "daemon/privileges.h"
#include "fleet/fleet.h"
#include "policy/settings.h"
#include "returns/return_store.h"

/*
 * The way back (design section 19) in the daemon: the store of return addresses, and return_socket,
 * where the MTA asks which author an address leads to. Both run once a token is in force anywhere.
 *
 * Lock protocol: one lock inside guards which store and server there are; it is not held while a
 * file, a socket or a thread is waited for.
 */
#define RETURNS_ERROR (returns_error_quark())
typedef enum { RETURNS_ERROR_SOCKET } ReturnsError;
GQuark returns_error_quark(void);

/* Call before privileges are dropped: makes the socket with its permissions, if a token is in
 * force. */
bool returns_open(Settings *settings, const Privileges *privileges, GError **error);

/* In a fleet, return addresses are told to the other hosts. take_fleet gives a new reference of the
 * fleet in force; NULL: none. Call it before returns_start(). */
void returns_share(Fleet *(*take_fleet)(void));

/* Starts what settings need, at the start and after each reload. What can't be had then is logged.
 * Returns false if there can be no thread. */
bool returns_start(Settings *settings);

/* Borrowed until the program ends; NULL: no token was in force yet. */
ReturnStore *returns_store(void);

typedef struct {
    char *socket;                    /* NULL: nobody is answered */
    char *file;                      /* return.db; NULL: no token was in force yet */
    guint64 found, unknown, trouble; /* questions at the socket, by outcome */
    bool has_begun;                  /* returns_start() is over: before, store says nothing */
    ReturnStoreStatus store;
} ReturnsStatus;
void returns_status(ReturnsStatus *status);
void returns_status_clear(ReturnsStatus *status);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ReturnsStatus, returns_status_clear)

/* Closes the socket, and writes what waits. */
void returns_stop(void);
#endif
