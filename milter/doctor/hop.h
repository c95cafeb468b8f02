#ifndef SPFROM_DOCTOR_HOP_H
#define SPFROM_DOCTOR_HOP_H

#include "doctor/findings.h"

/*
 * Is the place that an MTA hands mail to in the relay set? doctor->dns may not be NULL.
 *
 * parameter  of the MTA's configuration
 * text       its value: "[mail.example.net]:587", "example.net" (by its MX)
 */
void doctor_hop_examine(Doctor *doctor, const char *parameter, const char *text);

/*
 * The domain in whose SPF record the operator of a submission host lists the pools that deliver:
 * amazonses.com for email-smtp.eu-west-1.amazonaws.com. NULL for a host that isn't known. Pure.
 */
const char *doctor_hop_provider(const char *host);
#endif
