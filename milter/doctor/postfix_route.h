#ifndef SPFROM_DOCTOR_POSTFIX_ROUTE_H
#define SPFROM_DOCTOR_POSTFIX_ROUTE_H

#include "doctor/findings.h"
#include "doctor/postfix.h"

/*
 * Does mail leave where relay_hosts says? Looks at relayhost and its like, at smtp_bind_address and
 * this host's addresses, and at the mail that Postfix itself writes.
 */
void doctor_postfix_route(Doctor *doctor, const Postfix *postfix);
#endif
