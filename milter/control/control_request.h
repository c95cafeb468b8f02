#ifndef SPFROM_CONTROL_CONTROL_REQUEST_H
#define SPFROM_CONTROL_CONTROL_REQUEST_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "policy/settings.h"

/* What the daemon is asked for on the control socket, as a struct and as a line of JSON (design
 * section 12): the clients write what the daemon reads. Pure. */
typedef enum {
    CONTROL_STATUS,
    CONTROL_MODE,       /* asks for it */
    CONTROL_MODE_SET,   /* "mode", and maybe "for" */
    CONTROL_MODE_CLEAR, /* "clear": true */
    CONTROL_RELOAD,
    CONTROL_FLUSH,
    CONTROL_METRICS,
    CONTROL_FIND,
    CONTROL_RESOLVE, /* a return address, a token or an author */
    CONTROL_CONFIG,  /* the value of each key in force */
    CONTROL_FLEET,   /* the hosts and the store; "forget" a host */
    CONTROL_RECENT,  /* the last messages, newest first; what is given has to match */
} ControlCommand;

#define CONTROL_RECENT_DEFAULT 20
#define CONTROL_RECENT_MAX 100

typedef struct {
    ControlCommand command;
    Mode mode;          /* CONTROL_MODE_SET */
    gint64 seconds;     /* CONTROL_MODE_SET: how long; 0: without an end */
    char *domain;       /* CONTROL_FLUSH, CONTROL_RECENT: see base/domain_name.h; NULL: all */
    char *who;          /* CONTROL_MODE_SET, CONTROL_MODE_CLEAR: the user's name; NULL: not known */
    bool is_here;       /* CONTROL_MODE_SET, CONTROL_MODE_CLEAR: for this host alone */
    char *forget;       /* CONTROL_FLEET: the name of a host; NULL: none */
    bool has_detail;    /* CONTROL_MODE and these: the answer says who, and what comes next */
    char *queue_id;     /* CONTROL_FIND, CONTROL_RECENT */
    char *message_id;   /* CONTROL_RECENT: without "<" and ">" */
    char *address;      /* CONTROL_RECENT: an addr-spec, the author's or the envelope sender's */
    char *query;        /* CONTROL_RESOLVE */
    guint limit;        /* CONTROL_RECENT: at most so many; 0: CONTROL_RECENT_DEFAULT */
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

/* Returns a new object that control_request_parse() reads as request. */
json_t *control_request_write(const ControlRequest *request);
#endif
