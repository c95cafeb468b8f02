#ifndef SPFROM_TESTS_SCRIPTED_DNS_H
#define SPFROM_TESTS_SCRIPTED_DNS_H

#include <glib.h>

#include "dns/dns.h"

/*
 * A Dns for tests whose answers change while threads ask it, that counts, and that can hold
 * questions up. Freed with dns_free().
 */
Dns *scripted_dns_new(void);

/*
 * Replaces all that it knows. zone has one record a line, "NAME TYPE TTL VALUE": of A, AAAA and
 * TXT; with TYPE "-" the name does not exist for TTL seconds, with "!" every question for it is
 * DNS_TROUBLE, with "!A" that for A. A line "!" alone: all questions are. Names that are not listed
 * don't exist for 300 seconds.
 */
void scripted_dns_set(Dns *dns, const char *zone);

/* How many questions were asked, for name or in all (NULL). */
guint scripted_dns_asked(Dns *dns, const char *name);
/* The deadline of the last question. */
gint64 scripted_dns_deadline(Dns *dns);
/* Waits until so many were asked for name; ends the test program where that takes a minute. */
void scripted_dns_await(Dns *dns, const char *name, guint questions);

/* Questions for name wait until they are released (NULL: all), or for their deadline. */
void scripted_dns_hold(Dns *dns, const char *name);
void scripted_dns_release(Dns *dns, const char *name);

/* How often all (NULL) or a domain was flushed. */
guint scripted_dns_flushes(Dns *dns);
#endif
