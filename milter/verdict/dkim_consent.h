#ifndef SPFROM_VERDICT_DKIM_CONSENT_H
#define SPFROM_VERDICT_DKIM_CONSENT_H

#include <glib.h>
#include <stdbool.h>

#include "dns/dns.h"
#include "policy/settings.h"

/*
 * DKIM as consent (design section 20): a domain that publishes our key under one of our selectors lets
 * us sign its mail, and receivers take that for SPF.
 */

/* The domain whose keys owners publish: dkim_consent_domain, else that of the fallback address in force
 * for domain. Borrowed. */
const char *dkim_consent_key_domain(Settings *settings, const char *domain);

/*
 * The questions for the keys of one domain and our own, under way all at once. The answers are nobody's
 * if they are not wanted in the end.
 */
typedef struct DkimConsent DkimConsent;

/* Asks, and does not wait. settings and dns have to live as long. NULL: there is nothing to ask, since
 * dkim_consent is empty or domain is that of the keys. */
DkimConsent *dkim_consent_new(Settings *settings, Dns *dns, const char *domain, Deadline deadline);

/*
 * Waits for the answers, at most until the deadline.
 *
 * ttl         made smaller to the smallest of all answers; 0 if there was DNS trouble
 * is_unknown  set to whether there is none so far, and DNS trouble hides whether there is
 * Returns the first selector of dkim_consent whose key is ours and usable, borrowed from settings;
 * NULL if there is none, or if that is unknown.
 */
const char *dkim_consent_selector(DkimConsent *consent, guint32 *ttl, bool *is_unknown);
void dkim_consent_free(DkimConsent *consent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimConsent, dkim_consent_free)

/* All of that in one; NULL if there is nothing to ask, too. */
const char *dkim_consent_find(Settings *settings, Dns *dns, const char *domain, Deadline deadline,
                              guint32 *ttl, bool *is_unknown);
#endif
