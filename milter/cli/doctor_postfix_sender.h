#ifndef SPFROM_CLI_DOCTOR_POSTFIX_SENDER_H
#define SPFROM_CLI_DOCTOR_POSTFIX_SENDER_H

#include "cli/doctor_context.h"
#include "cli/doctor_postfix.h"

/*
 * What Postfix does to a message after us: tables that replace our new envelope sender, copy or
 * route by it, and what the SMTP client changes in the header. Each table is asked for the fallback
 * addresses.
 */
void doctor_postfix_sender(Doctor *doctor, const Postfix *postfix);
#endif
