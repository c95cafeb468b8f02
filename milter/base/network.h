#ifndef SPFROM_BASE_NETWORK_H
#define SPFROM_BASE_NETWORK_H

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>

/*
 * An IPv4 or IPv6 network as a value; an address is a network of full length. An IPv4-mapped IPv6
 * network
 * (::ffff:0:0/96 and below, RFC 4291 section 2.5.5.2) is read as the IPv4 network that it stands
 * for. Plain octets and not a GInetAddressMask: the proof over a whole network splits and compares
 * thousands of them on many threads.
 */
typedef struct {
    guint8 octets[16]; /* network order; IPv4 in the first four; bits behind length are 0 */
    guint8 length;     /* of the prefix, in bits */
    guint8 family;     /* AF_INET or AF_INET6 */
} Network;

#define NETWORK_TEXT_MAX 50 /* octets of the longest text, its NUL included */

#define NETWORK_ERROR (network_error_quark())
typedef enum { NETWORK_ERROR_SYNTAX } NetworkError;
GQuark network_error_quark(void);

/*
 * Reads "192.0.2.0/28", "2001:db8::/32" or an address. Bits set behind the prefix are an error.
 * Returns whether network was set; if not, error (NETWORK_ERROR) says what to write instead.
 */
bool network_parse(const char *text, Network *network, GError **error);

/* Sets network to the address in address, IPv4-mapped ones as IPv4. Returns false for another
 * family than IP. */
bool network_from_sockaddr(const struct sockaddr *address, Network *network);

/* Makes an address (a network of full length) of 4 or 16 octets in network order. */
Network network_from_octets(int family, const guint8 *octets);

/* The number of bits of an address of that network's family: 32 or 128. */
guint8 network_bits(const Network *network);

/* Writes network as text, an address without its length. Returns text. */
const char *network_text(const Network *network, char text[NETWORK_TEXT_MAX]);

bool network_is_equal(const Network *a, const Network *b);

/* Returns whether outer holds all of inner. False if they are of two families. */
bool network_contains(const Network *outer, const Network *inner);

/* Returns network cut to the first length bits of its address: the network of that length around
 * it. */
Network network_shortened(const Network *network, guint8 length);

/* Splits network, which is not a single address, into its lower and upper half. */
void network_split(const Network *network, Network halves[2]);

/* Returns whether network is of this house: loopback, RFC 1918, unique local (RFC 4193),
 * link-local. */
bool network_is_house(const Network *network);

/*
 * Returns whether the outside never sees network as a relay: it is of this house, CGNAT (RFC 6598,
 * shared with strangers) or unspecified. Documentation networks count as public (design section 7).
 */
bool network_is_private(const Network *network);

/* Appends the addresses (Network) of this host's interfaces that are up and not loopback, private
 * ones too. */
void network_add_interfaces(GArray *addresses);
#endif
