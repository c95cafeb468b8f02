#ifndef SPFROM_WEB_DAEMON_STATE_H
#define SPFROM_WEB_DAEMON_STATE_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* What the daemon says of itself ("status" on the control socket), as far as the pages show it. */
typedef struct {
    char *problem; /* for people: why it can't be asked; then nothing else is known. NULL: none */
    char *version;
    char *mode;      /* "rewrite", "log-only", "off" */
    gint64 up_since; /* wall time, as all here; 0: not known */
    gint64 mode_since;
    gint64 mode_until;         /* 0: without an end */
    bool is_switched;          /* by the switch, not the configuration */
    char *configuration_error; /* of the last reload; NULL: none */
    char *fallback_address;
    bool has_fallback_verdict;
    bool is_fallback_authorised;
    char *fallback_result;
    GPtrArray *relay_problems; /* of char * */
    bool is_relay_set_incomplete;
    guint64 ledger_errors;
} DaemonState;

/* Reads an answer of the daemon; of what is not there, or of another type, nothing is known. */
DaemonState *daemon_state_parse(const json_t *status);

/* Of a daemon that can't be asked. */
DaemonState *daemon_state_new_problem(const char *problem);
void daemon_state_free(DaemonState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DaemonState, daemon_state_free)
#endif
