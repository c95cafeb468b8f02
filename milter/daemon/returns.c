#include "config.h"

#include "daemon/returns.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/live_settings.h"
#include "daemon/unix_socket.h"
#include "mail/mailboxes.h"
#include "returns/socketmap_server.h"

#define BACKLOG 1024
#define UNIX_PREFIX "unix:"
#define PATIENCE 1 /* seconds that one answer may take: the others wait meanwhile */

G_DEFINE_QUARK(spfrom_returns_error, returns_error)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static ReturnStore *store;
static char *store_file;
static SocketmapServer *server;
static char *server_socket; /* of server; NULL: there is none */

static Fleet *(*fleet_in_force)(void); /* set once, before those who read it begin */

static int has_begun; /* 1 from the end of the first returns_start() on */

static int open_fd = -1; /* made by returns_open() and not served yet */

static struct {
    guint64 found, unknown, trouble;
} counts; /* by __atomic_*() only */

ReturnStore *returns_store(void)
{
    ReturnStore *current;

    pthread_mutex_lock(&lock);
    current = store;
    pthread_mutex_unlock(&lock);
    return current;
}

static void count(guint64 *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* Is key an address of ours? An MTA also asks for parts of addresses, and for names of accounts. */
static bool find_token(Settings *settings, const char *key, gsize length, ReturnToken token)
{
    g_autofree char *text = g_strndup(key, length);
    g_autoptr(Mailbox) mailbox = NULL;

    if (strlen(text) != length || text[0] == '<')
        return false;
    mailbox = mailbox_parse_path(text);
    return mailbox->domain_name != NULL &&
           return_forms_find(settings->return_forms, mailbox, token);
}

static ReturnStoreOutcome look_up(Settings *settings, const char *key, gsize length,
                                  ReturnStoreRow *row)
{
    ReturnStore *current = returns_store();
    ReturnToken token;

    if (key == NULL || !find_token(settings, key, length, token))
        return RETURN_STORE_UNKNOWN;
    if (current == NULL)
        return RETURN_STORE_TROUBLE;
    return return_store_find(current, token, deadline_in(PATIENCE), row);
}

static void append(GString *answer, ReturnStoreOutcome outcome, const ReturnStoreRow *row)
{
    switch (outcome) {
    case RETURN_STORE_FOUND:
        g_string_append_printf(answer, "OK %s", row->address);
        return count(&counts.found);
    case RETURN_STORE_UNKNOWN:
        g_string_append(answer, "NOTFOUND ");
        return count(&counts.unknown);
    case RETURN_STORE_TROUBLE:
        g_string_append(answer, "TEMP the return addresses can't be read now");
        return count(&counts.trouble);
    }
}

static void on_question(void *hook, const char *key, gsize length, GString *answer)
{
    g_auto(ReturnStoreRow) row = {0};
    LiveSettings live = {0};
    ReturnStoreOutcome outcome = RETURN_STORE_TROUBLE; /* the daemon ends */

    (void)hook;
    if (live_settings_take(&live)) {
        outcome = look_up(live.settings, key, length, &row);
        live_settings_release(&live);
    }
    append(answer, outcome, &row);
}

static bool refuse(GError **error, const char *where, const char *what)
{
    g_set_error(error, RETURNS_ERROR, RETURNS_ERROR_SOCKET, "return_socket: %s: %s", where, what);
    return false;
}

static int listen_at(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    int cause;

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

/* socket is inet:PORT@HOST or inet6:PORT@HOST. Returns the descriptor, or -1 with error. */
static int listen_inet(const char *socket_text, GError **error)
{
    const char *port = strchr(socket_text, ':') + 1;
    const char *host = strchr(port, '@') + 1;
    g_autofree char *port_text = g_strndup(port, (gsize)(host - 1 - port));
    g_autofree char *bare = g_strdup(host);
    const struct addrinfo hints = {.ai_family =
                                       g_str_has_prefix(socket_text, "inet6:") ? AF_INET6 : AF_INET,
                                   .ai_flags = AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int problem, fd;

    if (bare[0] == '[' && g_str_has_suffix(bare, "]")) {
        bare[strlen(bare) - 1] = '\0';
        memmove(bare, bare + 1, strlen(bare));
    }
    problem = getaddrinfo(bare, port_text, &hints, &found);
    if (problem != 0) {
        refuse(error, socket_text, gai_strerror(problem));
        return -1;
    }
    fd = listen_at(found);
    if (fd < 0)
        refuse(error, socket_text, g_strerror(errno));
    freeaddrinfo(found);
    return fd;
}

/* Its mode and group are those of socket. */
static int listen_unix(Settings *settings, const char *path, const Privileges *privileges,
                       GError **error)
{
    const struct group *group =
        settings->socket_group != NULL ? getgrnam(settings->socket_group) : NULL;
    gid_t gid = group != NULL ? group->gr_gid : (gid_t)-1;
    g_autofree char *entered = privileges_enter(privileges, path, gid, error);
    uid_t uid = privileges->is_to_drop ? privileges->uid : (uid_t)-1;
    int fd;

    if (entered == NULL)
        return -1;
    fd = unix_socket_listen(entered, (uid_t)-1, (gid_t)-1, error);
    if (fd >= 0 && !unix_socket_permit(entered, settings->socket_mode, uid, gid, error)) {
        close(fd);
        fd = -1;
    }
    privileges_leave(privileges);
    if (fd < 0)
        g_prefix_error(error, "return_socket: ");
    return fd;
}

static bool is_wanted(Settings *settings)
{
    return settings->return_socket != NULL && settings_has_tokens(settings);
}

static int listen_for(Settings *settings, const Privileges *privileges, GError **error)
{
    const char *text = settings->return_socket;

    if (g_str_has_prefix(text, UNIX_PREFIX))
        return listen_unix(settings, text + strlen(UNIX_PREFIX), privileges, error);
    return listen_inet(text, error);
}

bool returns_open(Settings *settings, const Privileges *privileges, GError **error)
{
    if (!is_wanted(settings))
        return true;
    open_fd = listen_for(settings, privileges, error);
    return open_fd >= 0;
}

/* After a reload that brought the first token: with the rights that are left. */
static int take_socket(Settings *settings)
{
    const Privileges none = {.is_to_drop = false};
    g_autoptr(GError) error = NULL;
    int fd = open_fd;

    open_fd = -1;
    if (fd < 0)
        fd = listen_for(settings, &none, &error);
    if (fd < 0)
        log_write(LOG_ERR, "%s; a restart opens it", error->message);
    return fd;
}

void returns_share(Fleet *(*take_fleet)(void))
{
    fleet_in_force = take_fleet;
}

/* From the first fleet on. */
static void share(ReturnStore *current, Settings *settings)
{
    if (settings->fleet->len > 0 && settings->has_return_secret)
        return_store_share(current, fleet_in_force, settings->hostname, settings->return_secret);
}

static bool start_store(Settings *settings)
{
    ReturnStore *current = returns_store();

    if (current != NULL) {
        return_store_set_days(current, settings->return_days);
        share(current, settings);
        return true;
    }
    if (!settings_has_tokens(settings))
        return true;
    store_file = g_build_filename(settings->state_dir, RETURN_STORE_NAME, NULL);
    current = return_store_start(store_file, settings->return_days, &clock_system);
    pthread_mutex_lock(&lock);
    store = current;
    pthread_mutex_unlock(&lock);
    if (current != NULL)
        share(current, settings);
    return current != NULL;
}

static void put_server(SocketmapServer *next, const char *socket_text)
{
    SocketmapServer *last;

    pthread_mutex_lock(&lock);
    last = server;
    server = next;
    g_free(server_socket);
    server_socket = g_strdup(socket_text);
    pthread_mutex_unlock(&lock);
    if (last != NULL)
        socketmap_server_stop(last);
}

static bool start_server(Settings *settings)
{
    SocketmapServer *next;
    int fd;

    if (!is_wanted(settings)) {
        put_server(NULL, NULL);
        return true;
    }
    if (server != NULL)
        return true;
    fd = take_socket(settings);
    if (fd < 0)
        return true;
    next = socketmap_server_start(fd, &socketmap_limits, on_question, NULL);
    put_server(next, next != NULL ? settings->return_socket : NULL);
    return next != NULL;
}

/* A return address that is not aligned would cost rewritten mail its alignment: it isn't used. */
static void tell_alignment(Settings *settings)
{
    const ReturnForm *form = settings->return_form;

    if (form != NULL && form->plain != NULL && settings->return_in_force == NULL)
        log_write(LOG_WARNING,
                  "return_address: %s is of another domain than the fallback address %s; rewritten "
                  "mail keeps the fallback address as its envelope sender",
                  form->text, settings->fallback->addr_spec);
}

bool returns_start(Settings *settings)
{
    bool is_started;

    tell_alignment(settings);
    is_started = start_store(settings) && start_server(settings);
    g_atomic_int_set(&has_begun, 1);
    return is_started;
}

void returns_status(ReturnsStatus *status)
{
    *status = (ReturnsStatus){.found = __atomic_load_n(&counts.found, __ATOMIC_RELAXED),
                              .unknown = __atomic_load_n(&counts.unknown, __ATOMIC_RELAXED),
                              .trouble = __atomic_load_n(&counts.trouble, __ATOMIC_RELAXED),
                              .has_begun = g_atomic_int_get(&has_begun) != 0};
    pthread_mutex_lock(&lock);
    status->socket = g_strdup(server_socket);
    status->file = store != NULL ? g_strdup(store_file) : NULL;
    pthread_mutex_unlock(&lock);
    if (status->file != NULL)
        return_store_status(returns_store(), &status->store);
}

void returns_status_clear(ReturnsStatus *status)
{
    g_clear_pointer(&status->socket, g_free);
    g_clear_pointer(&status->file, g_free);
    return_store_status_clear(&status->store);
}

void returns_stop(void)
{
    ReturnStore *current = returns_store();
    g_autofree char *socket_text = NULL;

    pthread_mutex_lock(&lock);
    socket_text = g_strdup(server_socket);
    pthread_mutex_unlock(&lock);
    /* While it listens, nobody else can have one there. */
    if (socket_text != NULL && g_str_has_prefix(socket_text, UNIX_PREFIX))
        unlink(socket_text + strlen(UNIX_PREFIX));
    put_server(NULL, NULL);
    if (current != NULL)
        return_store_stop(current);
}
