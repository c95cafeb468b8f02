#include "config.h"

#include "doctor/milter_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/network.h"

static MilterAddress *unix_new(const char *path)
{
    MilterAddress *address;

    if (*path == '\0')
        return NULL;
    address = g_new0(MilterAddress, 1);
    address->is_unix = true;
    address->path = g_strdup(path);
    return address;
}

/* Reads a number, or the name of a service. Returns 0 if text is neither. */
static guint16 parse_port(const char *text)
{
    const struct servent *service;
    guint64 number = 0;

    if (g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &number, NULL))
        return (guint16)number;
    service = getservbyname(text, "tcp");
    return service != NULL ? ntohs((guint16)service->s_port) : 0;
}

/* Returns the host in lower case and without brackets; NULL for any host. */
static char *parse_host(const char *text, gsize length)
{
    static const char *const any[] = {"", "*", "0.0.0.0", "::"};
    g_autofree char *host = NULL;

    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    host = g_ascii_strdown(text, (gssize)length);
    for (size_t i = 0; i < G_N_ELEMENTS(any); i++)
        if (strcmp(host, any[i]) == 0)
            return NULL;
    return g_steal_pointer(&host);
}

/* host may be empty. */
static MilterAddress *inet_new(const char *port_text, gsize port_length, const char *host,
                               gsize host_length)
{
    g_autofree char *port_word = g_strndup(port_text, port_length);
    guint16 port = parse_port(port_word);
    MilterAddress *address;

    if (port == 0)
        return NULL;
    address = g_new0(MilterAddress, 1);
    address->port = port;
    address->host = parse_host(host, host_length);
    return address;
}

/* Reads "HOST:PORT", "[IPV6]:PORT" or "PORT". */
static MilterAddress *parse_host_port(const char *text)
{
    const char *colon = strrchr(text, ':');

    if (strchr(text, '@') != NULL)
        return NULL;
    if (colon == NULL)
        return inet_new(text, strlen(text), "", 0);
    return inet_new(colon + 1, strlen(colon + 1), text, (gsize)(colon - text));
}

/* Reads "PORT@HOST" or "PORT". */
static MilterAddress *parse_port_host(const char *text)
{
    const char *at = strchr(text, '@');

    if (at == NULL)
        return inet_new(text, strlen(text), "", 0);
    if (strchr(at + 1, '@') != NULL)
        return NULL; /* Postfix could not read it in its own form either */
    return inet_new(text, (gsize)(at - text), at + 1, strlen(at + 1));
}

/* A way to write addresses begins with one of these words. */
typedef struct {
    const char *prefix;
    MilterAddress *(*parse)(const char *text);
} Transport;

MilterAddress *milter_address_parse_postfix(const char *text)
{
    static const Transport transports[] = {
        {"inet:", parse_host_port}, {"unix:", unix_new}, {"local:", unix_new}};

    for (size_t i = 0; i < G_N_ELEMENTS(transports); i++)
        if (g_str_has_prefix(text, transports[i].prefix))
            return transports[i].parse(text + strlen(transports[i].prefix));
    return NULL;
}

MilterAddress *milter_address_parse_sendmail(const char *text)
{
    static const Transport transports[] = {{"inet:", parse_port_host},
                                           {"inet6:", parse_port_host},
                                           {"unix:", unix_new},
                                           {"local:", unix_new}};

    for (size_t i = 0; i < G_N_ELEMENTS(transports); i++)
        if (g_ascii_strncasecmp(text, transports[i].prefix, strlen(transports[i].prefix)) == 0)
            return transports[i].parse(text + strlen(transports[i].prefix));
    return *text == '/' ? unix_new(text) : NULL;
}

/* Reads "HOST:PORT" or "PORT@HOST" without "inet:" before it. */
static MilterAddress *parse_bare(const char *text)
{
    const char *colon = strchr(text, ':');

    if (strchr(text, '@') != NULL)
        return parse_port_host(text);
    if (colon == NULL || (*text != '[' && strchr(colon + 1, ':') != NULL))
        return NULL;
    return parse_host_port(text);
}

MilterAddress *milter_address_guess(const char *text)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    MilterAddress *address;

    if (strpbrk(text, "{}\"' ") != NULL)
        return NULL;
    address = milter_address_parse_sendmail(text);
    if (address == NULL)
        address = milter_address_parse_postfix(text);
    if (address == NULL)
        address = milter_address_parse_postfix(lower);
    if (address != NULL)
        return address;
    return parse_bare(g_str_has_prefix(lower, "inet6:") ? lower + strlen("inet6:") : lower);
}

void milter_address_free(MilterAddress *address)
{
    g_free(address->path);
    g_free(address->host);
    g_free(address);
}

char *milter_address_postfix(const MilterAddress *address)
{
    const char *host = address->host != NULL ? address->host : "127.0.0.1";

    if (address->is_unix)
        return g_strconcat("unix:", address->path, NULL);
    if (strchr(host, ':') != NULL)
        return g_strdup_printf("inet:[%s]:%u", host, address->port);
    return g_strdup_printf("inet:%s:%u", host, address->port);
}

char *milter_address_sendmail(const MilterAddress *address)
{
    const char *host = address->host != NULL ? address->host : "127.0.0.1";

    if (address->is_unix)
        return g_strconcat("unix:", address->path, NULL);
    return g_strdup_printf(strchr(host, ':') != NULL ? "inet6:%u@%s" : "inet:%u@%s", address->port,
                           host);
}

static struct addrinfo *look_up(const MilterAddress *address)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const char *host = address->host != NULL ? address->host : "127.0.0.1";
    char port[8];
    struct addrinfo *found = NULL;

    g_snprintf(port, sizeof port, "%u", address->port);
    return getaddrinfo(host, port, &hints, &found) == 0 ? found : NULL;
}

static GArray *networks_of(const MilterAddress *address)
{
    GArray *networks = g_array_new(FALSE, FALSE, sizeof(Network));
    struct addrinfo *found = look_up(address);

    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        Network network;

        if (network_from_sockaddr(at->ai_addr, &network))
            g_array_append_val(networks, network);
    }
    if (found != NULL)
        freeaddrinfo(found);
    return networks;
}

static bool has_network(const GArray *networks, const Network *wanted)
{
    for (guint i = 0; i < networks->len; i++)
        if (network_is_equal(&g_array_index(networks, Network, i), wanted))
            return true;
    return false;
}

static bool is_loopback(const Network *address)
{
    static const guint8 last[16] = {[15] = 1};

    return address->family == AF_INET ? address->octets[0] == 127
                                      : memcmp(address->octets, last, sizeof last) == 0;
}

static bool has_own(const GArray *networks)
{
    g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(Network));

    network_add_interfaces(own);
    for (guint i = 0; i < networks->len; i++) {
        const Network *network = &g_array_index(networks, Network, i);

        if (is_loopback(network) || has_network(own, network))
            return true;
    }
    return false;
}

static bool reaches_host(const MilterAddress *asked, const MilterAddress *listening)
{
    g_autoptr(GArray) from = NULL;
    g_autoptr(GArray) to = NULL;

    if (g_strcmp0(asked->host, listening->host) == 0)
        return true;
    from = networks_of(asked);
    if (listening->host == NULL)
        return has_own(from);
    to = networks_of(listening);
    for (guint i = 0; i < from->len; i++)
        if (has_network(to, &g_array_index(from, Network, i)))
            return true;
    return false;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat of_a;
    struct stat of_b;
    g_autofree char *whole_a = g_canonicalize_filename(a, "/");
    g_autofree char *whole_b = g_canonicalize_filename(b, "/");

    if (strcmp(whole_a, whole_b) == 0)
        return true;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

bool milter_address_reaches(const MilterAddress *asked, const MilterAddress *listening)
{
    if (asked->is_unix != listening->is_unix)
        return false;
    if (asked->is_unix)
        return is_same_file(asked->path, listening->path);
    return asked->port == listening->port && reaches_host(asked, listening);
}

/* Waits for events. Returns what poll() does: 0 once the deadline is over. */
static int wait_for(int fd, short events, Deadline deadline)
{
    struct pollfd polled = {.fd = fd, .events = events};
    gint64 left = deadline - clock_monotonic(&clock_system);

    return poll(&polled, 1, left > 0 ? (int)(left / CLOCK_MILLISECOND) + 1 : 0);
}

/* Returns 0 or errno. */
static int finish_connect(int fd, Deadline deadline)
{
    int trouble = 0;
    socklen_t length = sizeof trouble;
    int ready = wait_for(fd, POLLOUT, deadline);

    if (ready == 0)
        return ETIMEDOUT;
    if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &trouble, &length) != 0)
        return errno;
    return trouble;
}

/* Gives a socket of that family an address of this host. Returns 0 or errno. */
static int bind_to(int fd, int family, const Network *source)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    bool is_bound;

    if (source->family != family)
        return EAFNOSUPPORT;
    memcpy(&in.sin_addr, source->octets, sizeof in.sin_addr);
    memcpy(&in6.sin6_addr, source->octets, sizeof in6.sin6_addr);
    is_bound = family == AF_INET ? bind(fd, (const struct sockaddr *)&in, sizeof in) == 0
                                 : bind(fd, (const struct sockaddr *)&in6, sizeof in6) == 0;
    return is_bound ? 0 : errno;
}

/* source may be NULL. */
static int connect_to(const struct sockaddr *to, socklen_t length, const Network *source,
                      Deadline deadline)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int trouble = 0;

    if (fd < 0)
        return -1;
    if (source != NULL)
        trouble = bind_to(fd, to->sa_family, source);
    if (trouble == 0 && connect(fd, to, length) != 0)
        trouble = errno == EINPROGRESS ? finish_connect(fd, deadline) : errno;
    if (trouble == 0)
        return fd;
    close(fd);
    errno = trouble;
    return -1;
}

static int connect_unix(const char *path, Deadline deadline)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (g_strlcpy(to.sun_path, path, sizeof to.sun_path) >= sizeof to.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return connect_to((const struct sockaddr *)&to, sizeof to, NULL, deadline);
}

int milter_address_connect(const MilterAddress *address, Deadline deadline)
{
    return milter_address_connect_from(address, NULL, deadline);
}

int milter_address_connect_from(const MilterAddress *address, const Network *source,
                                Deadline deadline)
{
    struct addrinfo *found;
    int fd = -1;
    int trouble;

    if (address->is_unix)
        return connect_unix(address->path, deadline);
    found = look_up(address);
    errno = EHOSTUNREACH;
    for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next)
        fd = connect_to(at->ai_addr, at->ai_addrlen, source, deadline);
    trouble = errno;
    if (found != NULL)
        freeaddrinfo(found);
    errno = trouble;
    return fd;
}

static const struct {
    /* A part of its program's name, or of its socket's path. */
    const char *word;
    /* The port that its documentation names; 0 if there is none. */
    guint16 port;
    KnownMilter milter;
} known[] = {
    {"opendkim", 8891, {"OpenDKIM", true}},    {"rspamd", 11332, {"rspamd", true}},
    {"dkimpy", 8892, {"dkimpy-milter", true}}, {"dkim-filter", 0, {"dkim-filter", true}},
    {"amavis", 0, {"amavis", true}},           {"openarc", 0, {"OpenARC", true}},
    {"opendmarc", 8893, {"OpenDMARC", false}}, {"clamav", 7357, {"clamav-milter", false}},
    {"clmilter", 0, {"clamav-milter", false}}, {"milter-greylist", 0, {"milter-greylist", false}},
    {"spamass", 0, {"spamass-milter", false}}, {"smf-spf", 0, {"smf-spf", false}},
    {"postsrsd", 0, {"PostSRSd", false}},
};

static const KnownMilter *find_word(const char *text)
{
    for (size_t i = 0; text != NULL && i < G_N_ELEMENTS(known); i++)
        if (strstr(text, known[i].word) != NULL)
            return &known[i].milter;
    return NULL;
}

const KnownMilter *milter_address_known(const char *program, const char *address_text,
                                        const MilterAddress *address)
{
    const KnownMilter *milter = find_word(program);

    if (milter != NULL || program != NULL)
        return milter;
    milter = find_word(address_text);
    if (milter != NULL || address == NULL || address->is_unix)
        return milter;
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (known[i].port != 0 && known[i].port == address->port)
            return &known[i].milter;
    return NULL;
}

/* The name of the script that an interpreter runs, from /proc/PID/cmdline; NULL if there is
 * none. */
static char *script_of(guint pid)
{
    g_autofree char *file = g_strdup_printf("/proc/%u/cmdline", pid);
    g_autofree char *text = NULL;
    gsize length = 0;
    const char *second;

    if (!g_file_get_contents(file, &text, &length, NULL) || length == 0)
        return NULL;
    second = text + strlen(text) + 1;
    if (second >= text + length || *second == '-')
        return NULL;
    return g_path_get_basename(second);
}

static char *name_of(guint pid)
{
    g_autofree char *file = g_strdup_printf("/proc/%u/comm", pid);
    g_autofree char *script = NULL;
    char *name = NULL;

    if (!g_file_get_contents(file, &name, NULL, NULL))
        return NULL;
    g_strchomp(name);
    if (!g_str_has_prefix(name, "python") && !g_str_has_prefix(name, "perl"))
        return name;
    script = script_of(pid);
    if (script == NULL)
        return name;
    g_free(name);
    return g_steal_pointer(&script);
}

/* The peer of a connection is the process that has called listen(). */
static char *program_at_path(const MilterAddress *address, Deadline deadline)
{
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    int fd = milter_address_connect(address, deadline);
    bool is_found;

    if (fd < 0)
        return NULL;
    is_found = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid > 0;
    close(fd);
    return is_found ? name_of((guint)peer.pid) : NULL;
}

#define LISTENING 0x0a /* TCP_LISTEN in /proc/net/tcp */

/* Appends the inodes of sockets that listen on port to inodes (of gulong). */
static void add_listening(GArray *inodes, const char *file, guint port)
{
    FILE *table = fopen(file, "re");
    char line[512];

    while (table != NULL && fgets(line, sizeof line, table) != NULL) {
        guint found;
        guint state;
        gulong inode;

        if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
                   &found, &state, &inode) == 3 &&
            found == port && state == LISTENING && inode != 0)
            g_array_append_val(inodes, inode);
    }
    if (table != NULL)
        fclose(table);
}

static bool is_one_of(const GArray *inodes, const char *target)
{
    gulong inode;

    if (sscanf(target, "socket:[%lu]", &inode) != 1)
        return false;
    for (guint i = 0; i < inodes->len; i++)
        if (g_array_index(inodes, gulong, i) == inode)
            return true;
    return false;
}

static bool holds_one(guint pid, const GArray *inodes)
{
    g_autofree char *folder = g_strdup_printf("/proc/%u/fd", pid);
    g_autoptr(GDir) files = g_dir_open(folder, 0, NULL);
    const char *name;

    while (files != NULL && (name = g_dir_read_name(files)) != NULL) {
        g_autofree char *link = g_build_filename(folder, name, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);

        if (target != NULL && is_one_of(inodes, target))
            return true;
    }
    return false;
}

static char *program_at_port(guint port)
{
    g_autoptr(GArray) inodes = g_array_new(FALSE, FALSE, sizeof(gulong));
    g_autoptr(GDir) processes = NULL;
    const char *name;

    add_listening(inodes, "/proc/net/tcp", port);
    add_listening(inodes, "/proc/net/tcp6", port);
    if (inodes->len > 0)
        processes = g_dir_open("/proc", 0, NULL);
    while (processes != NULL && (name = g_dir_read_name(processes)) != NULL) {
        guint64 pid;

        if (g_ascii_string_to_unsigned(name, 10, 1, G_MAXINT, &pid, NULL) &&
            holds_one((guint)pid, inodes))
            return name_of((guint)pid);
    }
    return NULL;
}

char *milter_address_program(const MilterAddress *address, Deadline deadline)
{
    const MilterAddress any = {.port = address->port};

    if (address->is_unix)
        return program_at_path(address, deadline);
    return milter_address_reaches(address, &any) ? program_at_port(address->port) : NULL;
}

/* Reads exactly length octets. Returns false if they don't come. */
static bool read_octets(int fd, guint8 *octets, gsize length, Deadline deadline)
{
    while (length > 0) {
        ssize_t got;

        if (wait_for(fd, POLLIN, deadline) <= 0)
            return false;
        got = read(fd, octets, length);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return false;
        octets += got;
        length -= (gsize)got;
    }
    return true;
}

bool milter_address_negotiate(int fd, Deadline deadline)
{
    /* The length, the command, then version 6 with all its actions and steps. */
    static const guint8 question[] = {0, 0,    0,    13,   'O',  0,    0,    0,   6,
                                      0, 0x00, 0x01, 0xff, 0x00, 0x1f, 0xff, 0xff};
    static const guint8 end[] = {0, 0, 0, 1, 'Q'};
    guint8 answer[17];

    if (send(fd, question, sizeof question, MSG_NOSIGNAL) != (ssize_t)sizeof question ||
        !read_octets(fd, answer, sizeof answer, deadline))
        return false;
    if (send(fd, end, sizeof end, MSG_NOSIGNAL) < 0)
        return false;
    return answer[3] >= 13 && answer[4] == 'O';
}
