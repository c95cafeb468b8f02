#include "config.h"

#include "dns/dns_message.h"

#include <string.h>

#define LABEL_MAX 63
#define WIRE_NAME_MAX 255 /* octets (RFC 1035 section 3.1) */
#define QUESTION_TAIL 4   /* octets of type and class */
#define FLAG_ANSWER 0x80
#define OPCODE 0x78
#define FLAG_TRUNCATED 0x02
#define FLAG_RECURSION 0x01
#define RCODE 0x0f
#define NOERROR 0
#define SERVFAIL 2
#define NXDOMAIN 3

static guint count_of_questions(const guint8 *octets)
{
    return (guint)(octets[4] << 8 | octets[5]);
}

/* Returns where the question ends, or 0 where it is none: its name is not compressed. */
static gsize question_end(const guint8 *octets, gsize length)
{
    gsize at = DNS_MESSAGE_HEADER;

    if (length < DNS_MESSAGE_HEADER || count_of_questions(octets) != 1)
        return 0;
    while (at < length && octets[at] != 0) {
        if (octets[at] > LABEL_MAX)
            return 0;
        at += 1 + (gsize)octets[at];
    }
    if (at - DNS_MESSAGE_HEADER > DNS_NAME_MAX + 1 || at + 1 + QUESTION_TAIL > length)
        return 0;
    return at + 1 + QUESTION_TAIL;
}

/* Octets that would not be what they are once the name is text: see dns_is_name(). */
static bool is_odd(guint8 octet)
{
    return !g_ascii_isgraph(octet) || octet == '.' || octet == '\\';
}

bool dns_message_is_question(const guint8 *octets, gsize length, char name[DNS_NAME_MAX + 1])
{
    gsize written = 0;

    if (question_end(octets, length) == 0 || (octets[2] & FLAG_ANSWER) != 0)
        return false;
    for (gsize at = DNS_MESSAGE_HEADER; octets[at] != 0;) {
        gsize end = at + 1 + octets[at];

        if (written > 0)
            name[written++] = '.';
        for (at++; at < end; at++)
            name[written++] = is_odd(octets[at]) ? '?' : g_ascii_tolower((char)octets[at]);
    }
    name[written] = '\0';
    return true;
}

/* A server may answer in another case than it was asked in. */
static bool is_same_question(const guint8 *one, const guint8 *other, gsize end)
{
    for (gsize at = DNS_MESSAGE_HEADER; at < end; at++)
        if (g_ascii_tolower((char)one[at]) != g_ascii_tolower((char)other[at]))
            return false;
    return true;
}

/* A failure need not repeat the question. */
static bool is_of_question(const guint8 *octets, gsize length, const guint8 *question,
                           gsize question_length)
{
    gsize end = question_end(octets, length);

    if (end == 0)
        return count_of_questions(octets) == 0 && (octets[3] & RCODE) != NOERROR &&
               (octets[3] & RCODE) != NXDOMAIN;
    return end == question_end(question, question_length) &&
           is_same_question(octets, question, end);
}

DnsMessageKind dns_message_kind(const guint8 *octets, gsize length, const guint8 *question,
                                gsize question_length)
{
    guint8 rcode;

    if (length < 2 || memcmp(octets, question, 2) != 0)
        return DNS_MESSAGE_STRANGE;
    if (length < DNS_MESSAGE_HEADER || (octets[2] & FLAG_ANSWER) == 0 ||
        (octets[2] & OPCODE) != (question[2] & OPCODE) ||
        !is_of_question(octets, length, question, question_length))
        return DNS_MESSAGE_BROKEN;
    rcode = octets[3] & RCODE;
    if (rcode != NOERROR && rcode != NXDOMAIN)
        return DNS_MESSAGE_FAILURE;
    return (octets[2] & FLAG_TRUNCATED) != 0 ? DNS_MESSAGE_TRUNCATED : DNS_MESSAGE_GOOD;
}

void dns_message_fail(GByteArray *answer, const guint8 *question, gsize question_length)
{
    g_byte_array_append(answer, question, (guint)question_end(question, question_length));
    answer->data[2] = (guint8)(FLAG_ANSWER | (question[2] & (OPCODE | FLAG_RECURSION)));
    answer->data[3] = 0x80 | SERVFAIL;                   /* recursion is available */
    memset(answer->data + 6, 0, DNS_MESSAGE_HEADER - 6); /* the counts of records */
}

guint16 dns_message_type(DnsType type)
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

bool dns_message_add_rdata(DnsAnswer *answer, DnsType type, const guint8 *rdata, gsize length)
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
