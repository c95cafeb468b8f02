#ifndef SPFROM_DOCTOR_FALLBACK_H
#define SPFROM_DOCTOR_FALLBACK_H

#include "doctor/findings.h"

/*
 * The fallback addresses, those of domain sections and domain_map too: does each one's domain
 * authorise the relays, has it DMARC and DKIM records, and a route for what comes back?
 */
void doctor_fallback(Doctor *doctor);
#endif
