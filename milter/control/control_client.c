#include "config.h"

#include "control/control_client.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/message_record.h"

#define ANSWER_MAX (16 * 1024 * 1024) /* octets */
#define CHUNK 16384

G_DEFINE_QUARK(spfrom_control_client_error, control_client_error)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

typedef struct {
    const char *path;
    int fd;
    gint64 deadline; /* monotonic */
} Exchange;

static void exchange_clear(Exchange *exchange)
{
    if (exchange->fd >= 0)
        close(exchange->fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Exchange, exchange_clear)

#define GROUP_MEMORY_MAX 1048576 /* octets for a group's entry, members included */

/* The name of the group that path belongs to; NULL: not known. Any thread may call. */
static char *group_of(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return NULL;
    for (size_t size = 4096; size <= GROUP_MEMORY_MAX; size *= 4) {
        g_autofree char *memory = g_malloc(size);
        struct group group;
        struct group *found = NULL;
        int number = getgrgid_r(status.st_gid, &group, memory, size, &found);

        if (number != ERANGE)
            return found != NULL ? g_strdup(found->gr_name) : NULL;
    }
    return NULL;
}

static void say_who_may(const char *path, GError **error)
{
    g_autofree char *group = group_of(path);

    if (group != NULL)
        g_set_error(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_PERMISSION,
                    "%s: permission denied; only root and members of the group \"%s\" may: use "
                    "sudo, or usermod -aG %s USER and log in anew",
                    path, group, group);
    else
        g_set_error(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_PERMISSION,
                    "%s: permission denied; use sudo, or join the group that is \"group\" in the "
                    "daemon's configuration",
                    path);
}

static void set_connect_error(const char *path, int number, GError **error)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
        g_set_error(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_ABSENT,
                    "no daemon listens at %s; start it (systemctl start spfrom), or name its "
                    "configuration with -c FILE",
                    path);
        return;
    case EACCES:
    case EPERM:
        say_who_may(path, error);
        return;
    case EAGAIN:
        g_set_error(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_SILENT,
                    "%s: the daemon takes no connection", path);
        return;
    default:
        g_set_error(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_SYSTEM, "%s: %s", path,
                    g_strerror(number));
    }
}

/* Limits how long connect() waits for room in the daemon's queue. */
static void limit_connect(int fd, guint seconds)
{
    const struct timeval limit = {.tv_sec = seconds};

    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* Returns 0 or the number of an error. */
static int connect_to(int fd, const struct sockaddr_un *address)
{
    while (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

static bool open_connection(Exchange *exchange, guint seconds, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int number = 0;

    if (g_strlcpy(address.sun_path, exchange->path, sizeof address.sun_path) >=
        sizeof address.sun_path)
        number = ENAMETOOLONG;
    exchange->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (number == 0 && exchange->fd < 0)
        number = errno;
    if (number == 0) {
        limit_connect(exchange->fd, seconds);
        number = connect_to(exchange->fd, &address);
    }
    if (number != 0)
        set_connect_error(exchange->path, number, error);
    return number == 0;
}

/* Waits until the connection is ready for events. */
static bool wait_for(const Exchange *exchange, short events, GError **error)
{
    struct pollfd poll_fd = {.fd = exchange->fd, .events = events};
    int ready;

    do {
        gint64 left = exchange->deadline - clock_monotonic(&clock_system);

        ready = poll(&poll_fd, 1, (int)MAX((left + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND, 0));
    } while (ready < 0 && errno == EINTR);
    if (ready > 0)
        return true;
    g_set_error(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_SILENT,
                "%s: the daemon does not answer in time", exchange->path);
    return false;
}

static bool is_passing(int number)
{
    return number == EAGAIN || number == EINTR;
}

static bool send_line(const Exchange *exchange, const char *line, gsize length, GError **error)
{
    while (length > 0) {
        ssize_t sent;

        if (!wait_for(exchange, POLLOUT, error))
            return false;
        sent = send(exchange->fd, line, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && is_passing(errno))
            continue;
        if (sent < 0) {
            g_set_error(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_ANSWER,
                        "%s: the daemon closed the connection: %s", exchange->path,
                        g_strerror(errno));
            return false;
        }
        line += sent;
        length -= (gsize)sent;
    }
    return true;
}

static bool refuse_answer(const Exchange *exchange, const char *what, GError **error)
{
    g_set_error(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_ANSWER, "%s: %s", exchange->path,
                what);
    return false;
}

/* Reads up to the line's end, which is left out. */
static bool receive_line(const Exchange *exchange, GString *line, GError **error)
{
    char chunk[CHUNK];

    for (;;) {
        const char *end;
        ssize_t received;

        if (!wait_for(exchange, POLLIN, error))
            return false;
        received = recv(exchange->fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (received < 0 && is_passing(errno))
            continue;
        if (received <= 0)
            return refuse_answer(exchange, "the daemon closed the connection without an answer",
                                 error);
        end = memchr(chunk, '\n', (gsize)received);
        g_string_append_len(line, chunk, end != NULL ? end - chunk : received);
        if (line->len > ANSWER_MAX)
            return refuse_answer(exchange, "the answer is too long", error);
        if (end != NULL)
            return true;
    }
}

json_t *control_client_parse(const char *line, gsize length)
{
    json_t *json = json_loadb(line, length, 0, NULL);

    if (json_is_object(json) && json_is_boolean(json_object_get(json, "ok")))
        return json;
    json_decref(json);
    return NULL;
}

static json_t *exchange_lines(const Exchange *exchange, const ControlRequest *request,
                              GError **error)
{
    g_autoptr(GString) answer = g_string_new(NULL);
    g_autoptr(json_t) question = control_request_write(request);
    char *text = json_dumps(question, JSON_COMPACT);
    g_autofree char *line = text != NULL ? g_strconcat(text, "\n", NULL) : NULL;
    json_t *json;

    free(text); /* jansson's */
    if (line == NULL) {
        refuse_answer(exchange, "no memory for a question", error);
        return NULL;
    }
    if (!send_line(exchange, line, strlen(line), error) || !receive_line(exchange, answer, error))
        return NULL;
    json = control_client_parse(answer->str, answer->len);
    if (json == NULL)
        refuse_answer(exchange, "what came is no answer of spfrom-milter", error);
    return json;
}

json_t *control_client_ask(const char *path, const ControlRequest *request, guint seconds,
                           GError **error)
{
    g_auto(Exchange) exchange = {.path = path, .fd = -1};

    exchange.deadline = clock_monotonic(&clock_system) + seconds * CLOCK_SECOND;
    if (!open_connection(&exchange, seconds, error))
        return NULL;
    return exchange_lines(&exchange, request, error);
}

const char *control_client_refusal(const json_t *answer)
{
    const char *what = json_string_value(json_object_get(answer, "error"));

    if (json_is_true(json_object_get(answer, "ok")))
        return NULL;
    return what != NULL ? what : "the daemon refused without saying why";
}

const char *control_text(const json_t *answer, const char *member)
{
    return json_string_value(json_object_get(answer, member));
}

/* The answer of a daemon that did as it was asked, given back with json_decref(). NULL with error
 * set. */
static json_t *ask_for(const char *path, const ControlRequest *request, guint seconds,
                       GError **error)
{
    g_autoptr(json_t) answer = control_client_ask(path, request, seconds, error);
    const char *refusal = answer != NULL ? control_client_refusal(answer) : NULL;

    if (refusal == NULL)
        return g_steal_pointer(&answer);
    g_set_error_literal(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_REFUSED, refusal);
    return NULL;
}

DaemonStatus *control_client_status(const char *path, guint seconds, GError **error)
{
    const ControlRequest request = {.command = CONTROL_STATUS};
    g_autoptr(json_t) answer = ask_for(path, &request, seconds, error);

    return answer != NULL ? daemon_status_read(answer) : NULL;
}

ModeInForce control_client_mode_in_force(Settings *settings, guint seconds)
{
    const ControlRequest request = {.command = CONTROL_MODE, .has_detail = true};
    ModeInForce mode = {.mode = settings->mode};
    g_autofree char *digest = settings_digest(settings);
    g_autoptr(json_t) answer = settings->control_socket != NULL
                                   ? ask_for(settings->control_socket, &request, seconds, NULL)
                                   : NULL;
    g_autoptr(DaemonStatusMode) status = answer != NULL ? daemon_status_mode_read(answer) : NULL;

    if (status != NULL && status->mode != NULL && mode_parse(status->mode, &mode.mode))
        mode.is_switch = g_strcmp0(status->by, "switch") == 0;
    mode.is_of_others =
        status != NULL && status->digest != NULL && strcmp(status->digest, digest) != 0;
    return mode;
}

GPtrArray *control_client_recent(const char *path, const ControlRequest *request, guint seconds,
                                 GError **error)
{
    g_autoptr(json_t) answer = ask_for(path, request, seconds, error);
    GPtrArray *records;
    json_t *message;
    size_t i;

    if (answer == NULL)
        return NULL;
    records = g_ptr_array_new_with_free_func((GDestroyNotify)message_record_free);
    json_array_foreach(json_object_get(answer, "messages"), i, message)
    {
        MessageRecord *record = message_record_read(message);

        if (record != NULL)
            g_ptr_array_add(records, record);
    }
    return records;
}
