#include "config.h"

#include "doctor/listener.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MILLISECONDS 2000

static const struct {
    const char *word; /* in the name of its process, or in its path */
    guint16 port;     /* the one that its documentation names; 0: none */
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

const KnownMilter *doctor_listener_known(const char *program, const char *address_text,
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

/* The first words of /proc/PID/cmdline: the program, and what an interpreter was given. */
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

/* The process that has called listen() is the peer of who connects. */
static char *program_at_path(const MilterAddress *address)
{
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    int fd = milter_address_connect(address, CONNECT_MILLISECONDS);
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

char *doctor_listener_program(const MilterAddress *address)
{
    const MilterAddress any = {.port = address->port};

    if (address->is_unix)
        return program_at_path(address);
    return milter_address_reaches(address, &any) ? program_at_port(address->port) : NULL;
}

/* Reads exactly length octets. */
static bool read_octets(int fd, guint8 *octets, gsize length, guint milliseconds)
{
    while (length > 0) {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        ssize_t got;

        if (poll(&polled, 1, (int)milliseconds) <= 0)
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

bool doctor_listener_negotiate(int fd, guint milliseconds)
{
    /* Length, command, then version 6, all actions and all steps that it has. */
    static const guint8 question[] = {0, 0,    0,    13,   'O',  0,    0,    0,   6,
                                      0, 0x00, 0x01, 0xff, 0x00, 0x1f, 0xff, 0xff};
    static const guint8 end[] = {0, 0, 0, 1, 'Q'};
    guint8 answer[17];

    if (send(fd, question, sizeof question, MSG_NOSIGNAL) != (ssize_t)sizeof question ||
        !read_octets(fd, answer, sizeof answer, milliseconds))
        return false;
    if (send(fd, end, sizeof end, MSG_NOSIGNAL) < 0)
        return false;
    return answer[3] >= 13 && answer[4] == 'O';
}
