#ifndef SPFROM_ADVICE_CONSULTATION_H
#define SPFROM_ADVICE_CONSULTATION_H

#include <glib.h>

#include "advice/advice.h"
#include "advice/domain_check.h"
#include "advice/lists.h"
#include "dns/dns.h"
#include "policy/settings.h"

/*
 * All that spfrom has to say of one domain: what its SPF record comes to for our relays, and what
 * its owner should publish (design section 15). `check`, `advise`, letters and the web pages show
 * parts of it.
 */
typedef struct {
    DomainCheck *check;
    /* May be taken with g_steal_pointer(): it borrows nothing. */
    Advice *advice;
    /* The domain that may have been meant: without "www.", or, in place of one that is not
     * authorised and was never seen, a similar one of the ledger. NULL: none. */
    char *meant;
} Consultation;

/*
 * Checks subject for the relays, and works out the advice. Every proposed record is evaluated, with
 * that one DNS answer replaced, before it is returned. What is not known by the deadline makes the
 * advice ADVICE_UNKNOWN.
 *
 * lists     NULL: no provider and no hoster is known
 * relays    of the same settings and dns; borrowed, like subject
 * deadline  for all DNS questions together
 * Returns a new consultation, freed with consultation_free(); never NULL.
 */
Consultation *consultation_new(Settings *settings, Dns *dns, const Lists *lists,
                               const Relays *relays, const CheckSubject *subject,
                               Deadline deadline);

/* The same if another mode is in force than that of settings (control_client_mode_in_force()). */
Consultation *consultation_new_in(Settings *settings, ModeInForce mode, Dns *dns,
                                  const Lists *lists, const Relays *relays,
                                  const CheckSubject *subject, Deadline deadline);
void consultation_free(Consultation *consultation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Consultation, consultation_free)
#endif
