#include "config.h"

#include "spf/network_list.h"

#include <string.h>

bool network_list_add_without(GArray *networks, const Network *network, const GArray *holes,
                              guint max)
{
    bool is_split = false;
    Network halves[2];

    for (guint i = 0; i < holes->len; i++) {
        const Network *hole = &g_array_index(holes, Network, i);

        if (network_contains(hole, network))
            return true;
        is_split = is_split || network_contains(network, hole);
    }
    if (is_split) {
        network_split(network, halves);
        return network_list_add_without(networks, &halves[0], holes, max) &&
               network_list_add_without(networks, &halves[1], holes, max);
    }
    if (networks->len >= max)
        return false;
    g_array_append_val(networks, *network);
    return true;
}

/* By family, address, and from wide to narrow: what lies in a network follows it. */
static gint compare(gconstpointer a, gconstpointer b)
{
    const Network *left = a;
    const Network *right = b;
    int order = memcmp(left->octets, right->octets, sizeof left->octets);

    if (left->family != right->family)
        return left->family == AF_INET ? -1 : 1;
    return order != 0 ? order : (gint)left->length - (gint)right->length;
}

/* Are these the two halves of one network? Sets it. */
static bool join(const Network *lower, const Network *upper, Network *whole)
{
    Network both;
    Network halves[2];

    if (lower->family != upper->family || lower->length != upper->length || lower->length == 0)
        return false;
    both = network_shortened(lower, (guint8)(lower->length - 1));
    network_split(&both, halves);
    if (!network_is_equal(&halves[0], lower) || !network_is_equal(&halves[1], upper))
        return false;
    *whole = both;
    return true;
}

/*
 * The networks before kept are merged; one more comes behind them. Joining two may make a half of
 * another one, which then stands right before it.
 */
void network_list_merge(GArray *networks)
{
    Network *list = (Network *)(gpointer)networks->data;
    guint kept = 0;

    g_array_sort(networks, compare);
    for (guint i = 0; i < networks->len; i++) {
        Network network = list[i];

        if (kept > 0 && network_contains(&list[kept - 1], &network))
            continue;
        while (kept > 0 && join(&list[kept - 1], &network, &network))
            kept--;
        list[kept++] = network;
    }
    g_array_set_size(networks, kept);
}
