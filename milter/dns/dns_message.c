#include "config.h"

#include "dns/dns_message.h"

#include <string.h>

#define LABEL_MAX 63
#define QUESTION_TAIL 4 /* octets of type and class */
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

static char text_of(guint8 octet)
{
    bool is_plain = g_ascii_isgraph(octet) && octet != '.' && octet != '\\';

    return is_plain ? g_ascii_tolower((char)octet) : '?';
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
            name[written++] = text_of(octets[at]);
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
