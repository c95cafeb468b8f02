#ifndef SPFROM_DOCTOR_DAEMON_H
#define SPFROM_DOCTOR_DAEMON_H

#include "doctor/findings.h"

/* Does our daemon answer at socket and at control_socket, and is it what this installation says? */
void doctor_daemon(Doctor *doctor);

/*
 * May user, the account of an MTA, connect to our unix socket? Says nothing for inet.
 *
 * mta  its name, for people
 */
void doctor_daemon_reach(Doctor *doctor, const char *mta, const char *user);
#endif
