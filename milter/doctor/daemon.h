#ifndef SPFROM_DOCTOR_DAEMON_H
#define SPFROM_DOCTOR_DAEMON_H

#include "doctor/findings.h"

/* Does our daemon answer at socket and at control_socket, and is it what is installed here? */
void doctor_daemon(Doctor *doctor);

/*
 * May user, the account of an MTA, connect to our unix socket? Says nothing of a TCP socket.
 *
 * mta  its name, for people
 */
void doctor_daemon_reach(Doctor *doctor, const char *mta, const char *user);

/*
 * Adds a finding if our socket is a TCP port: whoever can connect to a milter can say that any
 * message passes, and libmilter believes packets that end it. A unix socket keeps others out.
 * Returns the finding, for the MTA's mend, or NULL.
 */
Finding *doctor_daemon_port(Doctor *doctor);
#endif
