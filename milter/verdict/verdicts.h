#ifndef SPFROM_VERDICT_VERDICTS_H
#define SPFROM_VERDICT_VERDICTS_H

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "mail/mailboxes.h"
#include "policy/settings.h"
#include "policy/verdict.h"
#include "dns/dns.h"
#include "fleet/fleet.h"
#include "verdict/relay_set.h"

/*
 * What callers use: the verdict on a mailbox's domain, out of the cache or evaluated; at most one
 * evaluation of a domain at a time, older verdicts while DNS has trouble, hot ones renewed before
 * they end. Threads of its own keep the relay set fresh and renew hot verdicts (verdict/upkeep.h). Any
 * number of threads may ask.
 *
 * Lock protocol: none of its own. The relay set in force, the cache, the flights and the upkeep
 * have each their lock, and no two are held at once; counters are atomic.
 */
typedef struct Verdicts Verdicts;

/*
 * Takes a reference of settings, and dns as its own; clock has to live as long. Looks the relay set
 * up until deadline; later changes of it are logged, the problems of this first one (verdicts_relay_set()) are the
 * caller's to tell. Returns NULL with error (RELAY_SET_ERROR, UPKEEP_ERROR) set where relay_hosts
 * gives no public address; dns is then freed.
 */
Verdicts *verdicts_new(Settings *settings, Dns *dns, const Clock *clock, Deadline deadline,
                       GError **error);

/*
 * The same for a reload: counters go on, relay hosts that can't be looked up now keep the networks
 * that they have in before, and its cache is taken over where its verdicts hold for settings too.
 * before stays usable for messages that began with it, and does not fill the cache any more.
 */
Verdicts *verdicts_new_after(Verdicts *before, Settings *settings, Dns *dns, Deadline deadline,
                             GError **error);
Verdicts *verdicts_ref(Verdicts *verdicts);
/* The last reference stops the threads, which takes a second at most if DNS is silent, and frees. */
void verdicts_unref(Verdicts *verdicts);
/* As verdicts_unref(), for callers that must not block: returns true if it was the last reference;
 * then call verdicts_free() where waiting is fine. */
bool verdicts_drop(Verdicts *verdicts);
void verdicts_free(Verdicts *verdicts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Verdicts, verdicts_unref)

/*
 * How long DNS is waited for, within the deadline, if there is something to fall back on: an older
 * verdict, or no DMARC policy. Long enough for a lost packet to be sent once more.
 */
#define VERDICTS_PATIENCE 4 /* seconds */

/* One verdict that is wanted, and what came of it. */
typedef struct {
    const Mailbox *mailbox; /* in: about whose domain */
    Verdict *verdict;       /* out: a reference, given back with verdict_unref() */
    VerdictSource source;   /* out: where it came from */
} VerdictWanted;

/* A message has so many at most: its authors, its envelope sender and the mailbox in Sender:. */
#define VERDICTS_WANTED_MAX (MAILBOXES_MAX + 2)

/*
 * The verdicts on the domains of mailboxes for the whole relay set under relay_policy. All domains
 * that the cache does not have are asked before any is waited for, as far as there are threads
 * (base/parallel.h), each until deadline. A mailbox without a domain is SPF_NONE.
 *
 * sure   so many of wanted are needed, from the first on
 * count  of wanted, at most VERDICTS_WANTED_MAX. The rest may turn out to be needed: they are
 *        looked up too if the caller has to wait anyway, and their verdicts are NULL if not
 */
void verdicts_get_all(Verdicts *verdicts, VerdictWanted *wanted, guint sure, guint count,
                      Deadline deadline);

/* The same for one mailbox. Sets source, and returns the verdict; never NULL. */
Verdict *verdicts_get(Verdicts *verdicts, const Mailbox *mailbox, Deadline deadline,
                      VerdictSource *source);

/* The same for a question that no message asks: the counters of verdicts and cache stay. */
Verdict *verdicts_get_uncounted(Verdicts *verdicts, const Mailbox *mailbox, Deadline deadline);

/*
 * From now on what the cache does not have is asked of the fleet before DNS, and what DNS gave is
 * written there. Takes a reference. Call it before the first question.
 */
void verdicts_share(Verdicts *verdicts, Fleet *fleet);

/* The relay set in force; a reference. */
RelaySet *verdicts_relay_set(Verdicts *verdicts);

/*
 * Forgets the verdicts on domain and what is below it, or all (NULL), in our cache and in
 * libunbound's. With all, the relay set is looked up again soon.
 */
void verdicts_flush(Verdicts *verdicts, const char *domain);

/* Counters, exact: each is only ever added to. */
typedef struct {
    guint64 hits, misses, waits, stales, fleets; /* calls of verdicts_get() by outcome */
    guint64 results[SPF_RESULTS];                /* verdicts given */
    guint64 evaluations;
    guint64 queries[4];  /* DNS questions asked, by DnsStatus */
    gint64 dns_answered; /* monotonic time of the last DNS question with an answer; 0: none yet */
    gint64 dns_troubled; /* the same of one in trouble */
    guint entries;       /* in the cache now */
} VerdictsCounters;
void verdicts_counters(Verdicts *verdicts, VerdictsCounters *counters);

/*
 * Does domain publish a DMARC policy of quarantine or reject (for align_envelope = dmarc)? A
 * subdomain without a record of its own has its organizational domain's sp, else p; several records,
 * DNS trouble and the end of the time count as none.
 */
bool verdicts_is_dmarc_enforced(Verdicts *verdicts, const char *domain, Deadline deadline);
#endif
