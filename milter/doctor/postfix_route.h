#ifndef SPFROM_DOCTOR_POSTFIX_ROUTE_H
#define SPFROM_DOCTOR_POSTFIX_ROUTE_H

#include "doctor/postfix.h"

/*
 * What does Postfix do to a message after us? Looks at local_mailers, whose mail may leave the
 * house all the same; at the tables that replace the envelope sender or the header, or route by
 * them, each asked for the fallback addresses; and at whether mail leaves from the hosts of
 * relay_hosts.
 */
void doctor_postfix_route(Doctor *doctor, const Postfix *postfix);
#endif
