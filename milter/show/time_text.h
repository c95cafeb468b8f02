#ifndef SPFROM_SHOW_TIME_TEXT_H
#define SPFROM_SHOW_TIME_TEXT_H

#include <glib.h>

/* A span as people read it, in its two largest units: "42s", "5m 10s", "2h", "3d 4h". Negative
 * ones count as 0. Owned by the caller. */
char *time_text_span(gint64 seconds);

/*
 * A time with how long ago it was, or will be, seen from now (seconds since 1970):
 * "2026-01-31T23:59:59Z (5m 10s ago)", "… (in 2h)". Owned by the caller; text that is none stays as
 * it is.
 */
char *time_text_relative(const char *text, gint64 now);
#endif
