#include "config.h"

#include "web/host_names.h"

#include <string.h>

#include "base/domain_name.h"
#include "base/network.h"

/* Nothing, or a colon and digits. */
static bool is_port(const char *text)
{
    return *text == '\0' || (*text == ':' && text[1 + strspn(text + 1, "0123456789")] == '\0');
}

static char *parse_brackets(const char *host)
{
    const char *end = strchr(host, ']');

    if (end == NULL || !is_port(end + 1))
        return NULL;
    return g_ascii_strdown(host + 1, end - host - 1);
}

char *host_name_parse(const char *host)
{
    g_autofree char *name = NULL;
    gsize length;

    if (host[0] == '[')
        return parse_brackets(host);
    length = strcspn(host, ":");
    if (length == 0 || length > DOMAIN_NAME_MAX + 1 || !is_port(host + length))
        return NULL;
    name = g_ascii_strdown(host, (gssize)length);
    if (name[length - 1] == '.')
        name[length - 1] = '\0';
    return *name != '\0' ? g_steal_pointer(&name) : NULL;
}

static bool is_loopback(const Network *address)
{
    if (address->family == AF_INET)
        return address->octets[0] == 127;
    for (size_t i = 0; i < 15; i++)
        if (address->octets[i] != 0)
            return false;
    return address->octets[15] == 1;
}

static bool is_our_address(const Network *address, const char *local)
{
    Network ours;

    return is_loopback(address) ||
           (network_parse(local, &ours, NULL) && network_is_equal(address, &ours));
}

bool host_name_is_ours(const char *host, const char *local, const char *const *names)
{
    g_autofree char *name = host != NULL ? host_name_parse(host) : NULL;
    Network address;

    if (name == NULL)
        return false;
    for (; names != NULL && *names != NULL; names++)
        if (g_ascii_strcasecmp(name, *names) == 0)
            return true;
    if (strcmp(name, "localhost") == 0)
        return true;
    return strchr(name, '/') == NULL && network_parse(name, &address, NULL) &&
           is_our_address(&address, local);
}
