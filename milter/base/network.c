#include "config.h"

#include "base/network.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#define MAPPED_PREFIX 96 /* bits before the IPv4 address of ::ffff:a.b.c.d */

G_DEFINE_QUARK(spfrom_network_error, network_error)

static guint8 bits_of(int family)
{
    return family == AF_INET ? 32 : 128;
}

/* The octet at index of a mask of length bits. */
static guint8 mask_octet(guint8 length, guint index)
{
    guint whole = length / 8;

    if (index < whole)
        return 0xff;
    if (index > whole)
        return 0;
    return (guint8)(0xff00 >> (length % 8));
}

static void clear_host_bits(Network *network)
{
    for (guint i = 0; i < sizeof network->octets; i++)
        network->octets[i] &= mask_octet(network->length, i);
}

static void unmap(Network *network)
{
    static const guint8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (network->family != AF_INET6 || network->length < MAPPED_PREFIX ||
        memcmp(network->octets, mapped, sizeof mapped) != 0)
        return;
    memmove(network->octets, network->octets + sizeof mapped, 4);
    memset(network->octets + 4, 0, sizeof network->octets - 4);
    network->family = AF_INET;
    network->length = (guint8)(network->length - MAPPED_PREFIX);
}

/* Reads the digits behind the slash; -1 if they are no number up to bits. */
static int parse_length(const char *text, guint8 bits)
{
    size_t digits = strspn(text, "0123456789");
    gint64 length = g_ascii_strtoll(text, NULL, 10);

    if (digits == 0 || digits > 3 || text[digits] != '\0' || length > bits)
        return -1;
    if (text[0] == '0' && digits > 1)
        return -1;
    return (int)length;
}

static bool parse(const char *text, Network *network)
{
    g_autofree char *address = NULL;
    const char *slash = strchr(text, '/');
    int length;
    Network whole;

    if (strlen(text) >= NETWORK_TEXT_MAX)
        return false;
    memset(network, 0, sizeof *network);
    address = slash != NULL ? g_strndup(text, (gsize)(slash - text)) : g_strdup(text);
    network->family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
    if (inet_pton(network->family, address, network->octets) != 1)
        return false;
    length = slash != NULL ? parse_length(slash + 1, bits_of(network->family))
                           : bits_of(network->family);
    if (length < 0)
        return false;
    network->length = (guint8)length;
    whole = *network;
    clear_host_bits(network);
    if (!network_is_equal(&whole, network))
        return false;
    unmap(network);
    return true;
}

bool network_parse(const char *text, Network *network, GError **error)
{
    g_autofree char *shown = NULL;

    if (parse(text, network))
        return true;
    shown = g_utf8_make_valid(text, (gssize)strnlen(text, NETWORK_TEXT_MAX));
    g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_SYNTAX,
                "\"%s\" is not a network; write it like 192.0.2.0/28", shown);
    return false;
}

Network network_from_octets(int family, const guint8 *octets)
{
    Network network = {.family = (guint8)family, .length = bits_of(family)};

    memcpy(network.octets, octets, network.length / 8);
    unmap(&network);
    return network;
}

bool network_from_sockaddr(const struct sockaddr *address, Network *network)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

        *network = network_from_octets(AF_INET, (const guint8 *)&in->sin_addr);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;

        *network = network_from_octets(AF_INET6, in6->sin6_addr.s6_addr);
        return true;
    }
    return false;
}

guint8 network_bits(const Network *network)
{
    return bits_of(network->family);
}

const char *network_text(const Network *network, char text[NETWORK_TEXT_MAX])
{
    inet_ntop(network->family, network->octets, text, NETWORK_TEXT_MAX);
    if (network->length < network_bits(network)) {
        size_t length = strlen(text);

        g_snprintf(text + length, (gulong)(NETWORK_TEXT_MAX - length), "/%u", network->length);
    }
    return text;
}

bool network_is_equal(const Network *a, const Network *b)
{
    return a->family == b->family && a->length == b->length &&
           memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

bool network_contains(const Network *outer, const Network *inner)
{
    guint whole = outer->length / 8;
    guint8 rest;

    if (outer->family != inner->family || outer->length > inner->length)
        return false;
    if (memcmp(outer->octets, inner->octets, whole) != 0)
        return false;
    if (outer->length % 8 == 0)
        return true;
    rest = mask_octet(outer->length, whole);
    return (inner->octets[whole] & rest) == outer->octets[whole];
}

Network network_shortened(const Network *network, guint8 length)
{
    Network shortened = *network;

    shortened.length = MIN(length, network->length);
    clear_host_bits(&shortened);
    return shortened;
}

void network_split(const Network *network, Network halves[2])
{
    halves[0] = *network;
    halves[0].length++;
    halves[1] = halves[0];
    halves[1].octets[network->length / 8] |= (guint8)(0x80 >> (network->length % 8));
}

static bool is_within(const Network *ranges, gsize count, const Network *network)
{
    for (gsize i = 0; i < count; i++)
        if (network_contains(&ranges[i], network))
            return true;
    return false;
}

bool network_is_house(const Network *network)
{
    static const Network ranges[] = {
        {{10}, 8, AF_INET},           /* RFC 1918 */
        {{127}, 8, AF_INET},          /* loopback */
        {{169, 254}, 16, AF_INET},    /* link-local */
        {{172, 16}, 12, AF_INET},     /* RFC 1918 */
        {{192, 168}, 16, AF_INET},    /* RFC 1918 */
        {{[15] = 1}, 128, AF_INET6},  /* loopback */
        {{0xfc}, 7, AF_INET6},        /* ULA */
        {{0xfe, 0x80}, 10, AF_INET6}, /* link-local */
    };

    return is_within(ranges, G_N_ELEMENTS(ranges), network);
}

bool network_is_private(const Network *network)
{
    static const Network ranges[] = {
        {{0}, 8, AF_INET},        /* this host */
        {{100, 64}, 10, AF_INET}, /* CGNAT */
        {{0}, 128, AF_INET6},     /* unspecified */
    };

    return network_is_house(network) || is_within(ranges, G_N_ELEMENTS(ranges), network);
}

void network_add_interfaces(GArray *addresses)
{
    struct ifaddrs *list = NULL;

    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
        Network address;

        if (at->ifa_addr == NULL || (at->ifa_flags & IFF_UP) == 0 ||
            (at->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        if (network_from_sockaddr(at->ifa_addr, &address))
            g_array_append_val(addresses, address);
    }
    freeifaddrs(list);
}
