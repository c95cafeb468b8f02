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

/* Counts the questions that pass through to under. Takes under as its own; counts is not owned, and
 * only added to. */
Dns *dns_counted_new(Dns *under, DnsCounts *counts);

/*
 * From now on every question is DNS_TROUBLE at once and not counted, so that threads that stop
 * don't wait for one answer after the other. counted was made by dns_counted_new().
 */
void dns_counted_close(Dns *counted);
#endif
