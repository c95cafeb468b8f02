#include "config.h"

#include "verdict/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>

#include "base/network.h"

void interfaces_addresses(GArray *addresses)
{
    struct ifaddrs *list = NULL;

    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
        Network address;

        if (at->ifa_addr == NULL || (at->ifa_flags & IFF_UP) == 0 ||
            (at->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        if (network_from_sockaddr(at->ifa_addr, &address))
            g_array_append_val(addresses, address);
    }
    freeifaddrs(list);
}
