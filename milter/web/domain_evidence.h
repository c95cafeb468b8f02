#ifndef SPFROM_WEB_DOMAIN_EVIDENCE_H
#define SPFROM_WEB_DOMAIN_EVIDENCE_H

#include "advice/domain_check.h"
#include "show/html.h"
#include "show/view.h"
#include "web/request.h"

/* What a verdict rests on: the relays, the record, the tree of its includes and what each costs,
 * DMARC, and what the configuration says besides. */
void domain_evidence_add(Html *html, const View *view, const DomainCheck *check);
#endif
