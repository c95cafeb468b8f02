#include "config.h"

#include "dns/dns_servers.h"

#include <netdb.h>
#include <stdbool.h>
#include <string.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define DNS_PORT "53"

/* "IP" or "IP@PORT"; an IPv6 address may have a scope. */
static bool add_server(GArray *servers, const char *text)
{
    static const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                          .ai_socktype = SOCK_DGRAM};
    const char *at = strchr(text, '@');
    const char *port = at != NULL ? at + 1 : DNS_PORT;
    g_autofree char *host = at != NULL ? g_strndup(text, (gsize)(at - text)) : g_strdup(text);
    struct addrinfo *found = NULL;
    DnsServer server = {.length = 0};

    if (*host == '\0' || !g_ascii_string_to_unsigned(port, 10, 1, G_MAXUINT16, NULL, NULL) ||
        getaddrinfo(host, port, &hints, &found) != 0)
        return false;
    memcpy(&server.address, found->ai_addr, found->ai_addrlen);
    server.length = found->ai_addrlen;
    freeaddrinfo(found);
    if (servers->len < DNS_SERVERS_MAX)
        g_array_append_val(servers, server);
    return true;
}

static bool add_servers(GArray *servers, const char *const *texts, GError **error)
{
    for (guint i = 0; texts[i] != NULL; i++) {
        if (add_server(servers, texts[i]))
            continue;
        g_set_error(error, DNS_ERROR, DNS_ERROR_SERVER,
                    "\"%s\" is not a DNS server; write it like 192.0.2.53 or 127.0.0.1@5353",
                    texts[i]);
        return false;
    }
    return true;
}

/* Returns the address on a line of resolv.conf, or NULL: "nameserver 192.0.2.53 # the router". */
static char *nameserver_of(const char *line)
{
    static const char keyword[] = "nameserver";
    const char *address = line + strlen(keyword);

    if (!g_str_has_prefix(line, keyword) || !g_ascii_isspace(*address))
        return NULL;
    address += strspn(address, " \t");
    return g_strndup(address, strcspn(address, " \t\r#;"));
}

static bool add_system_servers(GArray *servers, const char *file, GError **error)
{
    g_autoptr(GError) unreadable = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(file, &text, NULL, &unreadable)) {
        g_set_error_literal(error, DNS_ERROR, DNS_ERROR_FILE, unreadable->message);
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_autofree char *server = nameserver_of(lines[i]);

        if (server != NULL)
            add_server(servers, server);
    }
    if (servers->len == 0)
        g_set_error(error, DNS_ERROR, DNS_ERROR_SERVER,
                    "%s names no DNS server; write its address as dns_servers = { \"192.0.2.53\" }",
                    file);
    return servers->len > 0;
}

GArray *dns_servers_read(const DnsUnboundOptions *options, GError **error)
{
    g_autoptr(GArray) servers = g_array_new(FALSE, FALSE, sizeof(DnsServer));
    const char *file = options->resolv_conf != NULL ? options->resolv_conf : RESOLV_CONF;
    bool is_read = options->servers != NULL && options->servers[0] != NULL
                       ? add_servers(servers, options->servers, error)
                       : add_system_servers(servers, file, error);

    return is_read ? g_steal_pointer(&servers) : NULL;
}
