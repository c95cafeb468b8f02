#ifndef SPFROM_DOCTOR_POSTFIX_SENDER_H
#define SPFROM_DOCTOR_POSTFIX_SENDER_H

#include "doctor/findings.h"
#include "doctor/postfix.h"

/*
 * What Postfix does to a message after us: tables that replace our new envelope sender, copy or
 * route by it, and what the SMTP client changes in the header. Each table is asked for the fallback
 * addresses.
 */
void doctor_postfix_sender(Doctor *doctor, const Postfix *postfix);
#endif
