#include "config.h"

#include "advice/record/mend_value.h"

#include <arpa/inet.h>
#include <string.h>

#include "advice/record/clean.h"
#include "spf/record.h"

#define LENGTH_MAX 320 /* octets of a value */

/* The scheme of a web address at the beginning of text, with its slashes; 0: none. */
static gsize scheme_length(const char *text)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
        if (g_ascii_strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
            return strlen(schemes[i]);
    return 0;
}

/* Without what may stand around it. */
static char *trim(const char *text)
{
    gsize length;

    text += strspn(text, ":= \t[");
    text += scheme_length(text);
    length = strlen(text);
    while (length > 0 && strchr(":=./]-!?" CLEAN_UNKNOWN " \t", text[length - 1]) != NULL)
        length--;
    return length <= LENGTH_MAX ? g_strndup(text, length) : NULL;
}

/* Reads a number of at most three digits, with leading zeros; -1 if it is none. */
static int octet_of(const char *text)
{
    gsize length = strspn(text, "0123456789");
    guint64 value;

    if (length == 0 || length > 3 || text[length] != '\0')
        return -1;
    value = g_ascii_strtoull(text, NULL, 10);
    return value <= 255 ? (int)value : -1;
}

/* Is it an address from which nobody sends mail on the Internet, and so a piece of another? */
static bool is_unused(const guint8 *octets, int max)
{
    if (max == 128)
        return (octets[0] & 0xe0) != 0x20;
    return octets[0] == 0 || octets[0] == 127 || octets[0] >= 224;
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

/* The prefix length of "255.255.255.0"; -1 if it is no netmask. */
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

/* True if the digits before and behind a character, which may be one too much, are one octet: of
 * "192.0.2.2-3" nobody knows whether 192.0.2.23 was meant. */
static bool may_be_one_octet(const char *text, const char *at)
{
    const char *begin = at;
    g_autofree char *digits = NULL;

    while (begin > text && g_ascii_isdigit(begin[-1]))
        begin--;
    digits = g_strdup_printf("%.*s%s", (int)(at - begin), begin, at + 1);
    return *begin != '0' && octet_of(digits) >= 0;
}

/* "192.0.2.0-192.0.2.255" or "192.0.2.0-255", if that is one network. */
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
    if (may_be_one_octet(text, dash))
        return NULL;
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
        (text[length + 1 + strspn(text + length + 1, "0123456789")] != '\0' ||
         may_be_one_octet(text, text + length)))
        return NULL;
    if (!read_ip4(whole, octets, &bits))
        return NULL;
    if (is_unused(octets, 32) || (slash != NULL && strchr(slash + strspn(slash, "/"), '/') != NULL))
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

    if (strchr(address, ':') == NULL || inet_pton(AF_INET6, address, octets) != 1 ||
        is_unused(octets, 128))
        return NULL;
    return network_of("ip6", address,
                      slash != NULL ? length_of(slash + 1 + strspn(slash + 1, "/"), 128) : 128,
                      128);
}

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

/* A domain with at least two labels, none of them empty. */
static bool is_whole_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (dot == NULL || g_ascii_isdigit(dot[1]) || strchr(".-", *name) != NULL ||
        strstr(name, "..") != NULL)
        return false;
    for (const char *octet = name; *octet != '\0'; octet++)
        if (!g_ascii_isalnum(*octet) && strchr("-_.", *octet) == NULL)
            return false;
    return is_domain(name);
}

/* What may stand behind a domain and be left out: prefix lengths, a port, a path behind a scheme.
 * Of "goo/gle.com" nobody knows what was meant. */
static bool is_name_tail(const char *text, bool has_scheme)
{
    if (*text == '\0' || (has_scheme && *text == '/'))
        return true;
    if (*text == '/')
        return text[strspn(text, "/0123456789")] == '\0';
    return *text == ':' && text[1 + strspn(text + 1, "0123456789")] == '\0';
}

/* What people have before the "@" of an address, and not in the middle of a domain. */
static bool is_local_part(const char *text, gsize length)
{
    static const char *const locals[] = {"info",       "mail",   "postmaster", "office",
                                         "kontakt",    "admin",  "contact",    "webmaster",
                                         "hostmaster", "praxis", "noreply"};

    for (gsize i = 0; i < G_N_ELEMENTS(locals); i++)
        if (length == strlen(locals[i]) && g_ascii_strncasecmp(text, locals[i], length) == 0)
            return true;
    return false;
}

char *mend_value_domain(const char *text)
{
    const char *begin = text + strspn(text, ":= \t[");
    g_autofree char *trimmed = trim(text);
    g_autofree char *name = NULL;
    const char *at;

    if (trimmed == NULL)
        return NULL;
    if (strchr(trimmed, '%') != NULL)
        return is_domain(trimmed) ? g_steal_pointer(&trimmed) : NULL;
    at = strrchr(trimmed, '@');
    if (at != NULL && !is_local_part(trimmed, (gsize)(at - trimmed)))
        return NULL;
    at = at != NULL ? at + 1 : trimmed;
    name = g_strndup(at, strcspn(at, "/:"));
    if (!is_name_tail(at + strlen(name), scheme_length(begin) > 0) || !is_whole_name(name))
        return NULL;
    return g_steal_pointer(&name);
}

guint mend_value_count_labels(const char *text)
{
    g_auto(GStrv) labels = g_strsplit(text, ".", -1);

    return is_whole_name(text) ? g_strv_length(labels) : 0;
}

bool mend_value_is_bare(const char *text)
{
    g_autofree char *network = mend_value_network(text);
    g_autofree char *domain = network == NULL ? mend_value_domain(text) : NULL;

    if (network != NULL)
        return true;
    return domain != NULL && strlen(domain) == strlen(text);
}
