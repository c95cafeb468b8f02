#ifndef SPFROM_DOCTOR_DNS_H
#define SPFROM_DOCTOR_DNS_H

#include "doctor/findings.h"

/* Do the resolvers answer, and soon? Is what they say validated? */
void doctor_dns(Doctor *doctor);

/* What relay_hosts stands for now. */
void doctor_relays(Doctor *doctor);

/* Is network (or one address) within the relay set? False if the relay set is not known. */
bool doctor_dns_has_relay(const Doctor *doctor, const Network *network);
#endif
