#include "config.h"

#include "unit/dns/dns_fault_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER 12    /* octets before the question */
#define LATE 1500000 /* microseconds */
#define TYPE_A 1
#define TYPE_CNAME 5
#define TYPE_SOA 6
#define TYPE_PTR 12
#define TYPE_MX 15
#define TYPE_TXT 16
#define SERVFAIL 2
#define NXDOMAIN 3
#define REFUSED 5

struct DnsFaultServer {
    int udp;
    int tcp;
    int stop_in; /* closing it ends the thread, which polls stop_out */
    int stop_out;
    char text[32];
    guint port;
    gint is_dead;         /* atomic */
    gint questions;       /* atomic */
    GPtrArray *delayed;   /* of Delayed; the thread's own */
    pthread_mutex_t lock; /* guards what is below */
    DnsWeather weather;
    GHashTable *asked; /* name to how often */
    pthread_t thread;
};

typedef struct {
    gint64 due; /* monotonic time */
    struct sockaddr_in to;
    GByteArray *message;
} Delayed;

/* A question and the answer that is made to it. */
typedef struct {
    char name[256]; /* lower case */
    guint16 type;
    bool is_tcp;
    bool is_silent;
    gint64 delay;
    guint answers;
    guint authorities;
    GByteArray *message;
} Exchange;

static void put_16(GByteArray *message, guint16 value)
{
    guint16 octets = htons(value);

    g_byte_array_append(message, (const guint8 *)&octets, 2);
}

static void put_32(GByteArray *message, guint32 value)
{
    guint32 octets = htonl(value);

    g_byte_array_append(message, (const guint8 *)&octets, 4);
}

static void put_label(GByteArray *message, const char *label, gsize length)
{
    guint8 octet = (guint8)length;

    g_byte_array_append(message, &octet, 1);
    g_byte_array_append(message, (const guint8 *)label, (guint)length);
}

static void put_name(GByteArray *message, const char *name)
{
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);

    for (guint i = 0; labels[i] != NULL; i++)
        if (*labels[i] != '\0')
            put_label(message, labels[i], strlen(labels[i]));
    put_label(message, "", 0);
}

static void put_record(Exchange *exchange, const char *name, guint16 type, guint32 ttl,
                       const GByteArray *rdata)
{
    put_name(exchange->message, name);
    put_16(exchange->message, type);
    put_16(exchange->message, 1);
    put_32(exchange->message, ttl);
    put_16(exchange->message, (guint16)rdata->len);
    g_byte_array_append(exchange->message, rdata->data, rdata->len);
}

static void answer_record(Exchange *exchange, const char *name, guint16 type, guint32 ttl,
                          GByteArray *rdata)
{
    put_record(exchange, name, type, ttl, rdata);
    exchange->answers++;
    g_byte_array_unref(rdata);
}

static void answer_octets(Exchange *exchange, guint16 type, const void *octets, guint length)
{
    answer_record(exchange, exchange->name, type, 60,
                  g_byte_array_append(g_byte_array_new(), octets, length));
}

static void answer_name(Exchange *exchange, const char *owner, guint16 type, guint32 ttl,
                        const char *name)
{
    GByteArray *rdata = g_byte_array_new();

    put_name(rdata, name);
    answer_record(exchange, owner, type, ttl, rdata);
}

static void answer_address(Exchange *exchange, const char *owner, guint32 ttl, guint32 address)
{
    GByteArray *rdata = g_byte_array_new();

    put_32(rdata, address);
    answer_record(exchange, owner, TYPE_A, ttl, rdata);
}

static void answer_mx(Exchange *exchange, guint16 preference, const char *name)
{
    GByteArray *rdata = g_byte_array_new();

    put_16(rdata, preference);
    put_name(rdata, name);
    answer_record(exchange, exchange->name, TYPE_MX, 60, rdata);
}

static void add_soa(Exchange *exchange)
{
    g_autoptr(GByteArray) rdata = g_byte_array_new();

    put_name(rdata, "ns.example.org");
    put_name(rdata, "hostmaster.example.org");
    for (guint i = 0; i < 4; i++)
        put_32(rdata, 3600);
    put_32(rdata, 30);
    put_record(exchange, strchr(exchange->name, '.') != NULL ? strchr(exchange->name, '.') + 1 : "",
               TYPE_SOA, 3600, rdata);
    exchange->authorities++;
}

static void set_rcode(Exchange *exchange, guint8 rcode)
{
    exchange->message->data[3] = (guint8)((exchange->message->data[3] & 0xf0) | rcode);
}

static void do_good(Exchange *exchange)
{
    if (exchange->type == TYPE_A)
        answer_address(exchange, exchange->name, 60, 0xc0000201);
    else
        add_soa(exchange);
}

static void do_zero(Exchange *exchange)
{
    answer_address(exchange, exchange->name, 0, 0xc0000201);
}

static void do_late(Exchange *exchange)
{
    exchange->delay = LATE;
    do_good(exchange);
}

static void do_silent(Exchange *exchange)
{
    exchange->is_silent = true;
}

static void do_nodata(Exchange *exchange)
{
    add_soa(exchange);
}

static void do_nxdomain(Exchange *exchange)
{
    set_rcode(exchange, NXDOMAIN);
    add_soa(exchange);
}

static void do_servfail(Exchange *exchange)
{
    set_rcode(exchange, SERVFAIL);
}

static void do_refused(Exchange *exchange)
{
    set_rcode(exchange, REFUSED);
}

static void do_garbage(Exchange *exchange)
{
    memset(exchange->message->data + 2, 0xff, exchange->message->len - 2);
}

/* The question that comes back is another one's. */
static void do_wrong(Exchange *exchange)
{
    exchange->message->data[HEADER + 1] ^= 1;
    do_good(exchange);
}

static void do_mx(Exchange *exchange)
{
    answer_mx(exchange, 10, "B.example.org");
    answer_mx(exchange, 0, "a.example.org");
    answer_mx(exchange, 5, "");
}

static void do_null(Exchange *exchange)
{
    answer_mx(exchange, 0, "");
}

static void do_txt(Exchange *exchange)
{
    guint8 rdata[10 * 256];

    memset(rdata, 'x', sizeof rdata);
    for (guint i = 0; i < 10; i++) {
        rdata[i * 256] = 255;
        rdata[i * 256 + 1] = '\0';
    }
    answer_octets(exchange, TYPE_TXT, rdata, sizeof rdata);
}

static void do_big(Exchange *exchange)
{
    if (!exchange->is_tcp) {
        exchange->message->data[2] |= 2; /* truncated */
        return;
    }
    for (guint i = 0; i < 500; i++)
        answer_address(exchange, exchange->name, 60, 0x0a000000 + i);
}

/* chain, link0, link1 … link5, which has the address: a resolver may ask for each of them. */
static void do_chain(Exchange *exchange)
{
    g_autofree char *owner = g_strdup(exchange->name);
    guint first = g_str_has_prefix(owner, "link") ? (guint)(owner[strlen("link")] - '0') + 1 : 0;

    for (guint i = first; i < 6; i++) {
        g_autofree char *target = g_strdup_printf("link%u.example.org", i);

        answer_name(exchange, owner, TYPE_CNAME, 60 - 5 * i, target);
        g_free(owner);
        owner = g_steal_pointer(&target);
    }
    answer_address(exchange, owner, 60, 0xc0000201);
}

static void do_loop(Exchange *exchange)
{
    bool is_first = g_str_has_prefix(exchange->name, "loop.");

    answer_name(exchange, exchange->name, TYPE_CNAME, 60,
                is_first ? "loopback.example.org" : "loop.example.org");
}

static void do_short(Exchange *exchange)
{
    answer_octets(exchange, TYPE_A, "\300\0\2", 3);
}

static void do_odd(Exchange *exchange)
{
    answer_octets(exchange, TYPE_PTR, "\3a.b\3org", 9);
    answer_octets(exchange, TYPE_PTR, "\3c d\3org", 9);
    answer_octets(exchange, TYPE_PTR, "\4FINE\3org", 10);
}

static void do_reverse(Exchange *exchange)
{
    answer_name(exchange, exchange->name, TYPE_PTR, 60, "host.example.org");
}

static const struct behaviour {
    const char *label; /* what the name begins with */
    void (*answer)(Exchange *exchange);
} behaviours[] = {
    {"good", do_good},         {"silent", do_silent},   {"late", do_late},
    {"servfail", do_servfail}, {"refused", do_refused}, {"garbage", do_garbage},
    {"wrong", do_wrong},       {"nodata", do_nodata},   {"mx", do_mx},
    {"null", do_null},         {"txt", do_txt},         {"big", do_big},
    {"chain", do_chain},       {"loop", do_loop},       {"short", do_short},
    {"odd", do_odd},           {"1.", do_reverse},      {"link", do_chain},
    {"zero", do_zero},         {"", do_nxdomain},
};

/* Sets name and type, and begins message with header and question; false where that is no question.
 */
static bool read_question(Exchange *exchange, const guint8 *query, gsize length)
{
    GString *name = g_string_new(NULL);
    gsize at = HEADER;

    while (at < length && query[at] != 0 && at + 1 + query[at] < length && name->len < 254) {
        g_string_append_len(name, (const char *)query + at + 1, query[at]);
        g_string_append_c(name, '.');
        at += 1 + (gsize)query[at];
    }
    g_strlcpy(exchange->name, name->str, sizeof exchange->name);
    g_string_free(name, TRUE);
    if (at + 5 > length)
        return false;
    for (char *c = exchange->name; *c != '\0'; c++)
        *c = g_ascii_tolower(*c);
    exchange->type = (guint16)(query[at + 1] << 8 | query[at + 2]);
    g_byte_array_append(exchange->message, query, (guint)at + 5);
    memset(exchange->message->data + 6, 0, 6); /* the counts of other records */
    exchange->message->data[2] = (guint8)(query[2] | 0x80);
    exchange->message->data[3] = 0x80;
    return true;
}

static void make_answer(Exchange *exchange)
{
    guint i = 0;
    guint8 *header;

    while (!g_str_has_prefix(exchange->name, behaviours[i].label))
        i++;
    behaviours[i].answer(exchange);
    header = exchange->message->data;
    if (behaviours[i].answer == do_garbage)
        return;
    header[6] = (guint8)(exchange->answers >> 8);
    header[7] = (guint8)exchange->answers;
    header[9] = (guint8)exchange->authorities;
}

/* Returns 0 to 99, by chance but always the same. */
static guint dice(const char *name, guint count, guint seed)
{
    guint32 random = g_str_hash(name) ^ (count * 2654435761U) ^ (seed * 2246822519U);

    for (guint i = 0; i < 3; i++)
        random = (random ^ random >> 15) * 2654435761U;
    return (random >> 16) % 100;
}

/* Counts the question; returns whether its packet gets lost. */
static bool is_lost(DnsFaultServer *server, const Exchange *exchange, DnsWeather *weather)
{
    char *key = g_strdup(exchange->name);
    guint count;
    bool is_lost;

    pthread_mutex_lock(&server->lock);
    count = GPOINTER_TO_UINT(g_hash_table_lookup(server->asked, key)) + 1;
    g_hash_table_replace(server->asked, key, GUINT_TO_POINTER(count));
    *weather = server->weather;
    is_lost = (weather->loses_first && count == 1) ||
              dice(exchange->name, count, weather->seed) < weather->loss;
    pthread_mutex_unlock(&server->lock);
    return is_lost;
}

/* Returns the message to send, or NULL for silence. */
static GByteArray *converse(DnsFaultServer *server, const guint8 *query, gsize length, bool is_tcp,
                            gint64 *delay)
{
    Exchange exchange = {.is_tcp = is_tcp, .message = g_byte_array_new()};
    DnsWeather weather;

    if (!g_atomic_int_get(&server->is_dead) && read_question(&exchange, query, length)) {
        g_atomic_int_inc(&server->questions);
        exchange.is_silent = is_lost(server, &exchange, &weather);
        if (weather.rcode != 0)
            set_rcode(&exchange, (guint8)weather.rcode);
        else
            make_answer(&exchange);
        *delay = exchange.delay + (gint64)weather.delay * 1000;
        if (!exchange.is_silent)
            return exchange.message;
    }
    g_byte_array_unref(exchange.message);
    return NULL;
}

static void send_udp(const DnsFaultServer *server, const struct sockaddr_in *to,
                     const GByteArray *message)
{
    sendto(server->udp, message->data, message->len, 0, (const struct sockaddr *)to, sizeof *to);
}

static void serve_udp(DnsFaultServer *server)
{
    guint8 query[4096];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t length = recvfrom(server->udp, query, sizeof query, 0, (struct sockaddr *)&from, &size);
    gint64 delay = 0;
    g_autoptr(GByteArray) message = NULL;
    Delayed *delayed;

    if (length < HEADER)
        return;
    message = converse(server, query, (gsize)length, false, &delay);
    if (message == NULL)
        return;
    if (delay == 0) {
        send_udp(server, &from, message);
        return;
    }
    delayed = g_new0(Delayed, 1);
    *delayed = (Delayed){
        .due = g_get_monotonic_time() + delay, .to = from, .message = g_steal_pointer(&message)};
    g_ptr_array_add(server->delayed, delayed);
}

static void serve_tcp(DnsFaultServer *server)
{
    int connection = accept(server->tcp, NULL, NULL);
    guint8 query[4096];
    ssize_t length = recv(connection, query, sizeof query, 0);
    gint64 delay = 0;
    g_autoptr(GByteArray) message = NULL;
    g_autoptr(GByteArray) framed = g_byte_array_new();

    if (length > 2 + HEADER)
        message = converse(server, query + 2, (gsize)length - 2, true, &delay);
    if (message != NULL) {
        put_16(framed, (guint16)message->len);
        g_byte_array_append(framed, message->data, message->len);
        send(connection, framed->data, framed->len, MSG_NOSIGNAL);
    }
    close(connection);
}

/* Sends what is due, and returns how many milliseconds to wait for the next. */
static int serve_delayed(DnsFaultServer *server)
{
    gint64 now = g_get_monotonic_time();
    gint64 next = -1;

    for (guint i = server->delayed->len; i-- > 0;) {
        Delayed *delayed = g_ptr_array_index(server->delayed, i);

        if (delayed->due <= now) {
            send_udp(server, &delayed->to, delayed->message);
            g_ptr_array_remove_index_fast(server->delayed, i);
            continue;
        }
        if (next < 0 || delayed->due - now < next)
            next = delayed->due - now;
    }
    return next < 0 ? -1 : (int)(next / 1000) + 1;
}

static void *serve(void *hook)
{
    DnsFaultServer *server = hook;
    struct pollfd polled[] = {{.fd = server->stop_out},
                              {.fd = server->udp, .events = POLLIN},
                              {.fd = server->tcp, .events = POLLIN}};

    for (;;) {
        poll(polled, G_N_ELEMENTS(polled), serve_delayed(server));
        if (polled[0].revents != 0)
            return NULL;
        if (polled[1].revents != 0)
            serve_udp(server);
        if (polled[2].revents != 0)
            serve_tcp(server);
    }
}

static void delayed_free(gpointer data)
{
    Delayed *delayed = data;

    g_byte_array_unref(delayed->message);
    g_free(delayed);
}

/* Binds both sockets to one port; false where TCP has no luck with the port that UDP got. */
static bool bind_sockets(DnsFaultServer *server, guint port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((guint16)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int yes = 1;
    const int buffer = 1 << 20;

    server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(server->udp, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    setsockopt(server->tcp, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server->udp, (struct sockaddr *)&address, sizeof address) == 0 &&
        getsockname(server->udp, (struct sockaddr *)&address, &size) == 0 &&
        bind(server->tcp, (struct sockaddr *)&address, sizeof address) == 0 &&
        listen(server->tcp, 64) == 0) {
        server->port = ntohs(address.sin_port);
        g_snprintf(server->text, sizeof server->text, "127.0.0.1@%u", server->port);
        return true;
    }
    close(server->udp);
    close(server->tcp);
    return false;
}

DnsFaultServer *dns_fault_server_new(void)
{
    return dns_fault_server_new_at(0);
}

DnsFaultServer *dns_fault_server_new_at(guint port)
{
    DnsFaultServer *server = g_new0(DnsFaultServer, 1);
    int stop[2];

    while (!bind_sockets(server, port))
        ;
    if (pipe(stop) != 0)
        abort();
    server->stop_out = stop[0];
    server->stop_in = stop[1];
    server->delayed = g_ptr_array_new_with_free_func(delayed_free);
    server->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pthread_mutex_init(&server->lock, NULL);
    pthread_create(&server->thread, NULL, serve, server);
    return server;
}

void dns_fault_server_free(DnsFaultServer *server)
{
    close(server->stop_in);
    pthread_join(server->thread, NULL);
    close(server->stop_out);
    close(server->udp);
    close(server->tcp);
    g_ptr_array_unref(server->delayed);
    g_hash_table_unref(server->asked);
    pthread_mutex_destroy(&server->lock);
    g_free(server);
}

const char *dns_fault_server_text(const DnsFaultServer *server)
{
    return server->text;
}

void dns_fault_server_set_dead(DnsFaultServer *server, bool is_dead)
{
    g_atomic_int_set(&server->is_dead, is_dead);
}

guint dns_fault_server_questions(const DnsFaultServer *server)
{
    return (guint)g_atomic_int_get(&server->questions);
}

void dns_fault_server_set_weather(DnsFaultServer *server, const DnsWeather *weather)
{
    pthread_mutex_lock(&server->lock);
    server->weather = *weather;
    pthread_mutex_unlock(&server->lock);
}

guint dns_fault_server_asked(DnsFaultServer *server, const char *name)
{
    g_autofree char *key = g_strconcat(name, ".", NULL);
    guint asked;

    pthread_mutex_lock(&server->lock);
    asked = GPOINTER_TO_UINT(g_hash_table_lookup(server->asked, key));
    pthread_mutex_unlock(&server->lock);
    return asked;
}

guint dns_fault_server_port(const DnsFaultServer *server)
{
    return server->port;
}
