/*
 * A DNS server on loopback that is as far away as one wants: every answer comes so many
 * milliseconds after its question. Every name has one SPF record, the same for all, and nothing
 * else.
 *
 * Usage: late_dns MILLISECONDS RECORD
 * Prints its port at once, and at SIGTERM how many questions it was asked.
 */
#include "config.h"

#include <arpa/inet.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>

#define HEAD 12          /* octets before the question, RFC 1035 section 4.1.1 */
#define QUESTION_MAX 512 /* octets of a whole one */
#define TYPE_TXT 16
#define RECORD_MAX 255 /* one string of a TXT record */
#define BUFFER_OCTETS (4 * 1024 * 1024)

typedef struct {
    gint64 due; /* monotonic time */
    struct sockaddr_in from;
    gsize length;
    guint8 octets[QUESTION_MAX];
} Question;

static volatile sig_atomic_t is_over;

static void on_signal(int number G_GNUC_UNUSED)
{
    is_over = 1;
}

/* The length of head and question, without what may follow (EDNS); 0 where it is malformed. */
static gsize question_end(const Question *question)
{
    gsize at = HEAD;

    while (at < question->length && question->octets[at] != 0)
        at += question->octets[at] + 1U;
    at += 1 + 2 * sizeof(guint16); /* the root label, type and class */
    return at <= question->length ? at : 0;
}

/* Turns question into its answer, in room for both. Returns the length of the answer. */
static gsize write_answer(guint8 *octets, gsize end, const char *record)
{
    static const guint8 owner_and_ttl[] = {0xc0, HEAD, 0, TYPE_TXT, 0, 1, 0, 0, 0x0e, 0x10};
    bool is_txt = octets[end - 3] == TYPE_TXT && octets[end - 4] == 0;
    gsize length = strlen(record);

    octets[2] = 0x81; /* a response, recursion desired … */
    octets[3] = 0x80; /* … and available */
    memset(octets + 6, 0, HEAD - 6);
    octets[7] = is_txt;
    if (!is_txt)
        return end;
    memcpy(octets + end, owner_and_ttl, sizeof owner_and_ttl);
    end += sizeof owner_and_ttl;
    octets[end++] = 0;
    octets[end++] = (guint8)(length + 1);
    octets[end++] = (guint8)length;
    memcpy(octets + end, record, length);
    return end + length;
}

static void answer(int fd, const Question *question, const char *record)
{
    guint8 octets[QUESTION_MAX + RECORD_MAX + 16];
    gsize end = question_end(question);

    if (end == 0)
        return;
    memcpy(octets, question->octets, end);
    end = write_answer(octets, end, record);
    if (sendto(fd, octets, end, 0, (const struct sockaddr *)&question->from,
               sizeof question->from) < 0)
        perror("sendto");
}

/* Takes a question in. Returns whether there was one. */
static bool receive(int fd, GQueue *waiting, gint64 delay)
{
    Question *question = g_new(Question, 1);
    socklen_t size = sizeof question->from;
    ssize_t length = recvfrom(fd, question->octets, sizeof question->octets, MSG_DONTWAIT,
                              (struct sockaddr *)&question->from, &size);

    if (length < HEAD) {
        g_free(question);
        return false;
    }
    question->length = (gsize)length;
    question->due = g_get_monotonic_time() + delay;
    g_queue_push_tail(waiting, question);
    return true;
}

/* Waits for a question, or until the first one that waits is due. SIGTERM comes only here. */
static void wait_for(int fd, GQueue *waiting)
{
    sigset_t none;
    const Question *first = g_queue_peek_head(waiting);
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    struct timespec time = {0};
    gint64 left;

    if (first != NULL) {
        left = MAX(first->due - g_get_monotonic_time(), 0);
        time.tv_sec = left / G_USEC_PER_SEC;
        time.tv_nsec = left % G_USEC_PER_SEC * 1000;
    }
    sigemptyset(&none);
    ppoll(&polled, 1, first != NULL ? &time : NULL, &none);
}

static void answer_due(int fd, GQueue *waiting, const char *record)
{
    gint64 now = g_get_monotonic_time();
    Question *question;

    while ((question = g_queue_peek_head(waiting)) != NULL && question->due <= now) {
        answer(fd, question, record);
        g_free(g_queue_pop_head(waiting));
    }
}

static int open_socket(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int octets = BUFFER_OCTETS;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    const struct sigaction action = {.sa_handler = on_signal};
    GQueue waiting = G_QUEUE_INIT;
    unsigned long questions = 0;
    sigset_t blocked;
    gint64 delay;
    int fd;

    if (argc != 3 || strlen(argv[2]) > RECORD_MAX) {
        fprintf(stderr, "usage: late_dns MILLISECONDS RECORD\n");
        return EX_USAGE;
    }
    delay = g_ascii_strtoll(argv[1], NULL, 10) * 1000;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    sigaction(SIGTERM, &action, NULL);
    fd = open_socket();
    if (fd < 0) {
        perror("late_dns");
        return EX_OSERR;
    }
    while (!is_over) {
        wait_for(fd, &waiting);
        while (receive(fd, &waiting, delay))
            questions++;
        answer_due(fd, &waiting, argv[2]);
    }
    printf("%lu\n", questions);
    g_queue_clear_full(&waiting, g_free);
    return EX_OK;
}
