#ifndef SPFROM_CONTROL_DAEMON_STATUS_H
#define SPFROM_CONTROL_DAEMON_STATUS_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "policy/message_action.h"
#include "policy/verdict.h"

/*
 * What the daemon says of itself: the answers to "status" and "mode" on the control socket (design
 * section 12), as structs and as JSON. The daemon fills a struct; `spfrom status`, `spfrom mode`,
 * `spfrom doctor` and the web read it. A member is a line here and a line in daemon_status.c, whose
 * order is that of the JSON.
 *
 * Times are wall time in microseconds, in JSON RFC 3339 text. Everything is owned by the struct.
 * Pure.
 */
typedef enum { DAEMON_STATUS_UNKNOWN, DAEMON_STATUS_NO, DAEMON_STATUS_YES } DaemonStatusAnswer;

typedef struct {
    /* "rewrite", "log-only" or "off"; NULL: unknown */
    char *mode;
    gint64 since;
    /* what set it: "configuration" or "switch" */
    char *by;
    /* 0: without an end */
    gint64 until;
    /* the user who switched; NULL: not known */
    char *who;
    /* with an end: the mode that comes then; else NULL */
    char *next;
    /* settings_digest() of the settings in force; NULL: not known */
    char *digest;
    /* in a fleet, where it was switched, or whose configuration counts; NULL: there is no fleet */
    char *host;
    /* was it switched for that host alone? UNKNOWN: there is no fleet, and it was not */
    DaemonStatusAnswer here;
} DaemonStatusMode;

typedef struct {
    char *version;
    gint64 pid;
    gint64 up_since;
    /* the keys of these names, as they were when the daemon started */
    char *socket;
    char *control_socket;
    char *state_dir;
    DaemonStatusMode mode;
    /* what the configuration says, whatever the switch does */
    char *mode_configured;
    struct {
        char *file;
        gint64 loaded;
        /* of the last reload; NULL: none */
        char *error;
    } configuration;
    struct {
        char **networks;
        DaemonStatusAnswer complete;
        /* "all" or "any" of the networks must be authorised */
        char *policy;
        /* why a relay host could not be looked up, for people */
        char **problems;
    } relay_set;
    struct {
        char *address;
        /* does the domain of address authorise the relays? */
        DaemonStatusAnswer authorised;
        char *result;
        char *relay;
        char *mechanism;
        char *reason;
        gint64 checked;
    } fallback;
    /* fallback addresses of sections and domain_map */
    struct {
        gint64 watched;
        /* whose domain does not authorise the relays; the list may be cut */
        gint64 unauthorised;
        char **list;
    } other_fallbacks;
    /* of MTAs, now */
    gint64 connections;
    /* counts, like all below, are those since the daemon's start */
    gint64 messages[MESSAGE_ACTIONS];
    gint64 ledger_errors;
    struct {
        char *file;
        /* why it can't be written; NULL: it can */
        char *error;
        gint64 written;
        gint64 waiting;
        gint64 written_at;
    } ledger;
    gint64 verdicts[SPF_RESULTS];
    struct {
        gint64 entries;
        gint64 size;
        gint64 hit;
        gint64 miss;
        gint64 wait;
        gint64 stale;
        gint64 evaluations;
    } cache;
    struct {
        /* the servers that it is asked through, for people */
        char *source;
        gint64 found;
        gint64 no_data;
        gint64 no_name;
        gint64 trouble;
        gint64 last_answer;
        gint64 last_trouble;
    } dns;
    /* the way back: all NULL and 0 unless an address carries a token */
    struct {
        /* return_address that is in force; NULL: none */
        char *address;
        /* does its domain authorise the relays? */
        DaemonStatusAnswer authorised;
        /* where the MTA asks; NULL: nowhere */
        char *socket;
        char *file;
        /* why the file can't be written; NULL: it can */
        char *error;
        gint64 addresses;
        /* questions of the MTA, by outcome */
        gint64 found;
        gint64 unknown;
        gint64 trouble;
    } returns;
    /* the fleet: all NULL and 0 if there is none */
    struct {
        /* is the store there? */
        DaemonStatusAnswer up;
        /* the member that is used, or was last */
        char *store;
        /* of the last change between up and down */
        gint64 since;
        /* why it is down */
        char *error;
        gint64 hosts;
        /* names of those that were not seen for a minute, that differ, that share a name */
        char **unseen;
        char **differing;
        char **doubled;
    } fleet;
} DaemonStatus;

/* Returns the answer, a new object with "ok": true. Text that is not UTF-8 is made valid. */
json_t *daemon_status_write(const DaemonStatus *status);

/*
 * Reads an answer. A member that is missing or of another type, as an older or newer daemon may
 * send it, stays NULL, 0 or DAEMON_STATUS_UNKNOWN; a member that is not known is skipped. An element
 * of a list that is not text is read as "?". Counts are at most DAEMON_STATUS_COUNT_MAX, so that
 * sums and small multiples of them do not overflow.
 */
#define DAEMON_STATUS_COUNT_MAX (G_MAXINT64 / 16)
DaemonStatus *daemon_status_read(const json_t *answer);
void daemon_status_free(DaemonStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DaemonStatus, daemon_status_free)

/* The same for the answer to "mode"; who, next and digest are its detail. */
json_t *daemon_status_mode_write(const DaemonStatusMode *mode, bool has_detail);
DaemonStatusMode *daemon_status_mode_read(const json_t *answer);
void daemon_status_mode_free(DaemonStatusMode *mode);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DaemonStatusMode, daemon_status_mode_free)
#endif
