#ifndef SPFROM_CLI_DOCTOR_POSTFIX_ROUTE_H
#define SPFROM_CLI_DOCTOR_POSTFIX_ROUTE_H

#include "cli/doctor_context.h"
#include "cli/doctor_postfix.h"

/*
 * Does mail leave where relay_hosts says? Looks at relayhost and its like, at smtp_bind_address and
 * this host's addresses, and at the mail that Postfix itself writes.
 */
void doctor_postfix_route(Doctor *doctor, const Postfix *postfix);

/*
 * The domain in whose SPF record the operator of a submission host lists the pools that deliver:
 * amazonses.com for email-smtp.eu-west-1.amazonaws.com. NULL for a host that isn't known. Pure.
 */
const char *doctor_postfix_provider(const char *host);
#endif
