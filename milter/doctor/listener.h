#ifndef SPFROM_DOCTOR_LISTENER_H
#define SPFROM_DOCTOR_LISTENER_H

#include <glib.h>
#include <stdbool.h>

#include "doctor/milter_address.h"

/*
 * Which program listens at address on this machine: the name of its process ("opendkim"), or that
 * of the script that an interpreter runs. NULL where that is not to be seen: nobody listens,
 * another machine, or we are not root. Owned by the caller.
 */
char *doctor_listener_program(const MilterAddress *address);

/*
 * Begins a conversation with the milter on the socket fd and ends it: version and steps of the
 * milter protocol, no message. Returns false where no milter answers within milliseconds.
 */
bool doctor_listener_negotiate(int fd, guint milliseconds);

/* A milter that operators run beside ours. */
typedef struct {
    const char *name; /* "OpenDKIM" */
    bool is_signer;   /* what it signs must not change after it */
} KnownMilter;

/*
 * Which milter is that?
 *
 * program       see doctor_listener_program(); NULL: not known, then the path or the usual port
 * tell address_text  as the MTA's configuration has it address       NULL: not understood Returns
 * NULL for one that is not known.
 */
const KnownMilter *doctor_listener_known(const char *program, const char *address_text,
                                         const MilterAddress *address);
#endif
