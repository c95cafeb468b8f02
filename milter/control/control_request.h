#ifndef SPFROM_CONTROL_CONTROL_REQUEST_H
#define SPFROM_CONTROL_CONTROL_REQUEST_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"

/* One line of the control socket, read (design section 12). Pure. */
typedef enum {
    CONTROL_STATUS,
    CONTROL_MODE,       /* asks for it */
    CONTROL_MODE_SET,   /* "mode", and maybe "for" */
    CONTROL_MODE_CLEAR, /* "clear": true */
    CONTROL_RELOAD,
    CONTROL_FLUSH,
    CONTROL_METRICS,
    CONTROL_FIND,
} ControlCommand;

typedef struct {
    ControlCommand command;
    Mode mode;          /* CONTROL_MODE_SET */
    gint64 seconds;     /* CONTROL_MODE_SET: how long; 0: without an end */
    char *domain;       /* CONTROL_FLUSH: see base/domain_name.h; NULL: all */
    char *queue_id;     /* CONTROL_FIND */
    bool is_prometheus; /* CONTROL_METRICS: in the older format of Prometheus, else OpenMetrics */
} ControlRequest;

void control_request_clear(ControlRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ControlRequest, control_request_clear)

#define CONTROL_REQUEST_ERROR (control_request_error_quark())
typedef enum { CONTROL_REQUEST_ERROR_JSON, CONTROL_REQUEST_ERROR_MEMBER } ControlRequestError;
GQuark control_request_error_quark(void);

/*
 * Reads a line, any octets. Returns false with error (CONTROL_REQUEST_ERROR) set, which says what
 * to write; request is then empty.
 */
bool control_request_parse(const char *line, gsize length, ControlRequest *request, GError **error);
#endif
