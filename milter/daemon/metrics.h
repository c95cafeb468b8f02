#ifndef SPFROM_DAEMON_METRICS_H
#define SPFROM_DAEMON_METRICS_H

#include <glib.h>
#include <stdbool.h>

#include "advice/watch_rows.h"
#include "fleet/fleet_store.h"
#include "mail/returned.h"
#include "policy/message_action.h"
#include "policy/settings.h"
#include "verdict/verdicts.h"

/*
 * What the daemon counts (design section 14), from its start to its end: no reload resets anything.
 * Any number of threads may count and read; there is no lock, and what has been counted before a
 * message's answer is in every snapshot after it.
 */

/* A message has its answer, or will have it as the next thing. Aborted ones are not counted. */
void metrics_count_message(MessageAction action);

/* How long a decision took. Counts all messages with a decision: not inbound or local ones. */
void metrics_count_check(gint64 microseconds);

/* The author of a message stayed for a DKIM key of ours (dkim_consent). */
void metrics_count_consent(void);

/* A returned message was passed on to the authors. */
void metrics_count_returned(ReturnKind kind);

void metrics_count_connection(void);
void metrics_count_disconnection(void);

/* A batch that the ledger could not keep. */
void metrics_count_ledger_error(void);

typedef enum {
    METRICS_FALLBACK_UNKNOWN, /* not looked up yet */
    METRICS_FALLBACK_UNAUTHORISED,
    METRICS_FALLBACK_AUTHORISED,
} MetricsFallback;

/* The last verdict on the fallback address's domain: does it authorise the relays? */
void metrics_set_fallback(MetricsFallback fallback);
MetricsFallback metrics_fallback(void);

/* Fallback addresses of sections and domain_map, as far as their domains are looked at, and how many
 * of them don't authorise the relays. */
void metrics_set_fallbacks(guint watched, guint unauthorised);

/* When the daemon started, wall time; 0: not known. */
void metrics_set_start(gint64 wall);
gint64 metrics_started(void);
/* The last reload failed, and the one before it stays in force. */
void metrics_set_reload_failed(bool has_failed);
/* domain_map could not be read anew, and the old one stays in force. */
void metrics_set_map_failed(bool has_failed);

#define METRICS_CHECK_BOUNDS 16

/* The upper ends of the histogram's buckets but the last, which has none. */
typedef struct {
    gint64 microseconds;
    const char *seconds; /* as text, in OpenMetrics' canonical form */
} MetricsBound;
extern const MetricsBound metrics_check_bounds[METRICS_CHECK_BOUNDS];

typedef struct {
    guint64 messages[MESSAGE_ACTIONS];
    guint64 consents;
    guint64 returned[RETURN_KINDS];
    guint64 checks[METRICS_CHECK_BOUNDS + 1]; /* each bucket alone, not with those below it */
    guint64 check_microseconds;
    guint64 ledger_errors;
    guint64 log_lines_lost;
    guint connections; /* now */
    MetricsFallback fallback;
    guint fallbacks, fallbacks_unauthorised;
    gint64 started; /* see metrics_started() */
    bool has_reload_failed, has_map_failed;
    guint64 returns_found, returns_unknown, returns_trouble;
    guint64 return_addresses;
    WatchSummary watch; /* .ended 0: no run of spfrom watch has ended */
    bool has_fleet;     /* and what follows is known */
    bool is_fleet_up;
    guint64 fleet_requests[FLEET_OUTCOMES];
    guint64 fleet_seconds[FLEET_SECONDS_BUCKETS]; /* each bucket alone */
    guint64 fleet_microseconds;
    bool is_in_force;  /* what follows is known; false if the daemon ends */
    Mode mode;         /* the global one, of the configuration or the switch */
    gint64 mode_until; /* wall time; 0: without an end */
    guint relays;      /* networks of the relay set */
    bool is_relay_set_complete;
    VerdictsCounters verdicts;
} MetricsSnapshot;

/* Fills snapshot with the counts of now. Each of them is exact; they are read one after the other.
 * What is counted elsewhere (the returns, the watch, the fleet) is zero: the caller adds it. */
void metrics_take(MetricsSnapshot *snapshot);

typedef enum {
    METRICS_OPENMETRICS, /* OpenMetrics 1.0; METRICS_OPENMETRICS_TYPE */
    METRICS_PROMETHEUS,  /* the older text format of Prometheus, which promtool reads, and a scraper
                            that does not ask for OpenMetrics; METRICS_PROMETHEUS_TYPE */
} MetricsFormat;

#define METRICS_OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define METRICS_PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * A snapshot as text, the same series in both formats. What is not known (a gauge of a daemon that
 * ends, the fallback's verdict before its first look-up) has no sample. Freed with g_free().
 */
char *metrics_text(const MetricsSnapshot *snapshot, MetricsFormat format);
#endif
