#ifndef SPFROM_DNS_DNS_H
#define SPFROM_DNS_DNS_H

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/deadline.h"

/*
 * The DNS as the rest of the program sees it: a question, an answer, a deadline. Behind it stand
 * libunbound (dns_unbound.c), a zone file (dns_zone_file.c), or another Dns of which something is
 * changed (dns_wrappers.h).
 */
typedef enum {
    DNS_A,
    DNS_NS,
    DNS_PTR,
    DNS_MX,
    DNS_TXT,
    DNS_AAAA,
    DNS_SPF, /* type 99, which RFC 7208 section 3.1 gave up: owners have it, receivers don't ask */
} DnsType;
#define DNS_TYPES (DNS_SPF + 1)
const char *dns_type_text(DnsType type);

typedef enum {
    DNS_FOUND,   /* at least one record */
    DNS_NO_DATA, /* the name exists, without a record of that type */
    DNS_NO_NAME, /* NXDOMAIN */
    DNS_TROUBLE, /* SERVFAIL, REFUSED, bogus, no answer by the deadline: asking again may help */
} DnsStatus;

typedef struct {
    guint16 preference; /* MX only */
    gsize length;       /* octets of data */
    char *data; /* A, AAAA: 4 or 16 octets; TXT: its strings put together, a NUL may stand inside;
                   NS, PTR, MX: a name, lower case, without trailing dot. One NUL follows always. */
} DnsRecord;

/* Immutable once made, counted by reference, shared by threads. */
typedef struct DnsAnswer {
    gint refs; /* dns_answer_ref() and dns_answer_unref() only */
    DnsStatus status;
    guint32 ttl; /* seconds: the smallest on the way; of a negative answer that of the SOA. 0 for
                    DNS_TROUBLE, a day for a name that was not asked */
    GPtrArray *records; /* of DnsRecord; MX sorted by preference; names that can't be a host name
                           are left out */
    bool takes_no_mail; /* MX: there are records, and none names a host (RFC 7505) */
    char *alias_of;     /* the name is an alias (CNAME): the name at the end of it; else NULL */
    char *trouble;      /* DNS_TROUBLE: what happened, for people; else NULL */
} DnsAnswer;

DnsAnswer *dns_answer_new(DnsStatus status, guint32 ttl);
/* Adds a record while the answer is being made, behind those of the same or a smaller preference;
 * data is copied. */
void dns_answer_add(DnsAnswer *answer, guint16 preference, const void *data, gsize length);
DnsAnswer *dns_answer_new_trouble(const char *trouble);
DnsAnswer *dns_answer_ref(DnsAnswer *answer);
void dns_answer_unref(DnsAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsAnswer, dns_answer_unref)
const DnsRecord *dns_answer_at(const DnsAnswer *answer, guint position);

/* Any number of threads may ask one Dns. Its makers are below; dns_free() when no question is under
 * way. */
typedef struct Dns Dns;
struct Dns {
    /* name is one that dns_is_name() takes, in lower case. */
    DnsAnswer *(*lookup)(Dns *dns, const char *name, DnsType type, Deadline deadline);
    /* Asks the same without waiting. Returns what finish takes. May be NULL */
    gpointer (*begin)(Dns *dns, const char *name, DnsType type, Deadline deadline);
    /* Waits for the answer to what was begun; or gives the question up, and returns NULL. */
    DnsAnswer *(*finish)(Dns *dns, gpointer begun, bool is_wanted);
    void (*flush)(
        Dns *dns,
        const char *domain); /* forget domain and what is below it; NULL: all. May be NULL */
    /* Questions under way end in trouble within a second, and so do later ones. May be NULL */
    void (*close)(Dns *dns);
    void (*free)(Dns *dns);
};

#define DNS_NAME_MAX 253 /* octets of a name as text (RFC 1035 section 2.3.4) */

/*
 * Is text a name that can be asked for? Labels of 1 to 63 octets, at most DNS_NAME_MAX octets, no
 * trailing dot, only octets 0x21 to 0x7e and no backslash: a dot always parts two labels, and
 * nothing needs the escapes of RFC 1035.
 */
bool dns_is_name(const char *text);

/*
 * Asks one question and waits for its answer, at most until deadline. Upper and lower case are the
 * same. A name that dns_is_name() refuses is DNS_NO_NAME, and nobody is asked: though the DNS can
 * hold other octets, here only macros in a stranger's record lead to such a name.
 * Returns a reference, given back with dns_answer_unref(); never NULL.
 */
DnsAnswer *dns_lookup(Dns *dns, const char *name, DnsType type, Deadline deadline);

/* A question under way, of one thread: for work that has something else to do until the answer is there. */
typedef struct DnsQuestion DnsQuestion;

/*
 * Asks as dns_lookup() does, and does not wait. A Dns that answers at once (a zone file) is only asked
 * when the answer is wanted. To be freed before dns is.
 */
DnsQuestion *dns_question_new(Dns *dns, const char *name, DnsType type, Deadline deadline);
/* Waits for the answer, at most until the question's deadline. Borrowed; never NULL. */
const DnsAnswer *dns_question_answer(DnsQuestion *question);
/* Without waiting: what is still under way is given up, and its answer is nobody's. */
void dns_question_free(DnsQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsQuestion, dns_question_free)

void dns_flush(Dns *dns, const char *domain);

/* Before the threads that ask are to stop: whoever waits for an answer has trouble within a second,
 * and later questions have it at once. */
void dns_close(Dns *dns);
void dns_free(Dns *dns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dns, dns_free)

#define DNS_ERROR (dns_error_quark())
typedef enum { DNS_ERROR_LIBRARY, DNS_ERROR_SERVER, DNS_ERROR_FILE } DnsError;
GQuark dns_error_quark(void);

typedef struct {
    const char *const
        *servers; /* "IP" or "IP@PORT", NULL-terminated; NULL or empty: those of resolv_conf */
    const char *resolv_conf;  /* a file; NULL: /etc/resolv.conf */
    guint timeout;            /* seconds for one question, at most until its deadline */
    const char *trust_anchor; /* a file; "": none; NULL: Debian's root key where servers is empty,
                                 else none */
    guint
        max_ttl; /* seconds: the bounds of the verdict cache, which libunbound's cache keeps too */
    guint max_negative_ttl; /* seconds */
    const Clock *clock;     /* only to notice that the wall clock jumps; NULL: clock_system */
} DnsUnboundOptions;

/*
 * libunbound: validating, caching, asynchronous with one dispatcher thread; it asks the servers by
 * way of dns_forwarder.h. To be made after the process has become a daemon: threads don't survive a
 * fork. flush begins with an empty cache for all names, and reads resolv_conf anew; so does a jump
 * of the wall clock, by which libunbound measures TTLs. Returns NULL with error (DNS_ERROR) set
 * where a server, resolv_conf or the trust anchor can't be used.
 */
Dns *dns_unbound_new(const DnsUnboundOptions *options, GError **error);

/*
 * A zone file in place of all DNS (RFC 1035 section 5); a name that isn't in it doesn't exist. It
 * knows $ORIGIN, $TTL, comments, quoted strings with escapes, parentheses, "@", relative names (of
 * the root before the first $ORIGIN), a blank in place of the owner before, TTLs like 1h30m
 * (default 1h), class IN; A AAAA MX TXT PTR NS CNAME (followed) SOA (its minimum is the negative
 * TTL, default 5m) and wildcards (RFC 4592); other known types, of which only the owner's name
 * counts; TROUBLE "text", our own, for tests and demonstrations: every question for a type that the
 * name does not have ends in DNS_TROUBLE with that text. It may hold several zones; records of one
 * name and type may stand apart, and doubles count once.
 *
 * text   the file's content
 * file   its name, for FILE:LINE in errors
 * Returns NULL with error (DNS_ERROR_FILE) set.
 */
Dns *dns_zone_file_new(const char *text, const char *file, GError **error);
#endif
