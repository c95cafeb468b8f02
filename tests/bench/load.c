/*
 * Plays the MTA to a milter: many connections at once, each with some messages one after the other,
 * written as Postfix writes them (protocol version 6, its default macros before every command).
 * Measures messages a second, and the time from the end of a message to the milter's answer.
 */
#include "config.h"

#include <arpa/inet.h>
#include <glib.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#define VERSION_OF_PROTOCOL 6
#define ALL_ACTIONS 0x1ff
#define ALL_STEPS 0x1fffff
#define REPLY_HEAD 5 /* octets: a length and a letter */
#define BODY_OCTETS 2048
#define EVENTS 128
#define PATIENCE 60000 /* milliseconds without any answer */

static const char queue_id[] = "4fKx2n3vDwz9rQ";

static struct {
    int connections;
    int messages;
    int per_connection;
    char *domain;
    int domains; /* 0: all messages are from domain itself, else in turn from d0.domain, d1.domain …
                  */
    int first;   /* the number of the first of these */
    gboolean is_json;
} options = {.connections = 1, .messages = 10000, .per_connection = 10};

/* One connection to the milter. */
typedef struct {
    int fd; /* -1: closed */
    guint32 steps;
    GString *output;
    int sent;       /* messages, on this connection */
    int unanswered; /* replies that are to come before the end of the message is answered */
    gint64 begin;   /* when the message's end was written */
    guint8 input[65536];
    gsize read;
} Connection;

static struct {
    struct sockaddr_un address;
    int poll_fd;
    int started;  /* messages */
    int finished; /* messages */
    guint64 edits;
    guint64 refused;    /* answered neither by continue nor by accept */
    guint32 *latencies; /* microseconds, of the finished ones */
} run;

static bool fail(const char *what)
{
    perror(what);
    return false;
}

/* Fills the length in that append_head() left empty. */
static void close_packet(GString *output, gsize head)
{
    guint32 length = htonl((guint32)(output->len - head - sizeof length));

    memcpy(output->str + head, &length, sizeof length);
}

static gsize append_head(GString *output, char command)
{
    gsize head = output->len;

    g_string_append_len(output, "\0\0\0\0", sizeof(guint32));
    g_string_append_c(output, command);
    return head;
}

static void append_text(GString *output, const char *text)
{
    g_string_append_len(output, text, (gssize)strlen(text) + 1);
}

/* texts: ended by NULL */
static void append_texts(GString *output, const char *const *texts)
{
    for (; *texts != NULL; texts++)
        append_text(output, *texts);
}

static void append_macros(GString *output, char command, const char *const *macros)
{
    gsize head = append_head(output, SMFIC_MACRO);

    g_string_append_c(output, command);
    append_texts(output, macros);
    close_packet(output, head);
}

static void append_command(GString *output, char command, const char *const *texts)
{
    gsize head = append_head(output, command);

    append_texts(output, texts);
    close_packet(output, head);
}

/* A command and its macros, which Postfix sends even where the milter does not want the command. */
static void append_step(Connection *connection, char command, guint32 unwanted, guint32 silent,
                        const char *const *macros, const char *const *texts)
{
    append_macros(connection->output, command, macros);
    if ((connection->steps & unwanted) != 0)
        return;
    append_command(connection->output, command, texts);
    if ((connection->steps & silent) == 0)
        connection->unanswered++;
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_TEXTS ((const char *const[]){NULL})
#define ID "i", queue_id

static void append_connect(Connection *connection)
{
    GString *output = connection->output;
    gsize head;

    append_macros(output, SMFIC_CONNECT,
                  TEXTS("j", "mail.praxis.example", "{daemon_name}", "mail.praxis.example",
                        "{daemon_addr}", "127.0.0.1", "v", "Postfix 3.7.11", "_",
                        "localhost [127.0.0.1]"));
    if ((connection->steps & SMFIP_NOCONNECT) == 0) {
        head = append_head(output, SMFIC_CONNECT);
        append_text(output, "localhost");
        g_string_append_c(output, SMFIA_INET);
        g_string_append_len(output, "\xd4\x31", 2);
        append_text(output, "127.0.0.1");
        close_packet(output, head);
        if ((connection->steps & SMFIP_NR_CONN) == 0)
            connection->unanswered++;
    }
    append_step(connection, SMFIC_HELO, SMFIP_NOHELO, SMFIP_NR_HELO, NO_TEXTS,
                TEXTS("client.praxis.example"));
}

static void append_envelope(Connection *connection, const char *author)
{
    g_autofree char *path = g_strdup_printf("<%s>", author);

    append_step(connection, SMFIC_MAIL, SMFIP_NOMAIL, SMFIP_NR_MAIL,
                TEXTS("{mail_addr}", author, "{mail_host}", "example.net", "{mail_mailer}", "smtp"),
                TEXTS(path, "SIZE=4096", "BODY=8BITMIME"));
    append_step(connection, SMFIC_RCPT, SMFIP_NORCPT, SMFIP_NR_RCPT,
                TEXTS("{rcpt_addr}", "patient@example.net", "{rcpt_host}", "example.net",
                      "{rcpt_mailer}", "smtp"),
                TEXTS("<patient@example.net>", "ORCPT=rfc822;patient@example.net"));
    append_step(connection, SMFIC_DATA, SMFIP_NODATA, SMFIP_NR_DATA, TEXTS(ID), NO_TEXTS);
}

static void append_header(Connection *connection, const char *name, const char *value)
{
    bool is_led = (connection->steps & SMFIP_HDR_LEADSPC) != 0;
    g_autofree char *text = g_strconcat(is_led ? " " : "", value, NULL);

    append_step(connection, SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, TEXTS(ID), TEXTS(name, text));
}

/* The fields beside From:. */
static const char *const fields[][2] = {
    {"Received", "from app7.praxis.example (app7.praxis.example [10.0.0.7])\n"
                 "\tby mail.praxis.example (Postfix) with ESMTPSA id 4fKx2n3vDwz9rQ\n"
                 "\tfor <patient@example.net>; Mon,  2 Mar 2026 09:00:00 +0100 (CET)"},
    {"Date", "Mon, 02 Mar 2026 09:00:00 +0100"},
    {"To", "Erika Mustermann <patient@example.net>"},
    {"Subject", "=?utf-8?Q?Ihr_Termin_am_Montag=2C_9=2E_M=C3=A4rz?="},
    {"Message-ID", "<20260302090000.4711.42@app7.praxis.example>"},
    {"MIME-Version", "1.0"},
    {"Content-Type", "text/plain; charset=utf-8"},
    {"Content-Transfer-Encoding", "8bit"},
    {"X-Mailer", "Praxis 12.4.1"},
    {"List-Unsubscribe", "<https://app.praxis.example/unsubscribe/42>"},
    {"Auto-Submitted", "auto-generated"},
};

static void append_content(Connection *connection, const char *author)
{
    g_autofree char *from = g_strdup_printf("=?utf-8?Q?Praxis_Dr=2E_M=C3=BCller?= <%s>", author);
    static char body[BODY_OCTETS + 1];

    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (i == 2)
            append_header(connection, "From", from);
        append_header(connection, fields[i][0], fields[i][1]);
    }
    if ((connection->steps & SMFIP_NOEOH) == 0)
        append_step(connection, SMFIC_EOH, 0, SMFIP_NR_EOH, TEXTS(ID), NO_TEXTS);
    append_macros(connection->output, SMFIC_BODYEOB, TEXTS(ID));
    memset(body, 'x', BODY_OCTETS);
    append_command(connection->output, SMFIC_BODYEOB,
                   (connection->steps & SMFIP_NOBODY) == 0 ? TEXTS(body) : NO_TEXTS);
    connection->unanswered++;
}

static bool flush(Connection *connection)
{
    GString *output = connection->output;
    gsize written = 0;

    while (written < output->len) {
        ssize_t count = write(connection->fd, output->str + written, output->len - written);

        if (count <= 0)
            return fail("write");
        written += (gsize)count;
    }
    g_string_truncate(output, 0);
    return true;
}

static char *author_of(int message)
{
    if (options.domains == 0)
        return g_strdup_printf("mueller@%s", options.domain);
    return g_strdup_printf("mueller@d%d.%s", options.first + message % options.domains,
                           options.domain);
}

/* In two parts, as smtpd and then cleanup write them. */
static bool send_message(Connection *connection)
{
    g_autofree char *author = author_of(run.started++);

    if (connection->sent++ > 0)
        append_command(connection->output, SMFIC_ABORT, NO_TEXTS);
    append_envelope(connection, author);
    if (!flush(connection))
        return false;
    append_content(connection, author);
    connection->begin = g_get_monotonic_time();
    return flush(connection);
}

static bool read_octets(Connection *connection)
{
    ssize_t count = read(connection->fd, connection->input + connection->read,
                         sizeof connection->input - connection->read);

    if (count < 0)
        return fail("read");
    if (count == 0) {
        fprintf(stderr, "the milter closed the connection\n");
        return false;
    }
    connection->read += (gsize)count;
    return true;
}

/* The length of the packet at the beginning of the input, 0 where it is not complete. */
static gsize packet_length(const Connection *connection)
{
    guint32 length;

    if (connection->read < REPLY_HEAD)
        return 0;
    memcpy(&length, connection->input, sizeof length);
    length = ntohl(length) + (guint32)sizeof length;
    return connection->read >= length ? length : 0;
}

static void drop_packet(Connection *connection, gsize length)
{
    connection->read -= length;
    memmove(connection->input, connection->input + length, connection->read);
}

static bool negotiate(Connection *connection)
{
    const guint32 offer[] = {htonl(VERSION_OF_PROTOCOL), htonl(ALL_ACTIONS), htonl(ALL_STEPS)};
    gsize head = append_head(connection->output, SMFIC_OPTNEG);
    gsize length;

    g_string_append_len(connection->output, (const char *)offer, sizeof offer);
    close_packet(connection->output, head);
    if (!flush(connection))
        return false;
    while ((length = packet_length(connection)) == 0)
        if (!read_octets(connection))
            return false;
    if (connection->input[4] != SMFIC_OPTNEG || length < REPLY_HEAD + sizeof offer) {
        fprintf(stderr, "the milter does not negotiate\n");
        return false;
    }
    memcpy(&connection->steps, connection->input + REPLY_HEAD + 2 * sizeof *offer, sizeof *offer);
    connection->steps = ntohl(connection->steps);
    drop_packet(connection, length);
    return true;
}

static bool open_connection(Connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (const struct sockaddr *)&run.address, sizeof run.address) != 0)
        return fail(run.address.sun_path);
    if (epoll_ctl(run.poll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        return fail("epoll_ctl");
    connection->sent = 0;
    if (!negotiate(connection))
        return false;
    append_connect(connection);
    return true;
}

static bool close_connection(Connection *connection)
{
    append_command(connection->output, SMFIC_ABORT, NO_TEXTS);
    append_command(connection->output, SMFIC_ABORT, NO_TEXTS);
    append_command(connection->output, SMFIC_QUIT, NO_TEXTS);
    if (!flush(connection))
        return false;
    close(connection->fd);
    connection->fd = -1;
    return true;
}

/* Goes on to the next message, or ends the connection. */
static bool go_on(Connection *connection)
{
    bool is_over = run.started == options.messages;

    if (connection->fd >= 0 && (is_over || connection->sent == options.per_connection))
        if (!close_connection(connection))
            return false;
    if (is_over)
        return true;
    if (connection->fd < 0 && !open_connection(connection))
        return false;
    return send_message(connection);
}

/* Takes one reply. Returns whether it was the last one of the message. */
static bool is_answered_by(Connection *connection, char reply)
{
    switch (reply) {
    case SMFIR_PROGRESS:
        return false;
    case SMFIR_ADDHEADER:
    case SMFIR_CHGHEADER:
    case SMFIR_INSHEADER:
    case SMFIR_CHGFROM:
        run.edits++;
        return false;
    case SMFIR_CONTINUE:
    case SMFIR_ACCEPT:
        break;
    default:
        run.refused++;
    }
    return --connection->unanswered == 0;
}

static bool receive(Connection *connection)
{
    gsize length;
    bool is_answered = false;

    if (!read_octets(connection))
        return false;
    while (!is_answered && (length = packet_length(connection)) > 0) {
        is_answered = is_answered_by(connection, (char)connection->input[4]);
        drop_packet(connection, length);
    }
    if (!is_answered)
        return true;
    run.latencies[run.finished++] = (guint32)(g_get_monotonic_time() - connection->begin);
    return go_on(connection);
}

static bool receive_all(void)
{
    struct epoll_event events[EVENTS];

    while (run.finished < options.messages) {
        int count = epoll_wait(run.poll_fd, events, EVENTS, PATIENCE);

        if (count <= 0) {
            fprintf(stderr, "no answer within %d ms\n", PATIENCE);
            return false;
        }
        for (int i = 0; i < count; i++)
            if (!receive(events[i].data.ptr))
                return false;
    }
    return true;
}

static bool send_all(void)
{
    int count = MIN(options.connections, options.messages);
    g_autofree Connection *connections = g_new0(Connection, count);
    bool is_good = true;

    for (int i = 0; i < count; i++) {
        connections[i].fd = -1;
        connections[i].output = g_string_new(NULL);
    }
    for (int i = 0; is_good && i < count; i++)
        is_good = go_on(&connections[i]);
    is_good = is_good && receive_all();
    for (int i = 0; i < count; i++)
        g_string_free(connections[i].output, TRUE);
    return is_good;
}

static int compare(const void *a, const void *b)
{
    guint32 first = *(const guint32 *)a;
    guint32 second = *(const guint32 *)b;

    return (first > second) - (first < second);
}

static double percentile_ms(int percent)
{
    return run.latencies[(gsize)(run.finished - 1) * (gsize)percent / 100] / 1000.0;
}

static void print_json(double seconds)
{
    printf("{\"messages\":%d,\"seconds\":%.3f,\"messages_per_second\":%.0f,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f,\"edits\":%" G_GUINT64_FORMAT ",\"refused\":%" G_GUINT64_FORMAT "}\n",
           run.finished, seconds, run.finished / seconds, percentile_ms(50), percentile_ms(99),
           run.edits, run.refused);
}

static void print_text(double seconds)
{
    printf("%d messages in %.3f s, %.0f a second; answered after %.3f ms (p50), %.3f ms (p99); "
           "%" G_GUINT64_FORMAT " edits, %" G_GUINT64_FORMAT " refused\n",
           run.finished, seconds, run.finished / seconds, percentile_ms(50), percentile_ms(99),
           run.edits, run.refused);
}

static bool parse_options(int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        {"connections", 'c', 0, G_OPTION_ARG_INT, &options.connections, "at once (1)", "N"},
        {"messages", 'm', 0, G_OPTION_ARG_INT, &options.messages, "in all (10000)", "N"},
        {"per-connection", 'p', 0, G_OPTION_ARG_INT, &options.per_connection,
         "messages one after the other (10)", "N"},
        {"domain", 'd', 0, G_OPTION_ARG_STRING, &options.domain, "of the author", "NAME"},
        {"domains", 'n', 0, G_OPTION_ARG_INT, &options.domains,
         "the authors are of d0.NAME, d1.NAME … in turn, N different ones", "N"},
        {"first", 'f', 0, G_OPTION_ARG_INT, &options.first, "begin with dN.NAME", "N"},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &options.is_json, "for programs", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GOptionContext *context = g_option_context_new("SOCKET");
    g_autoptr(GError) error = NULL;
    bool is_good;

    g_option_context_add_main_entries(context, entries, NULL);
    is_good = g_option_context_parse(context, argc, argv, &error);
    g_option_context_free(context);
    if (is_good && *argc == 2 && options.messages > 0 && options.connections > 0 &&
        options.per_connection > 0 && options.domains >= 0)
        return true;
    fprintf(stderr, "%s; see --help\n", error != NULL ? error->message : "wrong arguments");
    return false;
}

int main(int argc, char **argv)
{
    gint64 begin;
    double seconds;

    if (!parse_options(&argc, &argv))
        return EX_USAGE;
    if (options.domain == NULL)
        options.domain = g_strdup("praxis.example");
    run.address.sun_family = AF_UNIX;
    g_strlcpy(run.address.sun_path, argv[1], sizeof run.address.sun_path);
    run.poll_fd = epoll_create1(EPOLL_CLOEXEC);
    run.latencies = g_new(guint32, options.messages);
    begin = g_get_monotonic_time();
    if (run.poll_fd < 0 || !send_all())
        return EX_IOERR;
    seconds = (double)(g_get_monotonic_time() - begin) / 1e6;
    qsort(run.latencies, (gsize)run.finished, sizeof *run.latencies, compare);
    (options.is_json ? print_json : print_text)(seconds);
    return run.refused == 0 ? EX_OK : EX_TEMPFAIL;
}
