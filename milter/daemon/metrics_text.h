#ifndef SPFROM_DAEMON_METRICS_TEXT_H
#define SPFROM_DAEMON_METRICS_TEXT_H

#include "daemon/metrics.h"

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
