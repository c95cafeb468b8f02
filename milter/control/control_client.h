#ifndef SPFROM_CONTROL_CONTROL_CLIENT_H
#define SPFROM_CONTROL_CONTROL_CLIENT_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "control/control_request.h"
#include "control/daemon_status.h"
#include "policy/standing.h"

/* The client's side of the control socket (design section 12): one JSON object a line out, one in.
 */
#define CONTROL_CLIENT_ERROR (control_client_error_quark())
typedef enum {
    CONTROL_CLIENT_ERROR_ABSENT,     /* no socket there, or nobody listens: no daemon */
    CONTROL_CLIENT_ERROR_PERMISSION, /* not for this user; the message names the group that may */
    CONTROL_CLIENT_ERROR_SILENT,     /* no whole answer by the deadline */
    CONTROL_CLIENT_ERROR_ANSWER,     /* what came is no answer */
    CONTROL_CLIENT_ERROR_REFUSED,    /* the daemon says why it does not do it */
    CONTROL_CLIENT_ERROR_SYSTEM,
} ControlClientError;
GQuark control_client_error_quark(void);

/* How long the daemon has to answer, in seconds: what only looks, and what may wait for DNS or a
 * disk. */
#define CONTROL_QUICK 15
#define CONTROL_SLOW 120

/*
 * Sends request to the daemon that listens at path and waits for its answer, at most so many
 * seconds for all of it.
 *
 * Returns the answer, an object, given back with json_decref(): with "ok" false and "error" if
 * the daemon refused. NULL with error (CONTROL_CLIENT_ERROR), which says what to do, if there
 * was none.
 */
json_t *control_client_ask(const char *path, const ControlRequest *request, guint seconds,
                           GError **error);

/* The pure part: the answer in a line, any octets, given back with json_decref(); NULL: it is none.
 */
json_t *control_client_parse(const char *line, gsize length);

/* What the daemon says is wrong, borrowed from answer; NULL if it did as it was asked. */
const char *control_client_refusal(const json_t *answer);
/* Asks for the daemon's status. Returns NULL with error (CONTROL_CLIENT_ERROR) if there was none. */
DaemonStatus *control_client_status(const char *path, guint seconds, GError **error);

/*
 * The global mode in force for settings: what the daemon says that listens at their control_socket,
 * else what they say themselves; and whether it has other settings in force than these.
 */
ModeInForce control_client_mode_in_force(Settings *settings, guint seconds);

/*
 * Asks for the daemon's last messages (CONTROL_RECENT). Returns an array of MessageRecord
 * (control/message_record.h), newest first, maybe empty; NULL with error (CONTROL_CLIENT_ERROR) if
 * there was no answer.
 */
GPtrArray *control_client_recent(const char *path, const ControlRequest *request, guint seconds,
                                 GError **error);

/* The text of a member, borrowed; NULL if there is none. */
const char *control_text(const json_t *answer, const char *member);
#endif
