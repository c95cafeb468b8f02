#ifndef SPFROM_SPF_DMARC_H
#define SPFROM_SPF_DMARC_H

#include <glib.h>
#include <stdbool.h>

#include "dns/dns.h"

/* What the owner of a domain asks receivers to do with mail that fails DMARC (RFC 7489
 * section 6.3). */
typedef enum { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT } DmarcPolicy;
const char *dmarc_policy_text(DmarcPolicy policy);

/*
 * Reads the policy out of a record such as "v=DMARC1; p=none; sp=reject". Any other text, and a
 * record without a policy that can be read, is DMARC_NONE.
 *
 * is_subdomain  whether to read it for a subdomain of the name at which it stands: sp, else p
 */
DmarcPolicy dmarc_policy_parse(const char *record, bool is_subdomain);

/*
 * Looks up the policy of domain: that of its own record, else that of the record of its
 * organizational domain. Several records at one name, or DNS trouble, are DMARC_NONE.
 *
 * record  NULL, or set to the text of the record, owned by the caller; NULL if there is none
 */
DmarcPolicy dmarc_policy_lookup(Dns *dns, const char *domain, Deadline deadline, char **record);

/*
 * The same for people, who must be told if it is not known whether there is a record.
 *
 * trouble  set to what kept DNS from answering, owned by the caller; NULL if it answered
 */
DmarcPolicy dmarc_policy_find(Dns *dns, const char *domain, Deadline deadline, char **record,
                              char **trouble);
#endif
