#ifndef SPFROM_DNS_DNS_MESSAGE_H
#define SPFROM_DNS_DNS_MESSAGE_H

#include <glib.h>
#include <stdbool.h>

#include "dns/dns.h"

/* As much of a DNS message (RFC 1035 section 4) as one needs who passes it on: whose question it
 * is, and what kind of answer; and what stands in its records. */
#define DNS_MESSAGE_HEADER 12 /* octets before the question */

/*
 * Is this a query with one question whose name is whole? If so, name becomes it as text: lower
 * case, without trailing dot, empty for the root; an octet that no such text can hold becomes "?".
 */
bool dns_message_is_question(const guint8 *octets, gsize length, char name[DNS_NAME_MAX + 1]);

typedef enum {
    DNS_MESSAGE_STRANGE,   /* the answer to another question: ignore it */
    DNS_MESSAGE_BROKEN,    /* from our server, but unusable */
    DNS_MESSAGE_FAILURE,   /* SERVFAIL, REFUSED and others: another server may know better */
    DNS_MESSAGE_TRUNCATED, /* to be asked for by TCP */
    DNS_MESSAGE_GOOD,      /* records, or the word that there are none */
} DnsMessageKind;

/* Classifies octets, which a server sent, as an answer to question (dns_message_is_question()). */
DnsMessageKind dns_message_kind(const guint8 *octets, gsize length, const guint8 *question,
                                gsize question_length);

/* Appends to answer (which is empty) a SERVFAIL for question. */
void dns_message_fail(GByteArray *answer, const guint8 *question, gsize question_length);

/* The number that stands for type in a DNS message (RFC 1035 section 3.2.2). */
guint16 dns_message_type(DnsType type);

/*
 * Adds one record's RDATA, as a stranger's server sent it, to answer. Its names are in wire form,
 * uncompressed. A name that dns_is_name() refuses, and the root, add nothing. Returns whether it is
 * the RDATA of a record of that type.
 */
bool dns_message_add_rdata(DnsAnswer *answer, DnsType type, const guint8 *rdata, gsize length);
#endif
