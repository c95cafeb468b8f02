#include "config.h"

#include "dns/dns_forwarder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/domain_name.h"
#include "dns/dns_message.h"

/*
 * The buffer of one socket takes some 500 questions, however large it is wished, and one that is
 * lost here is not asked again. The kernel spreads them over sockets of one port.
 */
#define LISTENERS 8          /* at most; where descriptors are rare, one does */
#define EVENTS 64            /* taken from the kernel at a time */
#define QUESTIONS_AT_ONCE 64 /* of one listener */
#define QUESTION_MAX 1024    /* octets; libunbound's are shorter */
#define UDP_MAX 65507        /* octets that fit into one packet */
#define PREFIX 2             /* octets of the length before a message on TCP */

#define FIRST_WAIT (500 * CLOCK_MILLISECOND) /* for an answer, before the next is asked */
#define NEXT_WAIT(wait) ((wait)*6 / 5)
/* So long before the end nobody is asked any more, and so long after it the last answer is still
 * taken: who asked has gone by then, but libunbound keeps it. */
#define MARGIN (250 * CLOCK_MILLISECOND)
/* libunbound gives a server up whose answers take two minutes; of a question that long nobody has
 * anything. */
#define TIMEOUT_MAX 60u /* seconds */

#define UNDER_WAY_MAX (DNS_FORWARDER_QUESTIONS / 2)
#define WAITING_MAX (DNS_FORWARDER_QUESTIONS - UNDER_WAY_MAX)
#define CONNECTIONS_MAX 256 /* on TCP, each with an answer of up to 64 KiB */

#define QUIET 3 /* questions to which a server was silent: it is asked behind the others */
#define QUIET_PAUSE (10 * CLOCK_SECOND) /* until it is asked again besides */

/* What the kernel's events point to. */
typedef struct {
    int fd; /* -1: closed */
    bool is_listener;
} Source;

typedef struct {
    DnsServer at;
    guint unanswered;  /* questions since its last answer */
    gint64 last_asked; /* monotonic time; 0: never */
} Server;

/* The questions of one domain. */
typedef struct {
    char *domain;
    guint under_way;
    GQueue waiting; /* of Question */
} Share;

typedef struct Question Question;

/* One question at one server, by UDP and, after a truncated answer, by TCP. */
typedef struct {
    Source source;
    Question *question;
    Server *server;
    guint asked;        /* how many times */
    bool has_failed;    /* it answered, but what is of no use: it is not asked again */
    bool is_unanswered; /* and counts as such for the server */
    bool is_tcp;
    bool is_connected;   /* on TCP, and the question has been sent */
    GByteArray *message; /* of TCP, as far as it has come; else NULL */
} Attempt;

struct Question {
    DnsForwarder *forwarder;
    int listener;
    struct sockaddr_in from; /* libunbound's socket */
    gsize length;
    guint8 octets[PREFIX + QUESTION_MAX]; /* its length stands before it, as on TCP */
    Share *share;
    GList *waiting; /* in the share's queue, or NULL once it is under way */
    gint64 last;    /* monotonic time: nobody is asked after it */
    gint64 end;     /* monotonic time: the answer is SERVFAIL */
    gint64 wait;    /* until the next is asked, microseconds */
    gint64 due;     /* monotonic time */
    GSequenceIter *timer;
    GByteArray *failure; /* the first answer that is no good one, or NULL */
    Attempt attempts[];  /* one a server */
};

struct DnsForwarder {
    Server *servers;
    guint server_count;
    gint64 timeout; /* microseconds */
    int epoll;
    Source listeners[LISTENERS];
    char address[sizeof "127.0.0.1@65535"];
    GSequence *timers;  /* of Question, by due */
    GHashTable *shares; /* of Share, by domain */
    GQueue crowded;     /* of Share: those with questions that wait */
    guint under_way;
    guint waiting;
    guint connections;
    GPtrArray *finished; /* of Question; events may still point to them */
};

static const guint8 *question_message(const Question *question)
{
    return question->octets + PREFIX;
}

static gint compare_due(gconstpointer one, gconstpointer other, gpointer hook)
{
    gint64 first = ((const Question *)one)->due;
    gint64 second = ((const Question *)other)->due;

    (void)hook;
    return (first > second) - (first < second);
}

static void set_timer(Question *question, gint64 due)
{
    question->due = due;
    if (question->timer != NULL)
        g_sequence_remove(question->timer);
    question->timer =
        g_sequence_insert_sorted(question->forwarder->timers, question, compare_due, NULL);
}

/* --- one server is asked --- */

static void attempt_close(Attempt *attempt)
{
    if (attempt->source.fd < 0)
        return;
    close(attempt->source.fd);
    attempt->source.fd = -1;
    if (!attempt->is_tcp)
        return;
    attempt->question->forwarder->connections--;
    attempt->is_tcp = attempt->is_connected = false;
    g_clear_pointer(&attempt->message, g_byte_array_unref);
}

/* Returns whether there is a socket that is connected to the server, or connects. */
static bool attempt_open(Attempt *attempt, int type, uint32_t events)
{
    const DnsServer *at = &attempt->server->at;
    struct epoll_event event = {.events = events, .data.ptr = attempt};
    int fd = socket(at->address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    if ((connect(fd, (const struct sockaddr *)&at->address, at->length) != 0 &&
         errno != EINPROGRESS) ||
        epoll_ctl(attempt->question->forwarder->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        close(fd);
        return false;
    }
    attempt->source.fd = fd;
    return true;
}

/* Where this fails, the next attempt comes in its time. */
static void attempt_ask(Attempt *attempt, gint64 now)
{
    const Question *question = attempt->question;

    attempt->asked++;
    attempt->server->last_asked = now;
    if (attempt->source.fd < 0 && !attempt_open(attempt, SOCK_DGRAM, EPOLLIN))
        return;
    send(attempt->source.fd, question_message(question), question->length, MSG_NOSIGNAL);
}

static void attempt_ask_by_tcp(Attempt *attempt)
{
    DnsForwarder *forwarder = attempt->question->forwarder;

    attempt_close(attempt);
    if (forwarder->connections >= CONNECTIONS_MAX || !attempt_open(attempt, SOCK_STREAM, EPOLLOUT))
        return;
    forwarder->connections++;
    attempt->is_tcp = true;
    attempt->message = g_byte_array_new();
}

/* The smaller, the sooner it is asked. */
static guint attempt_rank(const Attempt *attempt)
{
    return 2 * attempt->asked + (attempt->server->unanswered >= QUIET ? 3 : 0);
}

/* --- a question from its beginning to its end --- */

/* Returns the attempt to be made next, or NULL where no server is left that might know more. */
static Attempt *next_attempt(Question *question)
{
    Attempt *next = NULL;

    for (guint i = 0; i < question->forwarder->server_count; i++) {
        Attempt *attempt = &question->attempts[i];

        if (!attempt->has_failed && !attempt->is_tcp &&
            (next == NULL || attempt_rank(attempt) < attempt_rank(next)))
            next = attempt;
    }
    return next;
}

/* Is a server left that has not had the last word? */
static bool is_hopeful(const Question *question)
{
    for (guint i = 0; i < question->forwarder->server_count; i++)
        if (!question->attempts[i].has_failed)
            return true;
    return false;
}

static void count_silence(Question *question)
{
    for (guint i = 0; i < question->forwarder->server_count; i++) {
        Attempt *attempt = &question->attempts[i];

        if (attempt->asked == 0 || attempt->has_failed || attempt->is_tcp || attempt->is_unanswered)
            continue;
        attempt->is_unanswered = true;
        attempt->server->unanswered++;
    }
}

static void question_ask(Question *question, gint64 now)
{
    Attempt *attempt = next_attempt(question);

    if (attempt != NULL && now <= question->last)
        attempt_ask(attempt, now);
    set_timer(question,
              now + question->wait <= question->last ? now + question->wait : question->end);
    question->wait = NEXT_WAIT(question->wait);
}

/* A server that was silent is asked besides now and then, so that one that is back is noticed. */
static void ask_quiet_servers(Question *question, gint64 now)
{
    for (guint i = 0; i < question->forwarder->server_count; i++) {
        Attempt *attempt = &question->attempts[i];

        if (attempt->asked == 0 && attempt->server->unanswered >= QUIET &&
            now - attempt->server->last_asked >= QUIET_PAUSE)
            attempt_ask(attempt, now);
    }
}

static void question_begin(Question *question, gint64 now)
{
    question->forwarder->under_way++;
    question->share->under_way++;
    question_ask(question, now);
    ask_quiet_servers(question, now);
}

static void share_free(gpointer data)
{
    Share *share = data;

    g_queue_clear(&share->waiting);
    g_free(share->domain);
    g_free(share);
}

static void question_leave_queue(Question *question)
{
    Share *share = question->share;

    g_queue_delete_link(&share->waiting, question->waiting);
    question->waiting = NULL;
    question->forwarder->waiting--;
    if (g_queue_is_empty(&share->waiting))
        g_queue_remove(&question->forwarder->crowded, share);
}

/* At most as many as there is room left, so that there is always some. */
static bool has_room(const DnsForwarder *forwarder, const Share *share)
{
    return forwarder->under_way + share->under_way < UNDER_WAY_MAX;
}

/* The crowded domains take turns. Returns whether a question was begun. */
static bool begin_one(DnsForwarder *forwarder, gint64 now)
{
    for (GList *link = forwarder->crowded.head; link != NULL; link = link->next) {
        Share *share = link->data;
        Question *question = g_queue_peek_head(&share->waiting);

        if (!has_room(forwarder, share))
            continue;
        g_queue_unlink(&forwarder->crowded, link);
        g_queue_push_tail_link(&forwarder->crowded, link);
        question_leave_queue(question);
        question_begin(question, now);
        return true;
    }
    return false;
}

static void begin_waiting(DnsForwarder *forwarder, gint64 now)
{
    while (forwarder->under_way < UNDER_WAY_MAX && begin_one(forwarder, now))
        ;
}

static void question_free(gpointer data)
{
    Question *question = data;

    for (guint i = 0; i < question->forwarder->server_count; i++)
        attempt_close(&question->attempts[i]);
    g_clear_pointer(&question->failure, g_byte_array_unref);
    g_free(question);
}

/* The last question of a domain takes its share along. */
static void share_leave(DnsForwarder *forwarder, Share *share)
{
    if (share->under_way == 0 && g_queue_is_empty(&share->waiting))
        g_hash_table_remove(forwarder->shares, share->domain);
}

static void question_leave(Question *question)
{
    DnsForwarder *forwarder = question->forwarder;
    Share *share = question->share;

    if (question->waiting != NULL) {
        question_leave_queue(question);
    } else {
        forwarder->under_way--;
        share->under_way--;
    }
    share_leave(forwarder, share);
    g_sequence_remove(question->timer);
    for (guint i = 0; i < forwarder->server_count; i++)
        attempt_close(&question->attempts[i]);
    g_ptr_array_add(forwarder->finished, question);
}

static void send_answer(int listener, const struct sockaddr_in *to, const guint8 *octets,
                        gsize length)
{
    sendto(listener, octets, length, MSG_NOSIGNAL, (const struct sockaddr *)to, sizeof *to);
}

static void send_failure(int listener, const struct sockaddr_in *to, const guint8 *question,
                         gsize length)
{
    g_autoptr(GByteArray) failure = g_byte_array_new();

    dns_message_fail(failure, question, length);
    send_answer(listener, to, failure->data, failure->len);
}

/* libunbound takes an answer of any length from UDP, whatever it says that it takes from servers.
 */
static void question_answer(Question *question, const guint8 *octets, gsize length)
{
    if (length > UDP_MAX)
        send_failure(question->listener, &question->from, question_message(question),
                     question->length);
    else
        send_answer(question->listener, &question->from, octets, length);
    question_leave(question);
}

static void question_fail(Question *question)
{
    if (question->failure != NULL) {
        question_answer(question, question->failure->data, question->failure->len);
        return;
    }
    send_failure(question->listener, &question->from, question_message(question), question->length);
    question_leave(question);
}

static void question_is_due(Question *question, gint64 now)
{
    if (question->waiting == NULL)
        count_silence(question);
    if (now >= question->end)
        question_fail(question);
    else
        question_ask(question, now);
}

/* --- what the servers say --- */

/* The next server is asked at once, where there is one that was not asked yet. */
static void ask_another(Question *question, gint64 now)
{
    const Attempt *next = next_attempt(question);

    if (!is_hopeful(question))
        question_fail(question);
    else if (next != NULL && next->asked == 0)
        question_ask(question, now);
}

static void attempt_fails(Attempt *attempt, const guint8 *octets, gsize length, gint64 now)
{
    Question *question = attempt->question;

    attempt_close(attempt);
    attempt->has_failed = true;
    if (octets != NULL && question->failure == NULL)
        question->failure = g_byte_array_append(g_byte_array_new(), octets, (guint)length);
    ask_another(question, now);
}

static void attempt_take(Attempt *attempt, const guint8 *octets, gsize length, gint64 now)
{
    Question *question = attempt->question;
    DnsMessageKind kind =
        dns_message_kind(octets, length, question_message(question), question->length);

    if (kind == DNS_MESSAGE_STRANGE)
        return;
    attempt->server->unanswered = 0;
    switch (kind) {
    case DNS_MESSAGE_STRANGE:
        return;
    case DNS_MESSAGE_GOOD:
        question_answer(question, octets, length);
        return;
    case DNS_MESSAGE_TRUNCATED:
        if (attempt->is_tcp)
            attempt_fails(attempt, NULL, 0, now);
        else
            attempt_ask_by_tcp(attempt);
        return;
    case DNS_MESSAGE_FAILURE:
        attempt_fails(attempt, octets, length, now);
        return;
    case DNS_MESSAGE_BROKEN:
        attempt_fails(attempt, NULL, 0, now);
        return;
    }
}

/* No server is there. It may be about to start: it is asked again in its turn. */
static void attempt_is_refused(Attempt *attempt, gint64 now)
{
    attempt_close(attempt);
    attempt->is_unanswered = true;
    attempt->server->unanswered = MAX(attempt->server->unanswered, QUIET);
    ask_another(attempt->question, now);
}

static void attempt_hears_udp(Attempt *attempt, gint64 now)
{
    guint8 octets[G_MAXUINT16];
    ssize_t length = recv(attempt->source.fd, octets, sizeof octets, 0);

    if (length >= 0)
        attempt_take(attempt, octets, (gsize)length, now);
    else if (errno != EAGAIN && errno != EINTR)
        attempt_is_refused(attempt, now);
}

/* A connection that breaks is begun anew when UDP's answer is truncated again. */
static void attempt_connects(Attempt *attempt)
{
    Question *question = attempt->question;
    gsize length = PREFIX + question->length;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = attempt};

    if (send(attempt->source.fd, question->octets, length, MSG_NOSIGNAL) != (ssize_t)length ||
        epoll_ctl(question->forwarder->epoll, EPOLL_CTL_MOD, attempt->source.fd, &event) != 0)
        attempt_close(attempt);
    else
        attempt->is_connected = true;
}

static gsize message_length(const GByteArray *message)
{
    return message->len < PREFIX ? 0 : (gsize)(message->data[0] << 8 | message->data[1]);
}

static void attempt_hears_tcp(Attempt *attempt, gint64 now)
{
    GByteArray *message = attempt->message;
    gsize wanted = PREFIX + message_length(message) - message->len;
    guint8 octets[G_MAXUINT16];
    ssize_t length = recv(attempt->source.fd, octets, MIN(wanted, sizeof octets), 0);

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) {
        attempt_close(attempt);
        return;
    }
    g_byte_array_append(message, octets, (guint)length);
    if (message->len <= PREFIX || message->len < PREFIX + message_length(message))
        return;
    g_byte_array_ref(message);
    attempt_take(attempt, message->data + PREFIX, message->len - PREFIX, now);
    g_byte_array_unref(message);
}

static void attempt_event(Attempt *attempt, gint64 now)
{
    if (attempt->source.fd < 0)
        return; /* closed by an event that came with this one */
    if (!attempt->is_tcp)
        attempt_hears_udp(attempt, now);
    else if (!attempt->is_connected)
        attempt_connects(attempt);
    else
        attempt_hears_tcp(attempt, now);
}

/* --- what libunbound asks --- */

static Share *share_of(DnsForwarder *forwarder, const char *name)
{
    const char *domain = domain_name_organizational(name);
    Share *share = g_hash_table_lookup(forwarder->shares, domain);

    if (share != NULL)
        return share;
    share = g_new0(Share, 1);
    share->domain = g_strdup(domain);
    g_queue_init(&share->waiting);
    g_hash_table_insert(forwarder->shares, share->domain, share);
    return share;
}

static Question *question_new(DnsForwarder *forwarder, const guint8 *octets, gsize length,
                              Share *share, gint64 now)
{
    Question *question =
        g_malloc0(sizeof *question + forwarder->server_count * sizeof *question->attempts);

    question->forwarder = forwarder;
    question->length = length;
    question->octets[0] = (guint8)(length >> 8);
    question->octets[1] = (guint8)length;
    memcpy(question->octets + PREFIX, octets, length);
    question->share = share;
    question->last = now + forwarder->timeout - MARGIN;
    question->end = now + forwarder->timeout + MARGIN;
    question->wait = FIRST_WAIT;
    for (guint i = 0; i < forwarder->server_count; i++) {
        question->attempts[i].source.fd = -1;
        question->attempts[i].question = question;
        question->attempts[i].server = &forwarder->servers[i];
    }
    return question;
}

static void question_queue(Question *question)
{
    Share *share = question->share;

    if (g_queue_is_empty(&share->waiting))
        g_queue_push_tail(&question->forwarder->crowded, share);
    g_queue_push_tail(&share->waiting, question);
    question->waiting = share->waiting.tail;
    question->forwarder->waiting++;
    set_timer(question, question->end);
}

static void take_question(DnsForwarder *forwarder, int listener, const struct sockaddr_in *from,
                          const guint8 *octets, gsize length, gint64 now)
{
    char name[DNS_NAME_MAX + 1];
    Question *question;
    Share *share;
    bool can_begin;

    if (length > QUESTION_MAX || !dns_message_is_question(octets, length, name))
        return;
    share = share_of(forwarder, name);
    can_begin = has_room(forwarder, share);
    if (!can_begin && forwarder->waiting >= WAITING_MAX) {
        send_failure(listener, from, octets, length);
        share_leave(forwarder, share);
        return;
    }
    question = question_new(forwarder, octets, length, share, now);
    question->listener = listener;
    question->from = *from;
    if (can_begin)
        question_begin(question, now);
    else
        question_queue(question);
}

static void listener_event(DnsForwarder *forwarder, const Source *listener, gint64 now)
{
    guint8 octets[QUESTION_MAX + 1];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t length;

    for (guint i = 0; i < QUESTIONS_AT_ONCE; i++) {
        length = recvfrom(listener->fd, octets, sizeof octets, 0, (struct sockaddr *)&from, &size);
        if (length < 0)
            return;
        take_question(forwarder, listener->fd, &from, octets, (gsize)length, now);
    }
}

/* --- the whole --- */

/* Returns when the next question is due. */
static gint64 serve_timers(DnsForwarder *forwarder, gint64 now)
{
    for (;;) {
        GSequenceIter *first = g_sequence_get_begin_iter(forwarder->timers);
        Question *question;

        if (g_sequence_iter_is_end(first))
            return G_MAXINT64;
        question = g_sequence_get(first);
        if (question->due > now)
            return question->due;
        question_is_due(question, now);
    }
}

gint64 dns_forwarder_serve(DnsForwarder *forwarder)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(forwarder->epoll, events, EVENTS, 0);
    gint64 now = clock_monotonic(&clock_system);
    gint64 next;

    for (int i = 0; i < count; i++) {
        Source *source = events[i].data.ptr;

        if (source->is_listener)
            listener_event(forwarder, source, now);
        else
            attempt_event((Attempt *)source, now);
    }
    next = serve_timers(forwarder, now);
    if (!g_queue_is_empty(&forwarder->crowded)) {
        begin_waiting(forwarder, now);
        next = serve_timers(forwarder, now);
    }
    g_ptr_array_set_size(forwarder->finished, 0);
    return next;
}

/*
 * The first one, whose port is 0, gets a port that nobody has: if it were to share one from the
 * beginning, the kernel could give it the port of another forwarder of this account, which would
 * take questions away from it.
 */
static bool bind_shared(int fd, struct sockaddr_in *address)
{
    const int yes = 1;
    socklen_t size = sizeof *address;

    return (address->sin_port == 0 ||
            setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0) &&
           bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
           getsockname(fd, (struct sockaddr *)address, &size) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0;
}

static bool listen_on(const DnsForwarder *forwarder, Source *listener, struct sockaddr_in *address)
{
    const int buffer = 1 << 20;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (!bind_shared(fd, address) || epoll_ctl(forwarder->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        close(fd);
        return false;
    }
    listener->fd = fd;
    listener->is_listener = true;
    return true;
}

static bool start_listening(DnsForwarder *forwarder, GError **error)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    forwarder->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (forwarder->epoll < 0 || !listen_on(forwarder, &forwarder->listeners[0], &address)) {
        g_set_error(error, DNS_ERROR, DNS_ERROR_LIBRARY, "127.0.0.1 can't be listened on: %s",
                    g_strerror(errno));
        return false;
    }
    for (guint i = 1; i < LISTENERS; i++)
        if (!listen_on(forwarder, &forwarder->listeners[i], &address))
            break;
    g_snprintf(forwarder->address, sizeof forwarder->address, "127.0.0.1@%u",
               ntohs(address.sin_port));
    return true;
}

DnsForwarder *dns_forwarder_new(GArray *servers, guint timeout, GError **error)
{
    DnsForwarder *forwarder = g_new0(DnsForwarder, 1);

    forwarder->server_count = servers->len;
    forwarder->servers = g_new0(Server, servers->len);
    for (guint i = 0; i < servers->len; i++)
        forwarder->servers[i].at = g_array_index(servers, DnsServer, i);
    g_array_unref(servers);
    forwarder->timeout = MIN(timeout, TIMEOUT_MAX) * CLOCK_SECOND;
    for (guint i = 0; i < LISTENERS; i++)
        forwarder->listeners[i].fd = -1;
    forwarder->timers = g_sequence_new(NULL);
    forwarder->shares = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, share_free);
    g_queue_init(&forwarder->crowded);
    forwarder->finished = g_ptr_array_new_with_free_func(question_free);
    if (start_listening(forwarder, error))
        return forwarder;
    dns_forwarder_free(forwarder);
    return NULL;
}

void dns_forwarder_free(DnsForwarder *forwarder)
{
    if (forwarder == NULL)
        return;
    while (!g_sequence_is_empty(forwarder->timers))
        question_leave(g_sequence_get(g_sequence_get_begin_iter(forwarder->timers)));
    g_ptr_array_unref(forwarder->finished);
    g_sequence_free(forwarder->timers);
    g_hash_table_unref(forwarder->shares);
    for (guint i = 0; i < LISTENERS; i++)
        if (forwarder->listeners[i].fd >= 0)
            close(forwarder->listeners[i].fd);
    if (forwarder->epoll >= 0)
        close(forwarder->epoll);
    g_free(forwarder->servers);
    g_free(forwarder);
}

const char *dns_forwarder_address(const DnsForwarder *forwarder)
{
    return forwarder->address;
}

guint dns_forwarder_patience(const DnsForwarder *forwarder)
{
    return (guint)((forwarder->timeout + MARGIN) / CLOCK_MILLISECOND);
}

int dns_forwarder_fd(const DnsForwarder *forwarder)
{
    return forwarder->epoll;
}
