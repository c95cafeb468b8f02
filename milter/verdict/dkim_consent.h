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
 * Asks for the keys of domain and our own, all at once.
 *
 * ttl  made smaller to the smallest of all answers; 0 if there was DNS trouble
 * Returns the first selector of dkim_consent whose key is ours and usable, borrowed from settings;
 * NULL if there is none, if the DNS does not say, or if domain is that of the keys.
 */
const char *dkim_consent_find(Settings *settings, Dns *dns, const char *domain, Deadline deadline,
                              guint32 *ttl);
#endif
