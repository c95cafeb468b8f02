#ifndef SPFROM_WEB_LISTEN_ADDRESS_H
#define SPFROM_WEB_LISTEN_ADDRESS_H

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>

#define LISTEN_ADDRESS_ERROR (listen_address_error_quark())
typedef enum { LISTEN_ADDRESS_ERROR_SYNTAX, LISTEN_ADDRESS_ERROR_SYSTEM } ListenAddressError;
GQuark listen_address_error_quark(void);

#define LISTEN_DEFAULT_ADDRESS "127.0.0.1"
#define LISTEN_DEFAULT_PORT "8895"

typedef struct {
    struct sockaddr_storage address;
    socklen_t length;
} ListenAddress;

/*
 * Reads "ADDRESS:PORT", "[ADDRESS]:PORT", "ADDRESS", "PORT" or ":PORT". A missing part has its
 * default; "localhost" and "*" are addresses, too. Returns true if address was set. If not, error
 * (LISTEN_ADDRESS_ERROR) says what to write.
 */
bool listen_address_parse(const char *text, ListenAddress *address, GError **error);

/* Returns a socket that listens there, or -1 with error set. */
int listen_address_open(const ListenAddress *address, GError **error);

/* Sets address to that of our end of socket. Returns false if it has none. */
bool listen_address_of(int socket, ListenAddress *address);

/* The address alone, and "http://…/", owned by the caller. */
char *listen_address_host(const ListenAddress *address);
char *listen_address_url(const ListenAddress *address);
bool listen_address_is_loopback(const ListenAddress *address);
#endif
