#include "config.h"

#include "dns/dns_rdata.h"

#include <string.h>

#define LABEL_MAX 63
#define WIRE_NAME_MAX 255 /* octets (RFC 1035 section 3.1) */

guint16 dns_rdata_type(DnsType type)
{
    switch (type) {
    case DNS_A:
        return 1;
    case DNS_NS:
        return 2;
    case DNS_PTR:
        return 12;
    case DNS_MX:
        return 15;
    case DNS_TXT:
        return 16;
    case DNS_AAAA:
        return 28;
    case DNS_SPF:
        return 99;
    }
    return 0;
}

/* Octets that would not be what they are once the name is text: see dns_is_name(). */
static bool is_odd(guint8 octet)
{
    return !g_ascii_isgraph(octet) || octet == '.' || octet == '\\';
}

/*
 * Reads a name that fills wire to its end. name becomes its text, or empty for the root and for a
 * name with odd octets. Returns whether it is a name.
 */
static bool read_name(const guint8 *wire, gsize length, char name[WIRE_NAME_MAX + 1])
{
    gsize at = 0;
    bool has_odd = false;

    if (length > WIRE_NAME_MAX)
        return false;
    while (at < length && wire[at] != 0) {
        gsize end = at + 1 + wire[at];

        if (wire[at] > LABEL_MAX || end >= length)
            return false;
        if (at > 0)
            name[at - 1] = '.';
        for (at++; at < end; at++) {
            has_odd = has_odd || is_odd(wire[at]);
            name[at - 1] = g_ascii_tolower((char)wire[at]);
        }
    }
    if (at + 1 != length)
        return false;
    name[at > 0 && !has_odd ? at - 1 : 0] = '\0';
    return true;
}

static bool add_name(DnsAnswer *answer, guint16 preference, const guint8 *wire, gsize length)
{
    char name[WIRE_NAME_MAX + 1];

    if (!read_name(wire, length, name))
        return false;
    if (*name != '\0')
        dns_answer_add(answer, preference, name, strlen(name));
    return true;
}

static bool add_mx(DnsAnswer *answer, const guint8 *rdata, gsize length)
{
    if (length < 2)
        return false;
    return add_name(answer, (guint16)(rdata[0] << 8 | rdata[1]), rdata + 2, length - 2);
}

static bool add_txt(DnsAnswer *answer, const guint8 *rdata, gsize length)
{
    g_autoptr(GByteArray) text = g_byte_array_new();

    for (gsize at = 0; at < length; at += 1 + (gsize)rdata[at]) {
        if (rdata[at] >= length - at)
            return false;
        g_byte_array_append(text, rdata + at + 1, rdata[at]);
    }
    if (length == 0)
        return false;
    dns_answer_add(answer, 0, text->data, text->len);
    return true;
}

static bool add_address(DnsAnswer *answer, const guint8 *rdata, gsize length, gsize wanted)
{
    if (length != wanted)
        return false;
    dns_answer_add(answer, 0, rdata, length);
    return true;
}

bool dns_rdata_add(DnsAnswer *answer, DnsType type, const guint8 *rdata, gsize length)
{
    switch (type) {
    case DNS_A:
        return add_address(answer, rdata, length, 4);
    case DNS_AAAA:
        return add_address(answer, rdata, length, 16);
    case DNS_MX:
        return add_mx(answer, rdata, length);
    case DNS_TXT:
    case DNS_SPF:
        return add_txt(answer, rdata, length);
    case DNS_NS:
    case DNS_PTR:
        return add_name(answer, 0, rdata, length);
    }
    return false;
}
