#ifndef SPFROM_DNS_DNS_WRAPPERS_H
#define SPFROM_DNS_DNS_WRAPPERS_H

#include <glib.h>

#include "dns/dns.h"

/* A Dns in front of another, which changes what passes through: one answer, a memory, a count. */

/* Answers every question for name and type by answer (a reference is taken), all others by under
 * (not owned). */
Dns *dns_overlay_new(Dns *under, const char *name, DnsType type, DnsAnswer *answer);

/*
 * Asks under (not owned) each question once and keeps the answer, trouble too, so that all that is
 * worked out on it sees the same records. Of one thread. More than DNS_MEMO_MAX questions are
 * DNS_TROUBLE.
 */
Dns *dns_memo_new(Dns *under);
#define DNS_MEMO_MAX 4096

#define DNS_STATUSES (DNS_TROUBLE + 1)

/* To be read by __atomic_load_n(). */
typedef struct {
    guint64 outcomes[DNS_STATUSES]; /* questions by the status of their answer; exact */
    gint64 answered; /* monotonic time of the last question with an answer; 0: none yet */
    gint64 troubled; /* the same of DNS_TROUBLE */
} DnsCounts;

/* Counts the questions that pass through to under, until dns_close(), but for those that are given
 * up. Takes under as its own; counts
 * is not owned, and only added to. */
Dns *dns_counted_new(Dns *under, DnsCounts *counts);
#endif
