#ifndef SPFROM_BASE_CLOCK_H
#define SPFROM_BASE_CLOCK_H

#include <glib.h>

/*
 * Time as a value that callers pass on, so that a test can supply its own.
 *
 * Monotonic time is in microseconds since some start and never jumps: for deadlines, TTLs and
 * durations. Wall time is in microseconds since 1970 (UTC): for what people read.
 */
#define CLOCK_SECOND G_GINT64_CONSTANT(1000000)
#define CLOCK_MILLISECOND G_GINT64_CONSTANT(1000)

/* The last whole second of the year 9999; RFC 3339 knows no later one. */
#define CLOCK_WALL_MAX (G_GINT64_CONSTANT(253402300799) * CLOCK_SECOND)

typedef struct {
    gint64 (*monotonic)(void *hook);
    gint64 (*wall)(void *hook);
    void *hook; /* given to both; NULL for clock_system */
} Clock;

extern const Clock clock_system;

gint64 clock_monotonic(const Clock *clock);
gint64 clock_wall(const Clock *clock);

#define CLOCK_ERROR (clock_error_quark())
typedef enum { CLOCK_ERROR_SPAN } ClockError;
GQuark clock_error_quark(void);

/*
 * Reads a span of time as the configuration and the command line write it: "10s", "5m", "2h", "1d",
 * or seconds without a unit. At most 10 years.
 *
 * Returns the span in seconds, or -1 with error (CLOCK_ERROR) set.
 */
gint64 clock_span_parse(const char *text, GError **error);

/* Returns wall time as RFC 3339 text in UTC ("2026-01-31T23:59:59Z"), owned by the caller; 1970 to
 * 9999. */
char *clock_rfc3339(gint64 wall);

/* Returns the wall time of RFC 3339 text; 0 if text is NULL or not a time from 1970 to 9999. */
gint64 clock_rfc3339_parse(const char *text);
#endif
