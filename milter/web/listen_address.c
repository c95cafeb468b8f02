#include "config.h"

#include "web/listen_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/network.h"

#define BACKLOG 1024

G_DEFINE_QUARK(spfrom_listen_address_error, listen_address_error)

/* Splits text into *host and *port, both owned by the caller. */
static void split(const char *text, char **host, char **port)
{
    const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = strrchr(text, ':');

    if (bracket != NULL) {
        *host = g_strndup(text + 1, (gsize)(bracket - text - 1));
        *port = g_strdup(bracket[1] == ':' ? bracket + 2 : bracket[1] == '\0' ? "" : "?");
    } else if (colon != NULL && strchr(text, ':') == colon) {
        *host = g_strndup(text, (gsize)(colon - text));
        *port = g_strdup(colon[1] != '\0' ? colon + 1 : "?");
    } else if (*text != '\0' && text[strspn(text, "0123456789")] == '\0') {
        *host = g_strdup("");
        *port = g_strdup(text);
    } else {
        *host = g_strdup(text);
        *port = g_strdup("");
    }
    if (**host == '\0' || strcmp(*host, "localhost") == 0) {
        g_free(*host);
        *host = g_strdup(LISTEN_DEFAULT_ADDRESS);
    } else if (strcmp(*host, "*") == 0) {
        g_free(*host);
        *host = g_strdup("0.0.0.0");
    }
}

bool listen_address_parse(const char *text, ListenAddress *address, GError **error)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    g_autofree char *host = NULL;
    g_autofree char *port = NULL;
    struct addrinfo *found = NULL;

    split(text, &host, &port);
    if (strlen(port) > 5 || g_ascii_strtoull(port, NULL, 10) > 65535 ||
        getaddrinfo(host, *port != '\0' ? port : LISTEN_DEFAULT_PORT, &hints, &found) != 0) {
        g_set_error(error, LISTEN_ADDRESS_ERROR, LISTEN_ADDRESS_ERROR_SYNTAX,
                    "\"%s\" is no address; write it like %s:%s or [::1]:%s", text,
                    LISTEN_DEFAULT_ADDRESS, LISTEN_DEFAULT_PORT, LISTEN_DEFAULT_PORT);
        return false;
    }
    memset(address, 0, sizeof *address);
    memcpy(&address->address, found->ai_addr, found->ai_addrlen);
    address->length = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static void fail(const ListenAddress *address, int cause, GError **error)
{
    g_autofree char *url = listen_address_url(address);

    g_set_error(error, LISTEN_ADDRESS_ERROR, LISTEN_ADDRESS_ERROR_SYSTEM, "cannot listen at %s: %s",
                url, g_strerror(cause));
}

int listen_address_open(const ListenAddress *address, GError **error)
{
    const int on = 1;
    int listener =
        socket(address->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(listener, (const struct sockaddr *)&address->address, address->length) == 0 &&
        listen(listener, BACKLOG) == 0)
        return listener;
    fail(address, errno, error);
    if (listener >= 0)
        close(listener);
    return -1;
}

bool listen_address_of(int socket_number, ListenAddress *address)
{
    memset(address, 0, sizeof *address);
    address->length = sizeof address->address;
    return getsockname(socket_number, (struct sockaddr *)&address->address, &address->length) == 0;
}

char *listen_address_host(const ListenAddress *address)
{
    char text[NETWORK_TEXT_MAX];
    Network network;

    if (!network_from_sockaddr((const struct sockaddr *)&address->address, &network))
        return g_strdup("?");
    return g_strdup(network_text(&network, text));
}

static guint port_of(const ListenAddress *address)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (address->address.ss_family == AF_INET6) {
        memcpy(&in6, &address->address, sizeof in6);
        return ntohs(in6.sin6_port);
    }
    memcpy(&in, &address->address, sizeof in);
    return ntohs(in.sin_port);
}

char *listen_address_url(const ListenAddress *address)
{
    g_autofree char *host = listen_address_host(address);
    bool has_colon = strchr(host, ':') != NULL;

    return g_strdup_printf("http://%s%s%s:%u/", has_colon ? "[" : "", host, has_colon ? "]" : "",
                           port_of(address));
}

bool listen_address_is_loopback(const ListenAddress *address)
{
    Network loopback4, loopback6, ours;

    network_parse("127.0.0.0/8", &loopback4, NULL);
    network_parse("::1", &loopback6, NULL);
    return network_from_sockaddr((const struct sockaddr *)&address->address, &ours) &&
           (network_contains(&loopback4, &ours) || network_contains(&loopback6, &ours));
}
