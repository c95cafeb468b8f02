#ifndef SPFROM_DOCTOR_DNS_H
#define SPFROM_DOCTOR_DNS_H

#include "doctor/context.h"

/* Do the resolvers answer, and soon? Is what they say validated? */
void doctor_dns(Doctor *doctor);

/* What relay_hosts stands for now. */
void doctor_relays(Doctor *doctor);
#endif
