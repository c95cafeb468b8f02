/* What the daemon reads of its clients and of its state_dir: '0' a request, '1' lines as they come,
 * '2' the file that keeps the mode. */
#include "config.h"

#include "control/control_request.h"
#include "control/control_connection.h"
#include "daemon/mode_switch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#include "check.h"

#define MESSAGE_MAX 500 /* octets of an answer to any line */

/* What a client writes of it is read as the same. */
static void check_written(const ControlRequest *request)
{
    g_auto(ControlRequest) again = {0};
    json_t *object = control_request_write(request);
    char *line = json_dumps(object, JSON_COMPACT);

    check(line != NULL && control_request_parse(line, strlen(line), &again, NULL));
    check(again.command == request->command && again.mode == request->mode &&
          again.seconds == request->seconds && again.is_prometheus == request->is_prometheus);
    check(g_strcmp0(again.domain, request->domain) == 0 &&
          g_strcmp0(again.queue_id, request->queue_id) == 0 &&
          g_strcmp0(again.query, request->query) == 0 &&
          g_strcmp0(again.forget, request->forget) == 0 && again.is_here == request->is_here);
    free(line);
    json_decref(object);
}

static void parse_request(const char *text, size_t length)
{
    g_auto(ControlRequest) request = {0};
    g_autoptr(GError) error = NULL;

    if (!control_request_parse(text, length, &request, &error)) {
        check(error != NULL && request.domain == NULL && request.queue_id == NULL);
        check(g_utf8_validate(error->message, -1, NULL) && strlen(error->message) < MESSAGE_MAX);
        return;
    }
    check(error == NULL);
    check(request.seconds == 0 || (request.command == CONTROL_MODE_SET && request.seconds > 0));
    check(request.domain == NULL || request.command == CONTROL_FLUSH);
    check((request.queue_id != NULL) == (request.command == CONTROL_FIND));
    check_written(&request);
}

#define LONGEST 8 /* octets of a line */

static void check_line(ControlConnectionOutcome outcome, const GString *line, const char *wanted,
                       gsize length)
{
    if (length > 0 && wanted[length - 1] == '\r')
        length--;
    check(outcome == (length > LONGEST ? CONTROL_CONNECTION_OVERLONG : CONTROL_CONNECTION_LINE));
    check(length > LONGEST ? line->len == 0
                           : line->len == length && memcmp(line->str, wanted, length) == 0);
}

/* Takes the lines that are whole, each with its answer; they are what stands in all from *taken. */
static void take_lines(ControlConnection *connection, const GString *all, size_t *taken)
{
    g_autoptr(GString) line = g_string_new(NULL);
    ControlConnectionOutcome outcome;

    while ((outcome = control_connection_take(connection, line)) != CONTROL_CONNECTION_NONE) {
        const char *wanted = all->str + *taken;
        size_t left = all->len - *taken;
        const char *end = memchr(wanted, '\n', left);
        size_t length = end != NULL ? (size_t)(end - wanted) : left;

        check_line(outcome, line, wanted, length);
        *taken += MIN(length + 1, left);
        control_connection_say(connection, "");
        g_string_truncate(connection->output, 0); /* as if it were sent */
    }
}

/* The next piece of text, behind an octet that says how long it is. */
static const char *take_piece(const char **text, size_t *length, size_t *piece_length)
{
    const char *piece = *text + 1;

    *piece_length = MIN((uint8_t) * *text % 32, *length - 1);
    *text += 1 + *piece_length;
    *length -= 1 + *piece_length;
    return piece;
}

/* As they come, or all at the end, if the first octet is an 'l'. */
static void parse_lines(const char *text, size_t length)
{
    static const ControlLimits limits = {1, LONGEST, CLOCK_SECOND, CLOCK_SECOND};
    g_autoptr(GString) all = g_string_sized_new(length);
    bool is_late = length > 0 && *text == 'l';
    ControlConnection *connection;
    size_t taken = 0;
    int ends[2];

    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    connection = control_connection_new(1, ends[0], &limits);
    while (length > 0) {
        size_t piece_length;
        const char *piece = take_piece(&text, &length, &piece_length);

        if (piece_length == 0)
            continue;
        g_string_append_len(all, piece, (gssize)piece_length);
        check(send(ends[1], piece, piece_length, MSG_NOSIGNAL) == (ssize_t)piece_length);
        check(control_connection_read(connection));
        if (!is_late)
            take_lines(connection, all, &taken);
        check(is_late || connection->input->len <= LONGEST + 1);
    }
    close(ends[1]);
    check(control_connection_read(connection) && connection->is_ended);
    take_lines(connection, all, &taken);
    check(taken == all->len && control_connection_is_done(connection));
    control_connection_free(connection);
}

/* What was read is written such that it is read again. */
static void parse_mode_file(const char *text, size_t length)
{
    ModeSwitchKept kept = {0};
    ModeSwitchKept again = {0};
    g_autofree char *written = NULL;

    if (!mode_switch_parse(text, length, &kept))
        return;
    written = mode_switch_text(&kept);
    check(mode_switch_parse(written, strlen(written), &again));
    check(again.mode == kept.mode && again.since == kept.since && again.until == kept.until);
    check(again.is_cleared == kept.is_cleared && strcmp(again.last, kept.last) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FuzzParser *const parsers[] = {parse_request, parse_lines, parse_mode_file};

    run_one_of(parsers, G_N_ELEMENTS(parsers), data, size);
    return 0;
}
