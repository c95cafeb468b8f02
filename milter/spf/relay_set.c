#include "config.h"

#include "spf/relay_set.h"

#include <string.h>

#include "spf/relay_lookup.h"

#define SHARE_MIN CLOCK_SECOND /* of check_timeout, for one entry */
#define PROBLEMS_SHOWN_MAX 5

G_DEFINE_QUARK(spfrom_relay_set_error, relay_set_error)

/* A network on its way into the set. */
typedef struct {
    Network network;
    guint entry;
} Item;

static RelaySet *set_new(Settings *settings)
{
    RelaySet *set = g_new0(RelaySet, 1);

    set->refs = 1;
    set->networks = g_array_new(FALSE, FALSE, sizeof(Network));
    set->entries = g_array_new(FALSE, FALSE, sizeof(guint));
    set->problems = g_ptr_array_new_with_free_func(g_free);
    set->settings = settings_ref(settings);
    set->found = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    return set;
}

RelaySet *relay_set_ref(RelaySet *set)
{
    g_atomic_int_inc(&set->refs);
    return set;
}

void relay_set_unref(RelaySet *set)
{
    if (!g_atomic_int_dec_and_test(&set->refs))
        return;
    g_array_unref(set->networks);
    g_array_unref(set->entries);
    g_ptr_array_unref(set->problems);
    g_ptr_array_unref(set->found);
    settings_unref(set->settings);
    g_free(set);
}

static const RelayEntry *entry_at(Settings *settings, guint position)
{
    return g_ptr_array_index(settings->relay_hosts, position);
}

/* Do two entries ask the same? */
static bool is_same(Settings *a_settings, const RelayEntry *a, Settings *b_settings,
                    const RelayEntry *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == RELAY_ENTRY_AUTO)
        return strcmp(a_settings->hostname, b_settings->hostname) == 0;
    return a->domain != NULL && strcmp(a->domain, b->domain) == 0;
}

/* What entry stood for in last; NULL where that is nothing. */
static GArray *found_before(RelaySet *last, Settings *settings, const RelayEntry *entry)
{
    for (guint i = 0; last != NULL && i < last->found->len; i++) {
        GArray *networks = g_ptr_array_index(last->found, i);

        if (networks->len > 0 &&
            is_same(settings, entry, last->settings, entry_at(last->settings, i)))
            return networks;
    }
    return NULL;
}

/* Puts what lookup found for entry, or what last knew, into set. */
static void add_found(RelaySet *set, RelayLookup *lookup, const RelayEntry *entry, RelaySet *last)
{
    GArray *networks = lookup->networks;
    bool is_lacking = lookup->has_trouble || networks->len == 0;
    GArray *before = is_lacking ? found_before(last, set->settings, entry) : NULL;

    if (before != NULL)
        networks = before;
    g_ptr_array_add(set->found, g_array_ref(networks));
    for (guint i = 0; i < lookup->problems->len; i++) {
        const char *problem = g_ptr_array_index(lookup->problems, i);

        g_ptr_array_add(
            set->problems,
            g_strconcat(problem, before != NULL ? "; its last addresses stay" : "", NULL));
    }
}

/* The end of the time of the entry at position: its share of what is left. */
static gint64 share_end(gint64 deadline, guint position, guint entries)
{
    gint64 now = clock_monotonic(&clock_system);
    gint64 share = (deadline - now) / (entries - position);

    return MIN(deadline, now + MAX(share, SHARE_MIN));
}

/* Looks every entry up. Returns the smallest TTL. */
static guint32 find_all(RelaySet *set, Dns *dns, RelaySet *last, bool *has_trouble)
{
    Settings *settings = set->settings;
    guint entries = settings->relay_hosts->len;
    gint64 deadline = clock_monotonic(&clock_system) + settings->check_timeout * CLOCK_SECOND;
    guint32 ttl = RELAY_LOOKUP_FOREVER;

    for (guint i = 0; i < entries; i++) {
        const RelayEntry *entry = entry_at(settings, i);
        g_autoptr(RelayLookup) lookup =
            relay_lookup_run(entry, settings->hostname, RELAY_SET_NETWORKS_MAX, dns,
                             share_end(deadline, i, entries));

        *has_trouble |= lookup->has_trouble;
        ttl = MIN(ttl, lookup->ttl);
        add_found(set, lookup, entry, last);
    }
    return ttl;
}

/* By family, address and length: a network stands before those that it holds. */
static gint compare(const Network *a, const Network *b)
{
    int order = memcmp(a->octets, b->octets, sizeof a->octets);

    if (a->family != b->family)
        return a->family == AF_INET ? -1 : 1;
    return order != 0 ? order : a->length - b->length;
}

static gint compare_networks(gconstpointer a, gconstpointer b)
{
    const Item *left = a;
    const Item *right = b;
    gint order = compare(&left->network, &right->network);

    return order != 0 ? order : (gint)left->entry - (gint)right->entry;
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
    const Item *left = a;
    const Item *right = b;

    if (left->entry != right->entry)
        return (gint)left->entry - (gint)right->entry;
    return compare(&left->network, &right->network);
}

/* Takes out of sorted items each that an earlier one holds: networks nest or are apart, so the last
 * kept one tells. */
static void drop_held(GArray *items, bool is_across_entries)
{
    guint kept = 0;

    for (guint i = 0; i < items->len; i++) {
        Item item = g_array_index(items, Item, i);
        const Item *before = kept > 0 ? &g_array_index(items, Item, kept - 1) : NULL;

        if (before != NULL && (is_across_entries || before->entry == item.entry) &&
            network_contains(&before->network, &item.network))
            continue;
        g_array_index(items, Item, kept++) = item;
    }
    g_array_set_size(items, kept);
}

static void merge(RelaySet *set)
{
    bool is_across_entries = set->settings->relay_policy == RELAY_POLICY_ALL;
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Item));

    for (guint entry = 0; entry < set->found->len; entry++) {
        GArray *networks = g_ptr_array_index(set->found, entry);

        for (guint i = 0; i < networks->len; i++) {
            Item item = {.network = g_array_index(networks, Network, i), .entry = entry};

            g_array_append_val(items, item);
        }
    }
    g_array_sort(items, is_across_entries ? compare_networks : compare_entries);
    drop_held(items, is_across_entries);
    g_array_sort(items, compare_entries);
    for (guint i = 0; i < items->len; i++) {
        const Item *item = &g_array_index(items, Item, i);

        g_array_append_val(set->networks, item->network);
        g_array_append_val(set->entries, item->entry);
    }
}

static bool has_networks_of(const RelaySet *set, const RelaySet *other)
{
    if (set->networks->len != other->networks->len)
        return false;
    for (guint i = 0; i < set->networks->len; i++) {
        if (!network_is_equal(&g_array_index(set->networks, Network, i),
                              &g_array_index(other->networks, Network, i)))
            return false;
        if (g_array_index(set->entries, guint, i) != g_array_index(other->entries, guint, i))
            return false;
    }
    return true;
}

static guint generation_of(const RelaySet *set, const RelaySet *last)
{
    if (last == NULL)
        return 1;
    return has_networks_of(set, last) ? last->generation : last->generation + 1;
}

/* Returns the seconds until set is to be looked up again. */
static guint lifetime(Settings *settings, guint32 ttl, guint failures)
{
    guint shortest = MIN(RELAY_SET_TTL_MIN, MAX(settings->cache_min_ttl, 1));
    guint longest = MAX(MIN(RELAY_SET_TTL_MAX, settings->cache_max_ttl), shortest);
    guint seconds = CLAMP(ttl, shortest, longest);

    if (failures == 0)
        return seconds;
    return MIN(seconds,
               MIN((guint)RELAY_SET_RETRY_MIN << MIN(failures - 1, 8), RELAY_SET_RETRY_MAX));
}

static void set_empty_error(const RelaySet *set, GError **error)
{
    g_autoptr(GString) why = g_string_new(NULL);

    for (guint i = 0; i < MIN(set->problems->len, PROBLEMS_SHOWN_MAX); i++)
        g_string_append_printf(why, "%s%s", i > 0 ? "; " : "",
                               (const char *)g_ptr_array_index(set->problems, i));
    g_set_error(error, RELAY_SET_ERROR, RELAY_SET_ERROR_EMPTY,
                "relay_hosts: no public address found (%s); write the addresses your mail leaves "
                "from, such as "
                "relay_hosts = { \"192.0.2.25\" } or { \"spf:amazonses.com\" }",
                why->str);
}

static bool is_usable(const RelaySet *set, bool has_trouble, GError **error)
{
    if (set->networks->len == 0 && !has_trouble) {
        set_empty_error(set, error);
        return false;
    }
    if (set->networks->len > RELAY_SET_NETWORKS_MAX) {
        g_set_error(error, RELAY_SET_ERROR, RELAY_SET_ERROR_LARGE,
                    "relay_hosts: %u networks, %d are the most; write wider networks in place of "
                    "single addresses",
                    set->networks->len, RELAY_SET_NETWORKS_MAX);
        return false;
    }
    return true;
}

RelaySet *relay_set_resolve(Settings *settings, Dns *dns, RelaySet *last, const Clock *clock,
                            GError **error)
{
    g_autoptr(RelaySet) set = set_new(settings);
    gint64 now = clock_monotonic(clock);
    bool has_trouble = false;
    guint32 ttl = find_all(set, dns, last, &has_trouble);

    merge(set);
    if (!is_usable(set, has_trouble, error))
        return NULL;
    set->generation = generation_of(set, last);
    set->failures = !has_trouble ? 0 : last != NULL ? last->failures + 1 : 1;
    set->expires = G_MAXINT64;
    if (has_trouble || ttl != RELAY_LOOKUP_FOREVER)
        set->expires = now + lifetime(settings, ttl, set->failures) * CLOCK_SECOND;
    return g_steal_pointer(&set);
}
