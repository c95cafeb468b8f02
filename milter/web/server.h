#ifndef SPFROM_WEB_SERVER_H
#define SPFROM_WEB_SERVER_H

#include <glib.h>
#include <stdbool.h>

#include "web/request.h"

/* HTTP by libmicrohttpd: GET and HEAD, from one thread; what has to wait goes to jobs.h. */

#define SERVER_ERROR (server_error_quark())
typedef enum { SERVER_ERROR_ADDRESS, SERVER_ERROR_LISTEN, SERVER_ERROR_LIBRARY } ServerError;
GQuark server_error_quark(void);

/* What is answered to a request, before it becomes HTTP. */
typedef struct {
    /* RFC 9110 section 15. */
    guint status;
    /* The media type, a constant. */
    const char *type;
    GBytes *body;
    /* 303: the target; else NULL. */
    char *location;
    /* 503: seconds; else 0. */
    guint retry_after;
    /* Of the body; NULL: none. */
    const char *language;
    /* True if a browser may keep the body for some minutes. */
    bool is_kept;
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

/* How a request is answered: at once, or by any of a lane's threads, which may wait. No lane waits
 * for another, so that monitoring (SERVER_ASKS) does not suffer from slow pages. */
typedef enum {
    SERVER_NOW,
    SERVER_ASKS,   /* the daemon */
    SERVER_READS,  /* the ledger */
    SERVER_CHECKS, /* DNS */
    SERVER_LANES
} ServerLane;
typedef struct {
    ServerLane (*lane)(gpointer site, const Request *request);
    Reply *(*answer)(gpointer site, const Request *request, const char *language);
    /* A plain page for an error: status and, for 503, when to come again. */
    Reply *(*refuse)(gpointer site, guint status, const char *language);
    gpointer site;
} ServerSite;

typedef struct {
    const char *listen;       /* "ADDRESS:PORT", "[ADDRESS]:PORT", "ADDRESS", "PORT", ":PORT" */
    const char *const *hosts; /* names besides localhost and our addresses; NULL-terminated */
    const char *password;     /* see web/access.h; NULL: none */
} ServerOptions;

/* What is asked of DNS at once, so that nobody's crowd becomes that of the resolver. */
#define SERVER_CHECKS_MAX 8
#define SERVER_ASKS_MAX 2
#define SERVER_READS_MAX 2
#define SERVER_PATIENCE 2    /* seconds that a request waits for its turn; then 503 */
#define SERVER_RETRY_AFTER 5 /* seconds */

typedef struct Server Server;

/* options and site have to live as long. Returns NULL with error (SERVER_ERROR) set. */
Server *server_new(const ServerOptions *options, const ServerSite *site, GError **error);

/* Where it listens, as a URL, borrowed; and whether others than this machine can reach it. */
const char *server_url(const Server *server);
bool server_is_open_to_others(const Server *server);

/* Answers requests until stop, a file descriptor, can be read. */
void server_run(Server *server, int stop);
void server_free(Server *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Server, server_free)
#endif
