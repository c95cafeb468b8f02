#ifndef SPFROM_WEB_SERVER_H
#define SPFROM_WEB_SERVER_H

#include <glib.h>
#include <stdbool.h>

#include "web/request.h"

/* HTTP by libmicrohttpd: GET and HEAD, from one thread. Work that has to wait goes to jobs.h. */

#define SERVER_ERROR (server_error_quark())
typedef enum { SERVER_ERROR_ADDRESS, SERVER_ERROR_LISTEN, SERVER_ERROR_LIBRARY } ServerError;
GQuark server_error_quark(void);

/* The answer to a request, before it becomes HTTP. */
typedef struct {
    /* RFC 9110 section 15. */
    guint status;
    /* The media type, a constant. */
    const char *type;
    GBytes *body;
    /* 303: the target; else NULL. */
    char *location;
    /* The name of a file that the body is to be kept in, a constant; NULL: it is to be shown. */
    const char *file_name;
    /* 503: seconds; else 0. */
    guint retry_after;
    /* Of the body; NULL: none. */
    const char *language;
    /* True if a browser may keep the body for some minutes. */
    bool is_kept;
} ServerReply;

#define SERVER_REPLY_HTML "text/html; charset=utf-8"
#define SERVER_REPLY_CSV "text/csv; charset=utf-8; header=present"
#define SERVER_REPLY_TEXT "text/plain; charset=utf-8"
#define SERVER_REPLY_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define SERVER_REPLY_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* Takes body, which is g_free()d, as its own. */
ServerReply *server_reply_new(guint status, const char *type, char *body);
/* One line of text. */
ServerReply *server_reply_text(guint status, const char *line);
void server_reply_free(ServerReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServerReply, server_reply_free)

/* A request is answered at once, or by a thread of a lane, which may wait. No lane waits for
 * another, so that slow pages do not delay monitoring (SERVER_ASKS). */
typedef enum {
    SERVER_NOW,
    /* Asks the daemon. */
    SERVER_ASKS,
    /* Reads the ledger. */
    SERVER_READS,
    /* Asks DNS. */
    SERVER_CHECKS,
    SERVER_LANES
} ServerLane;
typedef struct {
    ServerLane (*lane)(gpointer site, const Request *request);
    ServerReply *(*answer)(gpointer site, const Request *request, const char *language);
    /* A plain page for an error: status and, for 503, when to come again. */
    ServerReply *(*refuse)(gpointer site, guint status, const char *language);
    gpointer site;
} ServerSite;

typedef struct {
    /* See listen_address_parse(). */
    const char *listen;
    /* Names besides localhost and our addresses; NULL-terminated. */
    const char *const *hosts;
    /* See access_password_read(); NULL: none. */
    const char *password;
} ServerOptions;

/* Threads of each lane. Few checks run at once, so that a crowd here is not one for the resolver.
 * */
#define SERVER_CHECKS_MAX 8
#define SERVER_ASKS_MAX 2
#define SERVER_READS_MAX 2
/* Seconds that a request waits for its turn before it is answered with 503, and after which the
 * browser may try again. */
#define SERVER_PATIENCE 2
#define SERVER_RETRY_AFTER 5

typedef struct Server Server;

/* options and site have to live as long. Returns NULL with error (SERVER_ERROR) set. */
Server *server_new(const ServerOptions *options, const ServerSite *site, GError **error);

/* The URL at which it listens, borrowed, and whether other machines can reach it. */
const char *server_url(const Server *server);
bool server_is_open_to_others(const Server *server);

/* Answers requests until stop, a file descriptor, can be read. */
void server_run(Server *server, int stop);
void server_free(Server *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Server, server_free)
#endif
