#ifndef SPFROM_DAEMON_SELF_PROBE_H
#define SPFROM_DAEMON_SELF_PROBE_H

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>

/*
 * Does the daemon answer an MTA? A connection to its own socket that negotiates, as an MTA does,
 * and goes: it needs libmilter's loop, one of its workers, and a file descriptor.
 */
typedef struct {
    struct sockaddr_storage address;
    socklen_t length;
} SelfProbe;

typedef enum {
    SELF_PROBE_ANSWERED,
    SELF_PROBE_SILENT, /* nobody listens, or there was no answer in time */
    SELF_PROBE_UNABLE, /* could not ask: no descriptor, no permission. Says nothing of the daemon */
} SelfProbeResult;

/* socket is the key of that name (design section 11). May look a host name up. Returns whether it
 * can be asked. */
bool self_probe_init(SelfProbe *probe, const char *socket);

/* Connecting and the answer may each take so many milliseconds. */
SelfProbeResult self_probe_ask(const SelfProbe *probe, guint patience);
#endif
