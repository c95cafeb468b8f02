#include "config.h"

#include "web/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/language.h"
#include "base/log.h"
#include "web/access.h"
#include "web/jobs.h"
#include "web/listen_address.h"
#include "web/peers.h"

#define CONNECTIONS_MAX 1500
/* Files besides connections: DNS, the ledger, the daemon. */
#define OTHER_FILES 200
/* Octets for a target, its fields, and those of the answer. */
#define CONNECTION_MEMORY ((size_t)16 * 1024)
/* Milliseconds. */
#define TICK 250
#define DRAIN_TIME CLOCK_SECOND

G_DEFINE_QUARK(spfrom_server_error, server_error)

struct Server {
    const ServerOptions *options;
    const ServerSite *site;
    struct MHD_Daemon *daemon;
    Peers *peers;
    /* SERVER_NOW has none. */
    Jobs *lanes[SERVER_LANES];
    /* An eventfd that wakes the loop when a suspended connection can go on. */
    int wake;
    char *url;
    bool is_open_to_others;
};

/* One request on its way to its answer; libmicrohttpd's pointer to a request. */
typedef struct {
    Server *server;
    struct MHD_Connection *connection;
    /* handle() was called for the fields of the header. */
    bool has_fields;
    bool is_too_long;
    Request *request;
    const char *language;
    /* While the connection is suspended, a thread of jobs.h may set it. */
    ServerReply *reply;
} Exchange;

ServerReply *server_reply_new(guint status, const char *type, char *body)
{
    ServerReply *reply = g_new0(ServerReply, 1);

    reply->status = status;
    reply->type = type;
    reply->body = g_bytes_new_take(body, strlen(body));
    return reply;
}

ServerReply *server_reply_text(guint status, const char *line)
{
    return server_reply_new(status, SERVER_REPLY_TEXT, g_strconcat(line, "\n", NULL));
}

void server_reply_free(ServerReply *reply)
{
    g_bytes_unref(reply->body);
    g_free(reply->location);
    g_free(reply);
}

static gint64 now(void)
{
    return clock_monotonic(&clock_system);
}

static Peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info != NULL ? info->connect_fd : -1;
}

static void note_connection(void *data, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode code)
{
    Server *server = data;

    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = peers_add(server->peers, socket_of(connection), now());
    else if (*context != NULL)
        peers_remove(server->peers, g_steal_pointer(context));
}

/* Reads the target as it came. libmicrohttpd's own reading of it is not used. */
static void *begin(void *data, const char *target, struct MHD_Connection *connection)
{
    Exchange *exchange = g_new0(Exchange, 1);

    exchange->server = data;
    exchange->connection = connection;
    exchange->is_too_long = strlen(target) > REQUEST_TARGET_MAX;
    exchange->request = request_parse(exchange->is_too_long ? "" : target);
    exchange->language = LANGUAGE_ENGLISH;
    return exchange;
}

static void end(void *data, struct MHD_Connection *connection, void **context,
                enum MHD_RequestTerminationCode code G_GNUC_UNUSED)
{
    Server *server = data;
    Exchange *exchange = g_steal_pointer(context);
    Peer *peer = peer_of(connection);

    if (peer != NULL)
        peers_note_end(server->peers, peer, now());
    if (exchange == NULL)
        return;
    g_clear_pointer(&exchange->reply, server_reply_free);
    request_free(exchange->request);
    g_free(exchange);
}

static const char *field(const Exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

static const struct {
    const char *name;
    const char *value;
} always[] = {
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
     "base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"}, /* browsers that don't know frame-ancestors */
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"X-Robots-Tag", "noindex, nofollow"},
};

static void add_number(struct MHD_Response *response, const char *name, guint number)
{
    g_autofree char *text = g_strdup_printf("%u", number);

    MHD_add_response_header(response, name, text);
}

static void add_file_name(struct MHD_Response *response, const char *name)
{
    g_autofree char *disposition = g_strdup_printf("attachment; filename=\"%s\"", name);

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
}

static void add_language(struct MHD_Response *response, const ServerReply *reply,
                         const char *chosen_language)
{
    g_autofree char *cookie = NULL;

    if (reply->language == NULL)
        return;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_LANGUAGE, reply->language);
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Language, Cookie");
    if (chosen_language == NULL)
        return;
    cookie = request_language_cookie(chosen_language);
    MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, cookie);
}

/*
 * The fields that go with a reply: what the body is, and what a browser may do with it (nothing but
 * to show it with our style sheet and script).
 *
 * chosen_language  what the reader chose by a link, to be kept in a cookie; NULL: nothing
 */
static void add_headers(struct MHD_Response *response, const ServerReply *reply,
                        const char *chosen_language)
{
    for (size_t i = 0; i < G_N_ELEMENTS(always); i++)
        MHD_add_response_header(response, always[i].name, always[i].value);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            reply->is_kept ? "private, max-age=300" : "no-store");
    add_language(response, reply, chosen_language);
    if (reply->file_name != NULL)
        add_file_name(response, reply->file_name);
    if (reply->location != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, reply->location);
    if (reply->retry_after > 0)
        add_number(response, MHD_HTTP_HEADER_RETRY_AFTER, reply->retry_after);
    if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (reply->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                "Basic realm=\"spfrom\", charset=\"UTF-8\"");
}

static enum MHD_Result send_reply(Exchange *exchange)
{
    const ServerReply *reply = exchange->reply;
    gsize length;
    const void *body = g_bytes_get_data(reply->body, &length);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, (void *)body, MHD_RESPMEM_MUST_COPY);
    Peer *peer = peer_of(exchange->connection);
    enum MHD_Result result;

    if (response == NULL)
        return MHD_NO;
    add_headers(response, reply, exchange->request->language);
    if (peer != NULL)
        peers_note_answer(exchange->server->peers, peer, now());
    result = MHD_queue_response(exchange->connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static ServerReply *refusal(const Exchange *exchange, guint status)
{
    const ServerSite *site = exchange->server->site;

    return site->refuse(site->site, status, exchange->language);
}

static enum MHD_Result refuse(Exchange *exchange, guint status)
{
    exchange->reply = refusal(exchange, status);
    return send_reply(exchange);
}

/* libmicrohttpd wakes only its own loop, hence the eventfd. exchange may be gone when this
 * returns. */
static void resume(Exchange *exchange)
{
    int wake = exchange->server->wake;

    MHD_resume_connection(exchange->connection);
    eventfd_write(wake, 1); /* fails only if the loop is awake anyway */
}

static void run_job(gpointer job)
{
    Exchange *exchange = job;
    const ServerSite *site = exchange->server->site;

    exchange->reply = site->answer(site->site, exchange->request, exchange->language);
    resume(exchange);
}

static void give_up_job(gpointer job)
{
    Exchange *exchange = job;

    exchange->reply = refusal(exchange, MHD_HTTP_SERVICE_UNAVAILABLE);
    exchange->reply->retry_after = SERVER_RETRY_AFTER;
    resume(exchange);
}

static bool is_host_ours(const Exchange *exchange)
{
    g_autofree char *local = NULL;
    ListenAddress address;

    if (!listen_address_of(socket_of(exchange->connection), &address))
        return false;
    local = listen_address_host(&address);
    return access_host_is_ours(field(exchange, MHD_HTTP_HEADER_HOST), local,
                               exchange->server->options->hosts);
}

static bool is_allowed(const Exchange *exchange)
{
    const char *password = exchange->server->options->password;

    return password == NULL || exchange->request->route == ROUTE_HEALTH ||
           access_password_is_right(password, field(exchange, MHD_HTTP_HEADER_AUTHORIZATION));
}

static const char *language_of(const Exchange *exchange)
{
    const char *language = exchange->request->language;

    if (language == NULL)
        language = request_language_of_cookies(field(exchange, MHD_HTTP_HEADER_COOKIE));
    return language != NULL
               ? language
               : request_language_negotiate(field(exchange, MHD_HTTP_HEADER_ACCEPT_LANGUAGE));
}

/* Returns the status with which the request is refused, or 0. */
static guint problem_of(const Exchange *exchange, const char *method)
{
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    if (exchange->is_too_long || exchange->request->is_too_long)
        return MHD_HTTP_URI_TOO_LONG;
    if (!is_host_ours(exchange))
        return MHD_HTTP_MISDIRECTED_REQUEST;
    return is_allowed(exchange) ? 0 : MHD_HTTP_UNAUTHORIZED;
}

static enum MHD_Result answer(Exchange *exchange)
{
    Server *server = exchange->server;
    const ServerSite *site = server->site;
    ServerLane lane = site->lane(site->site, exchange->request);

    if (lane == SERVER_NOW) {
        exchange->reply = site->answer(site->site, exchange->request, exchange->language);
        return send_reply(exchange);
    }
    MHD_suspend_connection(exchange->connection);
    jobs_add(server->lanes[lane], exchange, now());
    return MHD_YES;
}

/* libmicrohttpd calls it with the fields of a request, then with the whole of it, and once more
 * when its suspended connection goes on. */
static enum MHD_Result handle(void *data, struct MHD_Connection *connection,
                              const char *target G_GNUC_UNUSED, const char *method,
                              const char *version G_GNUC_UNUSED, const char *body G_GNUC_UNUSED,
                              size_t *body_length, void **context)
{
    Server *server = data;
    Exchange *exchange = *context;
    Peer *peer = peer_of(connection);
    guint problem;

    if (exchange == NULL)
        return MHD_NO;
    if (!exchange->has_fields) {
        exchange->has_fields = true;
        exchange->language = language_of(exchange);
        request_note_accept(exchange->request, field(exchange, MHD_HTTP_HEADER_ACCEPT));
        problem = problem_of(exchange, method);
        return problem != 0 ? refuse(exchange, problem) : MHD_YES;
    }
    if (*body_length > 0) { /* a GET has no body that means anything */
        *body_length = 0;
        return MHD_YES;
    }
    if (exchange->reply != NULL)
        return send_reply(exchange);
    if (peer != NULL)
        peers_note_request(server->peers, peer);
    return answer(exchange);
}

static void write_log(void *data G_GNUC_UNUSED, const char *format, va_list arguments)
    G_GNUC_PRINTF(2, 0);

static void write_log(void *data G_GNUC_UNUSED, const char *format, va_list arguments)
{
    g_autofree char *text = g_strdup_vprintf(format, arguments);

    log_write(LOG_DEBUG, "libmicrohttpd: %s", g_strchomp(text));
}

/* As many connections as the limit of open files allows. */
static guint connections_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return CONNECTIONS_MAX / 2;
    if (limit.rlim_cur < CONNECTIONS_MAX + OTHER_FILES) {
        limit.rlim_cur = MIN(limit.rlim_max, CONNECTIONS_MAX + OTHER_FILES);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return (guint)CLAMP(limit.rlim_cur, 2 * OTHER_FILES, CONNECTIONS_MAX + OTHER_FILES) -
           OTHER_FILES;
}

static bool start(Server *server, int listener, GError **error)
{
    guint connections = connections_max();

    server->peers = peers_new(connections);
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle, server,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)PEERS_ANSWER_TIME, MHD_OPTION_NOTIFY_CONNECTION, note_connection, server,
        MHD_OPTION_NOTIFY_COMPLETED, end, server, MHD_OPTION_URI_LOG_CALLBACK, begin, server,
        MHD_OPTION_EXTERNAL_LOGGER, write_log, NULL, MHD_OPTION_END);
    if (server->daemon != NULL)
        return true;
    g_set_error_literal(error, SERVER_ERROR, SERVER_ERROR_LIBRARY, "libmicrohttpd does not start");
    close(listener);
    return false;
}

static bool start_lanes(Server *server, GError **error)
{
    static const guint threads[SERVER_LANES] = {[SERVER_ASKS] = SERVER_ASKS_MAX,
                                                [SERVER_READS] = SERVER_READS_MAX,
                                                [SERVER_CHECKS] = SERVER_CHECKS_MAX};
    static const char *const names[SERVER_LANES] = {
        [SERVER_ASKS] = "web-asks", [SERVER_READS] = "web-reads", [SERVER_CHECKS] = "web-checks"};

    for (ServerLane lane = SERVER_NOW + 1; lane < SERVER_LANES; lane++) {
        server->lanes[lane] = jobs_new(names[lane], threads[lane], SERVER_PATIENCE * CLOCK_SECOND,
                                       run_job, give_up_job, error);
        if (server->lanes[lane] == NULL)
            return false;
    }
    return true;
}

Server *server_new(const ServerOptions *options, const ServerSite *site, GError **error)
{
    g_autoptr(Server) server = g_new0(Server, 1);
    ListenAddress address;
    int listener;

    server->options = options;
    server->site = site;
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!listen_address_parse(options->listen, &address, error))
        return NULL;
    listener = listen_address_open(&address, error);
    if (listener < 0)
        return NULL;
    listen_address_of(listener, &address);
    server->url = listen_address_url(&address);
    server->is_open_to_others = !listen_address_is_loopback(&address);
    if (server->wake < 0) {
        g_set_error(error, SERVER_ERROR, SERVER_ERROR_LIBRARY, "eventfd: %s", g_strerror(errno));
        close(listener);
        return NULL;
    }
    if (!start(server, listener, error) || !start_lanes(server, error))
        return NULL;
    return g_steal_pointer(&server);
}

const char *server_url(const Server *server)
{
    return server->url;
}

bool server_is_open_to_others(const Server *server)
{
    return server->is_open_to_others;
}

/* Waits for work for at most a tick and lets libmicrohttpd do it. Returns true if stop can be
 * read. */
static bool turn(Server *server, int stop)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd files[] = {{.fd = info->epoll_fd, .events = POLLIN},
                             {.fd = stop, .events = POLLIN},
                             {.fd = server->wake, .events = POLLIN}};
    eventfd_t wakes;
    MHD_UNSIGNED_LONG_LONG timeout;
    int wait = TICK;

    if (MHD_get_timeout(server->daemon, &timeout) == MHD_YES)
        wait = (int)MIN(timeout, TICK);
    if (poll(files, G_N_ELEMENTS(files), wait) < 0 && errno != EINTR)
        return true;
    eventfd_read(server->wake, &wakes); /* fails if nothing woke us */
    MHD_run(server->daemon);
    for (ServerLane lane = SERVER_NOW + 1; lane < SERVER_LANES; lane++)
        jobs_expire(server->lanes[lane], now());
    peers_sweep(server->peers, now());
    return (files[1].revents & POLLIN) != 0;
}

void server_run(Server *server, int stop)
{
    while (!turn(server, stop))
        ;
}

/* Gives answers that are on their way the time to arrive. */
static void drain(Server *server)
{
    gint64 deadline = now() + DRAIN_TIME;

    for (ServerLane lane = SERVER_NOW + 1; lane < SERVER_LANES; lane++)
        if (server->lanes[lane] != NULL)
            jobs_stop(server->lanes[lane]);
    do
        MHD_run(server->daemon);
    while (peers_answering(server->peers) > 0 && now() < deadline && !turn(server, -1));
}

void server_free(Server *server)
{
    if (server->daemon != NULL) {
        drain(server);
        MHD_stop_daemon(server->daemon);
    }
    for (ServerLane lane = SERVER_NOW + 1; lane < SERVER_LANES; lane++)
        g_clear_pointer(&server->lanes[lane], jobs_free);
    g_clear_pointer(&server->peers, peers_free);
    if (server->wake >= 0)
        close(server->wake);
    g_free(server->url);
    g_free(server);
}
