#include "config.h"

#include "advice/record/mend_value.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/domain_name.h"
#include "base/network.h"
#include "spf/record.h"

#define LENGTH_MAX 320

/* Without what may stand around it. */
static char *trim(const char *text)
{
    const char *scheme = strstr(text, "://");
    gsize length;

    if (scheme != NULL)
        text = scheme + strlen("://");
    text += strspn(text, ":= \t[");
    length = strlen(text);
    while (length > 0 && strchr(":=./] \t", text[length - 1]) != NULL)
        length--;
    return length <= LENGTH_MAX ? g_strndup(text, length) : NULL;
}

/* Reads a number of at most three digits, with leading zeros; -1 where it is none. */
static int octet_of(const char *text)
{
    gsize length = strspn(text, "0123456789");
    guint64 value;

    if (length == 0 || length > 3 || text[length] != '\0')
        return -1;
    value = g_ascii_strtoull(text, NULL, 10);
    return value <= 255 ? (int)value : -1;
}

/* "192.0.2.1", or with stars at the end "192.0.2.*". bits: set to 32, or 8 less for each star. */
static bool read_ip4(const char *text, guint8 octets[4], guint *bits)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", 5);

    *bits = 32;
    if (g_strv_length(parts) != 4)
        return false;
    for (guint i = 0; i < 4; i++) {
        int octet = octet_of(parts[i]);
        bool is_star = strcmp(parts[i], "*") == 0 || strcmp(parts[i], "x") == 0;

        if ((!is_star && (octet < 0 || *bits < 32)) || (is_star && i == 0))
            return false;
        *bits -= is_star ? 8 : 0;
        octets[i] = is_star ? 0 : (guint8)octet;
    }
    return true;
}

static guint32 number_of(const guint8 octets[4])
{
    return (guint32)octets[0] << 24 | (guint32)octets[1] << 16 | (guint32)octets[2] << 8 |
           octets[3];
}

/* The prefix length of "255.255.255.0"; -1 where it is no netmask. */
static int length_of_mask(const char *text)
{
    guint8 octets[4];
    guint bits;
    guint32 inverse;

    if (!read_ip4(text, octets, &bits) || bits != 32)
        return -1;
    inverse = ~number_of(octets);
    if ((inverse & (inverse + 1)) != 0)
        return -1;
    return inverse == 0 ? 32 : __builtin_clz(inverse);
}

static int length_of(const char *digits, int max)
{
    int mask = max == 32 ? length_of_mask(digits) : -1;
    int length = octet_of(digits);

    if (mask >= 0)
        return mask;
    return length >= 0 && length <= max ? length : -1;
}

/*
 * A mistyped length that stands for more than what one network has ("/0.0.0.0", "/03") is not
 * believed: then only the address is taken.
 */
static char *network_of(const char *prefix, const char *address, int length, int max)
{
    int least = max == 32 ? 8 : 16;

    return length >= least && length < max ? g_strdup_printf("%s:%s/%d", prefix, address, length)
                                           : g_strdup_printf("%s:%s", prefix, address);
}

static char *text_of_ip4(const guint8 octets[4])
{
    return g_strdup_printf("%d.%d.%d.%d", octets[0], octets[1], octets[2], octets[3]);
}

/* "192.0.2.0-192.0.2.255" or "192.0.2.0-255", where that is one network. */
static char *range_of(const char *text)
{
    const char *dash = strchr(text, '-');
    g_autofree char *low = dash != NULL ? g_strndup(text, (gsize)(dash - text)) : NULL;
    g_autofree char *address = NULL;
    guint8 first[4], last[4];
    guint bits, last_bits;
    guint32 differing;

    if (dash == NULL || !read_ip4(low, first, &bits) || bits != 32)
        return NULL;
    memcpy(last, first, sizeof last);
    if (octet_of(dash + 1) >= 0)
        last[3] = (guint8)octet_of(dash + 1);
    else if (!read_ip4(dash + 1, last, &last_bits) || last_bits != 32)
        return NULL;
    differing = number_of(first) ^ number_of(last);
    if ((differing & (differing + 1)) != 0 || (number_of(first) & differing) != 0)
        return NULL;
    address = text_of_ip4(first);
    return network_of("ip4", address, differing == 0 ? 32 : __builtin_clz(differing), 32);
}

static char *ip4_of(const char *text)
{
    const char *slash = strchr(text, '/');
    gsize length = slash != NULL ? (gsize)(slash - text) : strcspn(text, ":");
    g_autofree char *whole = g_strndup(text, length);
    g_autofree char *address = NULL;
    guint8 octets[4];
    guint bits;

    if (slash == NULL && text[length] == ':' &&
        text[length + 1 + strspn(text + length + 1, "0123456789")] != '\0')
        return NULL;
    if (!read_ip4(whole, octets, &bits))
        return NULL;
    address = text_of_ip4(octets);
    return network_of("ip4", address,
                      slash != NULL ? length_of(slash + 1 + strspn(slash + 1, "/"), 32) : (int)bits,
                      32);
}

static char *ip6_of(const char *text)
{
    g_autofree char *address = g_strndup(text, strcspn(text, "/]"));
    const char *slash = strchr(text, '/');
    guint8 octets[16];

    if (strchr(address, ':') == NULL || inet_pton(AF_INET6, address, octets) != 1)
        return NULL;
    return network_of("ip6", address,
                      slash != NULL ? length_of(slash + 1 + strspn(slash + 1, "/"), 128) : 128,
                      128);
}

/* An address may begin with colons, which trim() takes for ones too much: "::1" alone. */
char *mend_value_network(const char *text)
{
    g_autofree char *trimmed = trim(text);
    char *network;

    if (trimmed == NULL || *trimmed == '\0')
        return NULL;
    network = range_of(trimmed);
    if (network == NULL)
        network = ip4_of(trimmed);
    return network != NULL ? network : ip6_of(trimmed);
}

static bool is_domain(const char *text)
{
    g_autofree char *term = g_strconcat("v=spf1 a:", text, NULL);
    g_autoptr(Record) record = record_parse(term, strlen(term));

    return record->terms->len == 1 && record_at(record, 0)->kind == RECORD_A &&
           record_at(record, 0)->spec_length == strlen(text);
}

char *mend_value_domain(const char *text)
{
    g_autofree char *trimmed = trim(text);
    g_autofree char *name = NULL;
    const char *at;

    if (trimmed == NULL)
        return NULL;
    if (strchr(trimmed, '%') != NULL)
        return is_domain(trimmed) ? g_steal_pointer(&trimmed) : NULL;
    at = strrchr(trimmed, '@');
    at = at != NULL ? at + 1 : trimmed;
    name = g_strndup(at, strcspn(at, "/:,;?!"));
    if (strchr(name, '.') == NULL || !is_domain(name))
        return NULL;
    for (const char *octet = name; *octet != '\0'; octet++)
        if (!g_ascii_isalnum(*octet) && strchr("-_.", *octet) == NULL)
            return NULL;
    return g_steal_pointer(&name);
}
