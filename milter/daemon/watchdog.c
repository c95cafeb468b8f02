#include "config.h"

#include "daemon/watchdog.h"

#include <errno.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/listener.h"
#include "daemon/live_settings.h"
#include "daemon/notify.h"

#define MILLISECOND 1000  /* in microseconds */
#define MILLISECONDS 1000 /* in a second */

/* Parts of the interval. A proof that failed is followed by another one before it is over. */
#define PAUSE_PART 2
#define PATIENCE_PART 8 /* spent twice at most: connecting, and the answer */

/*
 * Does the daemon answer an MTA? A connection to its own socket that negotiates, as an MTA does,
 * and goes: it needs libmilter's loop, one of its workers, and a file descriptor.
 */
typedef struct {
    struct sockaddr_storage address;
    socklen_t length;
} SelfProbe;

typedef enum {
    SELF_PROBE_ANSWERED,
    SELF_PROBE_SILENT, /* nobody listens, or there was no answer in time */
    SELF_PROBE_UNABLE, /* could not ask: no descriptor, no permission. Says nothing of the daemon */
} SelfProbeResult;

/* A milter packet: the length of what follows, a command, its data; numbers in network order. */
typedef struct __attribute__((packed)) {
    guint32 length;
    char command;
    guint32 version;
    guint32 actions;
    guint32 steps;
} Negotiation;

typedef struct __attribute__((packed)) {
    guint32 length;
    char command;
} Head;

G_STATIC_ASSERT(sizeof(Negotiation) == 17);
G_STATIC_ASSERT(sizeof(Head) == 5);

static bool init_unix(SelfProbe *probe, const char *path)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&probe->address;

    address->sun_family = AF_UNIX;
    probe->length = sizeof *address;
    return g_strlcpy(address->sun_path, path, sizeof address->sun_path) < sizeof address->sun_path;
}

/* place is PORT@HOST; without a host it is every address, of which loopback is one. */
static bool init_inet(SelfProbe *probe, int family, const char *place)
{
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    g_auto(GStrv) parts = g_strsplit(place, "@", 2);
    struct addrinfo *found = NULL;
    bool is_found;

    if (parts[0] == NULL)
        return false;
    is_found = getaddrinfo(parts[1], parts[0], &hints, &found) == 0 &&
               found->ai_addrlen <= sizeof probe->address;
    if (is_found) {
        memcpy(&probe->address, found->ai_addr, found->ai_addrlen);
        probe->length = found->ai_addrlen;
    }
    g_clear_pointer(&found, freeaddrinfo);
    return is_found;
}

/* socket is the key of that name (design section 11). May look a host name up. Returns false if it
 * can't be asked. */
static bool init_probe(SelfProbe *probe, const char *socket)
{
    const char *place = strchr(socket, ':');

    *probe = (SelfProbe){0};
    if (place == NULL)
        return false;
    place++;
    if (g_str_has_prefix(socket, "unix:"))
        return init_unix(probe, place);
    return init_inet(probe, g_str_has_prefix(socket, "inet6:") ? AF_INET6 : AF_INET, place);
}

static int connect_error(const SelfProbe *probe, int fd, guint patience)
{
    const struct timeval time = {.tv_sec = patience / MILLISECONDS,
                                 .tv_usec = patience % MILLISECONDS * MILLISECONDS};

    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    return connect(fd, (const struct sockaddr *)&probe->address, probe->length) == 0 ? 0 : errno;
}

/* Offers all that libmilter knows, as an MTA does, and waits for the head of the answer. */
static bool is_answered(int fd)
{
    const Negotiation offer = {.length = htonl(sizeof offer - sizeof offer.length),
                               .command = SMFIC_OPTNEG,
                               .version = htonl(SMFI_PROT_VERSION),
                               .actions = htonl(SMFI_CURR_ACTS),
                               .steps = htonl(SMFI_CURR_PROT)};
    const Head quit = {.length = htonl(sizeof quit.command), .command = SMFIC_QUIT};
    Head answer;

    if (send(fd, &offer, sizeof offer, MSG_NOSIGNAL) != (ssize_t)sizeof offer ||
        recv(fd, &answer, sizeof answer, MSG_WAITALL) != (ssize_t)sizeof answer)
        return false;
    send(fd, &quit, sizeof quit, MSG_NOSIGNAL);
    return answer.command == SMFIC_OPTNEG;
}

/* Connecting and the answer may each take patience milliseconds. */
static SelfProbeResult ask_probe(const SelfProbe *probe, guint patience)
{
    int fd = socket(probe->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error;
    SelfProbeResult result;

    if (fd < 0)
        return SELF_PROBE_UNABLE;
    error = connect_error(probe, fd, patience);
    if (error == EACCES || error == EPERM)
        result = SELF_PROBE_UNABLE;
    else
        result = error == 0 && is_answered(fd) ? SELF_PROBE_ANSWERED : SELF_PROBE_SILENT;
    close(fd);
    return result;
}

static bool is_probed; /* written before the thread starts */
static SelfProbe probe;

/* Whoever holds the lock for good stops this thread here, and so the word that all is well. */
static bool is_in_force(void)
{
    LiveSettings live = {0};
    bool is_taken = live_settings_take(&live);

    live_settings_release(&live);
    return is_taken;
}

static bool is_answering(guint64 patience)
{
    guint milliseconds = (guint)CLAMP(patience / MILLISECOND, 1, G_MAXINT);

    if (!is_probed || listener_is_closed() ||
        ask_probe(&probe, milliseconds) != SELF_PROBE_SILENT || listener_is_closed())
        return true;
    log_write(LOG_ERR, "watchdog: no answer on the milter's socket within %u ms", milliseconds);
    return false;
}

static void *watch(void *unused G_GNUC_UNUSED)
{
    const guint64 pause = notify_watchdog_interval() / PAUSE_PART;
    const guint64 patience = notify_watchdog_interval() / PATIENCE_PART;

    while (is_in_force()) {
        bool is_well = is_answering(patience);

        if (is_well)
            notify_alive();
        g_usleep(is_well ? pause : patience);
    }
    return NULL;
}

bool watchdog_start(Settings *settings)
{
    pthread_t thread;

    if (notify_watchdog_interval() == 0)
        return true;
    is_probed = init_probe(&probe, settings->socket);
    if (pthread_create(&thread, NULL, watch, NULL) != 0)
        return false;
    pthread_setname_np(thread, "spfrom-watchdog");
    pthread_detach(thread);
    return true;
}
