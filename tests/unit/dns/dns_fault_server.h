#ifndef SPFROM_TESTS_DNS_FAULT_SERVER_H
#define SPFROM_TESTS_DNS_FAULT_SERVER_H

#include <glib.h>
#include <stdbool.h>

/*
 * A DNS server on loopback, at a port of the system's choice, in a thread of its own: right or
 * wrong as the first label of the name demands, for names of any zone.
 *
 *   good…      A 192.0.2.1, TTL 60             silent…   no answer
 *   mx         10 B, 0 a, 5 "."                late…     like good, after 1.5 s
 *   null       MX 0 "."                        servfail  refused  garbage  wrong (another
 * question's answer) txt        10 strings of 255 octets, with  chain…    six CNAME, TTL 60, 55, …
 * 35, to A 192.0.2.1 a NUL in each                   loop      CNAME to itself by way of another
 *   big        A 10.0.x.y, 500 of them, by     short     A of three octets
 *              TCP alone                       odd       PTR a\.b and c d, and fine
 *   nodata     NOERROR, SOA minimum 30         1         PTR host.example.org
 *   zero       A with TTL 0                    else      NXDOMAIN, SOA minimum 30
 */
typedef struct DnsFaultServer DnsFaultServer;

DnsFaultServer *dns_fault_server_new(void);
/* The same at the port that a server had which was freed. */
DnsFaultServer *dns_fault_server_new_at(guint port);
void dns_fault_server_free(DnsFaultServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsFaultServer, dns_fault_server_free)

/* "127.0.0.1@PORT" */
const char *dns_fault_server_text(const DnsFaultServer *server);

/* A server that is dead hears nothing. */
void dns_fault_server_set_dead(DnsFaultServer *server, bool is_dead);

/* What happens to all questions, whatever their names ask for. All 0: fine weather. */
typedef struct {
    guint delay;      /* milliseconds before each answer */
    bool loses_first; /* the first packet of each question */
    guint loss;       /* per cent of the packets, always the same ones */
    guint seed;       /* other ones */
    guint rcode;      /* the answer to all, where it isn't 0 */
} DnsWeather;
void dns_fault_server_set_weather(DnsFaultServer *server, const DnsWeather *weather);

/* How many questions it has heard, also those for name (lower case) alone; what was lost counts. */
guint dns_fault_server_questions(const DnsFaultServer *server);
guint dns_fault_server_asked(DnsFaultServer *server, const char *name);
guint dns_fault_server_port(const DnsFaultServer *server);
#endif
