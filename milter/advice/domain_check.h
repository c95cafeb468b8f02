#ifndef SPFROM_ADVICE_DOMAIN_CHECK_H
#define SPFROM_ADVICE_DOMAIN_CHECK_H

#include <glib.h>
#include <stdbool.h>

#include "advice/check_subject.h"
#include "advice/relays.h"
#include "base/language.h"
#include "policy/settings.h"
#include "policy/standing.h"
#include "spf/dmarc.h"
#include "dns/dns.h"
#include "spf/evaluation.h"

/* All that `spfrom check` tells of one domain. */
typedef struct {
    const CheckSubject *subject;
    const Relays *relays;
    /* of Evaluation, one for each of relays->networks */
    GPtrArray *evaluations;
    /* The one that decided under relay_policy. */
    SpfResult result;
    /* By rewrite_on and tempfail_on; what exempts the domain is in notes. */
    bool is_authorised;
    /* The first with that result; of several that pass, the one that costs most. NULL: no relay. */
    const Evaluation *shown;
    /* Seconds: the smallest of all evaluations. */
    guint32 ttl;
    /* Why the relays are incomplete, if that makes the result temperror; else NULL. */
    char *unknown;
    /* For people, if the result needs one; else NULL. */
    const char *reason;
    /* The record; NULL if there is none, or if it is not known. */
    char *dmarc;
    /* Why it is not known whether there is one; else NULL. */
    char *dmarc_trouble;
    DmarcPolicy dmarc_policy;
    /* The selector of dkim_consent by which the domain is authorised all the same, borrowed from the
     * settings; NULL: there is none, or none is needed. */
    const char *dkim;
    /* DNS trouble hides whether the domain agrees by DKIM. */
    bool lacks_keys;
    /* dkim_consent has a selector. */
    bool has_dkim_consent;
    /* Of DomainNote: what besides SPF counts for this domain here, see domain_check_note(). */
    GPtrArray *notes;
} DomainCheck;

/* A sentence: a msgid, and what stands in it for {value} and {more}, each of which may be NULL. */
typedef struct {
    const char *text;
    char *value, *more;
} DomainNote;

/* The note at position in language (NULL: English), owned by the caller. */
char *domain_check_note(const DomainCheck *check, guint position, const Language *language);

/*
 * Evaluates subject for every relay, and looks its DMARC record up.
 *
 * deadline  for all of it
 * Returns a new check, freed with domain_check_free(), which borrows relays and subject; never NULL.
 */
DomainCheck *domain_check_run(Settings *settings, Dns *dns, const Relays *relays,
                              const CheckSubject *subject, Deadline deadline);

/* The same if another mode is in force than that of settings, for the notes. */
DomainCheck *domain_check_run_in(Settings *settings, ModeInForce mode, Dns *dns,
                                 const Relays *relays, const CheckSubject *subject,
                                 Deadline deadline);

/* What is said if the daemon has other settings in force (ModeInForce.is_of_others), in English. */
extern const char *const domain_check_others;

/* The same without DMARC and notes: what a record that is only proposed comes to. */
DomainCheck *domain_check_evaluate(Settings *settings, Dns *dns, const Relays *relays,
                                   const CheckSubject *subject, Deadline deadline);
void domain_check_free(DomainCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainCheck, domain_check_free)

const Evaluation *domain_check_at(const DomainCheck *check, guint relay);
#endif
