#ifndef SPFROM_SPF_DNS_COUNTED_H
#define SPFROM_SPF_DNS_COUNTED_H

#include <glib.h>

#include "spf/dns.h"

#define DNS_STATUSES (DNS_TROUBLE + 1)

/*
 * Counts the questions that pass through to under by the status of their answer. Takes under as its
 * own.
 *
 * counts  not owned; only added to, by __atomic_fetch_add(): exact, and to be read by
 * __atomic_load_n()
 */
Dns *dns_counted_new(Dns *under, guint64 counts[DNS_STATUSES]);

/*
 * From now on every question is DNS_TROUBLE at once and not counted, so that threads that stop
 * don't wait for one answer after the other. counted was made by dns_counted_new().
 */
void dns_counted_close(Dns *counted);
#endif
