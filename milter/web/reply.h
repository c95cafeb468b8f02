#ifndef SPFROM_WEB_REPLY_H
#define SPFROM_WEB_REPLY_H

#include <glib.h>
#include <stdbool.h>

/* What is answered to a request, before it becomes HTTP. */
typedef struct {
    guint status;     /* RFC 9110 section 15 */
    const char *type; /* the media type, a constant */
    GBytes *body;
    char *location;       /* 303: the target; else NULL */
    guint retry_after;    /* 503: seconds; else 0 */
    const char *language; /* of the body; NULL: none */
    bool is_kept;         /* a browser may keep the body for some minutes */
} Reply;

#define REPLY_HTML "text/html; charset=utf-8"
#define REPLY_TEXT "text/plain; charset=utf-8"
#define REPLY_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define REPLY_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* Takes body, which is g_free()d, as its own. */
Reply *reply_new(guint status, const char *type, char *body);
/* One line of text. */
Reply *reply_new_text(guint status, const char *line);
void reply_free(Reply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reply, reply_free)
#endif
