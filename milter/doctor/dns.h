#ifndef SPFROM_DOCTOR_DNS_H
#define SPFROM_DOCTOR_DNS_H

#include "doctor/findings.h"

/* Do the resolvers answer, and soon? Are their answers validated? */
void doctor_dns(Doctor *doctor);

/* Resolves relay_hosts into the doctor's relay set, and says what it stands for now. */
void doctor_dns_relays(Doctor *doctor);

/* Looks name up, within dns_timeout; doctor->dns may not be NULL. */
DnsAnswer *doctor_dns_lookup(const Doctor *doctor, const char *name, DnsType type);

/* Is network (or one address) within the relay set? False if the relay set is not known. */
bool doctor_dns_has_relay(const Doctor *doctor, const Network *network);

/*
 * Is the host that an MTA hands mail to in the relay set? doctor->dns may not be NULL.
 *
 * parameter  of the MTA's configuration
 * text       its value: "[mail.example.net]:587", "example.net" (by its MX)
 */
void doctor_dns_next_hop(Doctor *doctor, const char *parameter, const char *text);

/*
 * The domain in whose SPF record the operator of a submission host lists the hosts that deliver:
 * amazonses.com for email-smtp.eu-west-1.amazonaws.com. NULL if the host is not known. Pure.
 */
const char *doctor_dns_provider(const char *host);
#endif
