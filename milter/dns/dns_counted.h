#ifndef SPFROM_DNS_DNS_COUNTED_H
#define SPFROM_DNS_DNS_COUNTED_H

#include <glib.h>

#include "dns/dns.h"

#define DNS_STATUSES (DNS_TROUBLE + 1)

/* To be read by __atomic_load_n(). */
typedef struct {
    guint64 outcomes[DNS_STATUSES]; /* questions by the status of their answer; exact */
    gint64 answered; /* monotonic time of the last question with an answer; 0: none yet */
    gint64 troubled; /* the same of DNS_TROUBLE */
} DnsCounts;

/* Counts the questions that pass through to under, until dns_close(). Takes under as its own; counts
 * is not owned, and only added to. */
Dns *dns_counted_new(Dns *under, DnsCounts *counts);
#endif
